//! The operations of one version of the kernel's interface.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use mesos::v1::ResourceStatistics;

use super::{Birthplace, CgroupError, Limits, MemoryReport};

/// A version of the interface. Names are paths from the root of a hierarchy.
pub(super) trait Driver: Debug + Send + Sync {
    fn version(&self) -> u8;
    /// All directories of a cgroup: one in each hierarchy.
    fn directories(&self, name: &Path) -> Vec<PathBuf>;
    /// Makes the cgroup that the others are below. It has no processes of its own.
    fn create_root(&self, name: &Path) -> Result<(), CgroupError>;
    /// True if limits of memory can count what is swapped out.
    fn counts_swap(&self) -> bool;
    /// Makes a cgroup that has processes. Those above it are there.
    fn create(&self, name: &Path) -> Result<(), CgroupError>;
    fn limit(&self, name: &Path, limits: &Limits) -> Result<(), CgroupError>;
    fn birthplace(&self, name: &Path) -> Birthplace;
    fn statistics(&self, name: &Path, timestamp: f64) -> Result<ResourceStatistics, CgroupError>;
    fn oom_kills(&self, name: &Path) -> Result<u64, CgroupError>;
    /// The file whose change tells of a kill, and the way to hear of it.
    fn oom_signal(&self, name: &Path) -> OomSignal;
    fn memory_report(&self, name: &Path) -> Result<MemoryReport, CgroupError>;
    fn kill(&self, name: &Path) -> Result<(), CgroupError>;
}

/// The way in which the kernel tells that it killed for want of memory.
#[derive(Debug)]
pub(super) enum OomSignal {
    /// Version 1: an eventfd, registered with `cgroup.event_control` of this directory for `memory.oom_control`.
    EventControl(PathBuf),
    /// Version 2: this file is changed.
    Modified(PathBuf),
}
