//! Version 2: one hierarchy for all controllers, as `Documentation/admin-guide/cgroup-v2.rst` has it.
//!
//! A cgroup that hands its controllers on may have no processes, so those of a container are in the cgroup `leaf` below
//! its own, as with Mesos; nested containers are beside that.

use std::fs;
use std::path::{Path, PathBuf};

use mesos::v1::ResourceStatistics;

use super::driver::{Driver, OomSignal};
use super::files::{self, Keyed, number, write};
use super::limits::PERIOD_US;
use super::{Birthplace, CgroupError, Limits, MemoryReport, removal};

const LEAF: &str = "leaf";

/// The place where the hierarchy is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct V2 {
    pub(super) mount: PathBuf,
}

impl V2 {
    /// Makes a cgroup whose children have the controllers.
    fn create_inner(&self, name: &Path) -> Result<(), CgroupError> {
        let mut path = self.mount.clone();
        hand_on(&path)?;
        for part in name {
            path.push(part);
            make(&path)?;
            hand_on(&path)?;
        }
        Ok(())
    }

    /// The events of its own processes: those of nested cgroups are not counted there.
    fn events(&self, name: &Path) -> PathBuf {
        self.mount.join(name).join(LEAF).join("memory.events")
    }
}

fn make(path: &Path) -> Result<(), CgroupError> {
    match fs::create_dir(path) {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(CgroupError::Create { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Gives the controllers that limits need, as far as they are here, to the cgroups below.
fn hand_on(path: &Path) -> Result<(), CgroupError> {
    let here = files::read(&path.join("cgroup.controllers"))?;
    let wanted = ["cpu", "memory", "pids"].into_iter().filter(|name| here.split_whitespace().any(|has| has == *name));
    let enabled: Vec<_> = wanted.map(|controller| format!("+{controller}")).collect();
    match enabled.is_empty() {
        true => Ok(()),
        false => write(&path.join("cgroup.subtree_control"), enabled.join(" ")),
    }
}

fn or_max(number: Option<u64>) -> String {
    number.map_or_else(|| "max".to_owned(), |number| number.to_string())
}

impl Driver for V2 {
    fn version(&self) -> u8 {
        2
    }

    fn directories(&self, name: &Path) -> Vec<PathBuf> {
        vec![self.mount.join(name)]
    }

    fn create_root(&self, name: &Path) -> Result<(), CgroupError> {
        self.create_inner(name)
    }

    fn counts_swap(&self) -> bool {
        false
    }

    fn create(&self, name: &Path) -> Result<(), CgroupError> {
        self.create_inner(name)?;
        make(&self.mount.join(name).join(LEAF))
    }

    fn limit(&self, name: &Path, limits: &Limits) -> Result<(), CgroupError> {
        let directory = self.mount.join(name);
        if let Some(cpu) = &limits.cpu {
            write(&directory.join("cpu.weight"), cpu.weight())?;
            write(&directory.join("cpu.max"), format!("{} {PERIOD_US}", or_max(cpu.quota_us())))?;
        }
        if let Some(memory) = &limits.memory {
            write(&directory.join("memory.low"), memory.soft_bytes())?;
            let in_use = number(&directory.join("memory.current"))?;
            write(&directory.join("memory.max"), or_max(memory.hard_bytes().map(|bytes| bytes.max(in_use))))?;
        }
        write(&directory.join("pids.max"), or_max(limits.pids))
    }

    fn birthplace(&self, name: &Path) -> Birthplace {
        Birthplace::Directory(self.mount.join(name).join(LEAF))
    }

    fn statistics(&self, name: &Path, timestamp: f64) -> Result<ResourceStatistics, CgroupError> {
        let directory = self.mount.join(name);
        let cpu = Keyed::read(&directory.join("cpu.stat"))?;
        let stat = Keyed::read(&directory.join("memory.stat"))?;
        let seconds = |microseconds: u64| microseconds as f64 / 1e6;
        let (file, anon) = (stat.number("file")?, stat.number("anon")?);
        Ok(ResourceStatistics {
            timestamp,
            processes: Some(removal::processes_below(&directory)?.len() as u32),
            threads: Some(removal::threads_below(&directory)?),
            cpus_user_time_secs: Some(seconds(cpu.number("user_usec")?)),
            cpus_system_time_secs: Some(seconds(cpu.number("system_usec")?)),
            cpus_nr_periods: cpu.get("nr_periods").map(|periods| periods as u32),
            cpus_nr_throttled: cpu.get("nr_throttled").map(|periods| periods as u32),
            cpus_throttled_time_secs: cpu.get("throttled_usec").map(seconds),
            mem_total_bytes: Some(number(&directory.join("memory.current"))?),
            mem_limit_bytes: number(&directory.join("memory.max")).ok(),
            mem_soft_limit_bytes: number(&directory.join("memory.low")).ok(),
            mem_file_bytes: Some(file),
            mem_cache_bytes: Some(file),
            mem_anon_bytes: Some(anon),
            mem_rss_bytes: Some(anon),
            mem_mapped_file_bytes: stat.get("file_mapped"),
            mem_swap_bytes: number(&directory.join("memory.swap.current")).ok(),
            mem_unevictable_bytes: stat.get("unevictable"),
            ..ResourceStatistics::default()
        })
    }

    fn oom_kills(&self, name: &Path) -> Result<u64, CgroupError> {
        Keyed::read(&self.events(name))?.number("oom_kill")
    }

    fn oom_signal(&self, name: &Path) -> OomSignal {
        OomSignal::Modified(self.events(name))
    }

    fn memory_report(&self, name: &Path) -> Result<MemoryReport, CgroupError> {
        let directory = self.mount.join(name);
        // Linux before 5.19 does not keep the peak.
        let most = number(&directory.join("memory.peak")).or_else(|_| number(&directory.join("memory.current")));
        Ok(MemoryReport {
            // `max` is no number: there is no limit.
            limit_bytes: number(&directory.join("memory.max")).unwrap_or(u64::MAX),
            most_bytes: most?,
            statistics: files::read(&directory.join("memory.stat"))?,
        })
    }

    fn kill(&self, name: &Path) -> Result<(), CgroupError> {
        let directory = self.mount.join(name);
        match write(&directory.join("cgroup.kill"), 1) {
            Ok(()) => Ok(()),
            // Linux before 5.14 has no such file.
            Err(_) => {
                removal::processes_below(&directory)?.into_iter().for_each(removal::kill);
                Ok(())
            }
        }
    }
}
