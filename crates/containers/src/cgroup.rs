//! Control groups: the kernel's limits for, and figures about, all processes of a container together.
//!
//! In: the container's [`Limits`]. Out: statistics, and word of the kernel having killed for want of memory. The agent
//! owns every cgroup below its root: it makes one before the container's first process, and removes it, with what an
//! agent before it left, after the last. Everything here but [`OomWatch`] is a few small files read or written.
//!
//! Linux has two interfaces. In version 1 each controller has a hierarchy of its own, in version 2 there is one for all;
//! [`v1`] and [`v2`] hide the difference behind [`Driver`], and each works below any directory.

mod driver;
mod error;
mod files;
mod find;
mod limits;
mod oom;
mod removal;
mod v1;
mod v2;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mesos::v1::ResourceStatistics;
use processes::Birthplace;

use self::driver::Driver;
pub use self::error::CgroupError;
pub use self::limits::{Limits, MemoryLimit};
pub use self::oom::OomWatch;

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
    /// Its path from the root of a hierarchy, such as `mesos/<container id>`.
    name: PathBuf,
}

impl Hierarchies {
    /// The hierarchies of this machine, with all cgroups below `root` (Mesos' `--cgroups_root`).
    ///
    /// # Errors
    ///
    /// The machine has no controller for CPU and memory, or this process may not make cgroups.
    pub fn find(root: &Path) -> Result<Hierarchies, CgroupError> {
        Hierarchies::of(find::driver()?, root)
    }

    /// These hierarchies, once `root` is there in each of them.
    fn of(driver: Arc<dyn Driver>, root: &Path) -> Result<Hierarchies, CgroupError> {
        driver.create_root(root)?;
        Ok(Hierarchies { driver, root: root.to_owned() })
    }

    /// The cgroup of a container, whether it is there or not.
    pub fn cgroup(&self, container: &str) -> Cgroup {
        Cgroup { driver: Arc::clone(&self.driver), name: self.root.join(container) }
    }

    /// The containers that have cgroups, of whatever agent.
    pub fn containers(&self) -> Result<Vec<String>, CgroupError> {
        let mut found = Vec::new();
        for directory in self.driver.directories(&self.root) {
            found.extend(files::children(&directory)?);
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The version of the interface: 1 or 2.
    pub fn version(&self) -> u8 {
        self.driver.version()
    }
}

impl Cgroup {
    /// The cgroup of a container nested in this one's, with limits of its own.
    pub fn nested(&self, container: &str) -> Cgroup {
        Cgroup { driver: Arc::clone(&self.driver), name: self.name.join("mesos").join(container) }
    }

    /// Makes it, if it is not there, with these limits.
    pub fn create(&self, limits: &Limits) -> Result<(), CgroupError> {
        self.driver.create(&self.name)?;
        self.driver.limit(&self.name, limits)
    }

    /// Changes its limits. The one for memory does not fall below what is in use: that would kill at once.
    pub fn update(&self, limits: &Limits) -> Result<(), CgroupError> {
        self.driver.limit(&self.name, limits)
    }

    /// Where its processes are born.
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

    /// The most memory it has used at a time, and the kernel's statistics in its own words, for the user to read.
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

/// The memory of a cgroup, for the message about its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryReport {
    /// The most that was in use at a time.
    pub most_bytes: u64,
    /// `memory.stat`.
    pub statistics: String,
}

#[cfg(test)]
mod tests;
