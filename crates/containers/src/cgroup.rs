//! Control groups: the kernel's limits for, and figures about, all processes of a container together.
//!
//! In: the container's [`Limits`], which a [`Policy`] makes of its resources. Out: statistics, and word of the kernel
//! having killed for want of memory. The agent owns every cgroup below its root: it makes one before the container's first
//! process, and removes it, with what an agent before it left, after the last. An executor is told its container's by an
//! [`Assignment`]. Everything here but [`OomWatch`] is a few small files read or written.
//!
//! Linux has two interfaces. In version 1 each controller has a hierarchy of its own, in version 2 there is one for all;
//! [`v1`] and [`v2`] hide the difference behind [`Driver`], and each works below any directory.

mod assignment;
mod bytes;
mod driver;
mod error;
mod files;
mod find;
mod limits;
mod of_process;
mod oom;
mod policy;
mod removal;
mod report;
mod v1;
mod v2;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mesos::v1::ResourceStatistics;
pub use processes::Birthplace;

pub use self::assignment::Assignment;
pub use self::bytes::Bytes;
use self::driver::Driver;
pub use self::error::CgroupError;
pub(crate) use self::limits::PERIOD_US;
pub use self::limits::{CpuLimits, Limits, MemoryLimits};
pub use self::of_process::birthplace_of;
pub use self::oom::OomWatch;
pub use self::policy::{Demand, Policy};
pub use self::report::MemoryReport;
use crate::image::Digest;

/// The place where hierarchies are mounted, unless an operator says otherwise.
pub const MOUNTS: &str = "/sys/fs/cgroup";

/// The cgroup below a container's, below which those of containers nested in it are.
const NESTED: &str = "mesos";

/// The attempts to make a cgroup while those above it are removed because they are empty.
const ATTEMPTS: usize = 10;

/// The digits of a digest that tell one agent of a machine from another.
const DIGITS: usize = 16;

/// The hierarchies of this machine, and the cgroup in them below which all others are made.
#[derive(Clone, Debug)]
pub struct Hierarchies {
    driver: Arc<dyn Driver>,
    root: PathBuf,
}

/// One cgroup: in version 1, one of the same name in each hierarchy.
#[derive(Clone, Debug)]
pub struct Cgroup {
    driver: Arc<dyn Driver>,
    /// Its path from the root of a hierarchy, such as `mesos/<agent>/executors/<container id>`.
    name: PathBuf,
}

/// The cgroup of the agent that has this work directory, below Mesos' `--cgroups_root`: several may run on one machine.
pub fn of_agent(root: &Path, work_dir: &Path) -> PathBuf {
    let digits = Digest::of(work_dir.as_os_str().as_encoded_bytes()).hex();
    root.join(format!("agent-{}", &digits[..DIGITS]))
}

impl Hierarchies {
    /// The hierarchies that are mounted at or below a directory, with all cgroups below `root`. Nothing is there
    /// afterwards that was not there before, but the cgroups above `root`.
    ///
    /// # Errors
    ///
    /// The machine has no controller for CPU and memory, or this process may not make cgroups.
    pub fn find(mounts: &Path, root: &Path) -> Result<Hierarchies, CgroupError> {
        let hierarchies = Hierarchies::of(find::driver(mounts)?, root)?;
        hierarchies.tidy(root);
        Ok(hierarchies)
    }

    /// These hierarchies, once `root` was there in each of them.
    fn of(driver: Arc<dyn Driver>, root: &Path) -> Result<Hierarchies, CgroupError> {
        driver.create_root(root)?;
        Ok(Hierarchies { driver, root: root.to_owned() })
    }

    /// The cgroup of this name below the root, whether it is there or not.
    pub fn cgroup(&self, name: impl AsRef<Path>) -> Cgroup {
        Cgroup { driver: Arc::clone(&self.driver), name: self.root.join(name) }
    }

    /// The cgroup that a process is in, if it is one of its own kind in these hierarchies, whoever has made it.
    pub fn of_process(&self, pid: i32) -> Option<Cgroup> {
        let cgroup = Cgroup { driver: Arc::clone(&self.driver), name: of_process::name_of(pid)? };
        Some(cgroup).filter(Cgroup::exists)
    }

    /// The cgroups right below this one.
    pub fn children(&self, name: impl AsRef<Path>) -> Result<Vec<String>, CgroupError> {
        let mut found = Vec::new();
        for directory in self.driver.directories(&self.root.join(name)) {
            found.extend(files::children(&directory)?);
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Kills what is left in a cgroup and removes it, and the root with the one right below it, if these are empty then.
    ///
    /// # Errors
    ///
    /// [`CgroupError::Busy`] while a process of it is left: it is gone soon.
    pub fn destroy(&self, cgroup: &Cgroup) -> Result<(), CgroupError> {
        if cgroup.remove().is_err() {
            cgroup.kill()?;
            cgroup.remove()?;
        }
        self.tidy(&cgroup.name);
        Ok(())
    }

    /// Removes the root, and the cgroup right below it that is above this one: these have no processes.
    fn tidy(&self, name: &Path) {
        let first = name.strip_prefix(&self.root).ok().and_then(|below| below.components().next());
        let first = first.map(|first| self.root.join(first)).filter(|first| first != name);
        for name in first.iter().chain([&self.root]) {
            // One that is not empty is needed.
            self.driver.directories(name).iter().for_each(|directory| drop(std::fs::remove_dir(directory)));
        }
    }

    /// The version of the interface: 1 or 2.
    pub fn version(&self) -> u8 {
        self.driver.version()
    }

    /// True if limits of memory can count what is swapped out.
    pub fn counts_swap(&self) -> bool {
        self.driver.counts_swap()
    }
}

impl Cgroup {
    /// The cgroup of a container nested in this one's, with limits of its own.
    pub fn nested(&self, container: &str) -> Cgroup {
        Cgroup { driver: Arc::clone(&self.driver), name: self.name.join(NESTED).join(container) }
    }

    /// Its path from the root of a hierarchy.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// True if it is there.
    pub fn exists(&self) -> bool {
        self.driver.directories(&self.name).iter().all(|directory| directory.is_dir())
    }

    /// Makes it, if it is not there, with these limits. Those of one that is there change; the one for memory does not
    /// fall below what is in use: that would kill at once.
    pub fn create(&self, limits: &Limits) -> Result<(), CgroupError> {
        for _ in 1..ATTEMPTS {
            match self.try_create(limits) {
                Err(error) if error.is(ErrorKind::NotFound) => {}
                result => return result,
            }
        }
        self.try_create(limits)
    }

    fn try_create(&self, limits: &Limits) -> Result<(), CgroupError> {
        self.driver.create(&self.name)?;
        self.driver.limit(&self.name, limits)
    }

    /// The place its processes are born in.
    pub fn birthplace(&self) -> Birthplace {
        self.driver.birthplace(&self.name)
    }

    /// The figures of its processes, with those that have ended; Mesos' fields and units.
    pub fn statistics(&self, timestamp: f64) -> Result<ResourceStatistics, CgroupError> {
        self.driver.statistics(&self.name, timestamp)
    }

    /// The number of its processes that the kernel has killed for want of memory.
    pub fn oom_kills(&self) -> Result<u64, CgroupError> {
        self.driver.oom_kills(&self.name)
    }

    /// The memory of it, as the message about its end tells.
    pub fn memory_report(&self) -> Result<MemoryReport, CgroupError> {
        self.driver.memory_report(&self.name)
    }

    /// Kills all its processes, those of nested cgroups included. They are gone soon, not yet.
    pub fn kill(&self) -> Result<(), CgroupError> {
        self.driver.kill(&self.name)
    }

    /// Removes it with all below it.
    ///
    /// # Errors
    ///
    /// [`CgroupError::Busy`] while a process of it is left.
    pub fn remove(&self) -> Result<(), CgroupError> {
        self.driver.directories(&self.name).iter().try_for_each(|directory| removal::remove(directory))
    }
}

#[cfg(test)]
mod tests;
