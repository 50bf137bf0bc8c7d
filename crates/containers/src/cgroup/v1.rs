//! Version 1: a hierarchy for each controller, as `Documentation/admin-guide/cgroup-v1` has it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mesos::v1::ResourceStatistics;

use super::driver::{Driver, OomSignal};
use super::files::{self, Keyed, number, write};
use super::limits::{CpuLimits, MemoryLimits, PERIOD_US};
use super::{Birthplace, CgroupError, Limits, MemoryReport, removal};

/// Processor time in `cpuacct.stat` is in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// The most looks at a cgroup that is being killed.
const ROUNDS: usize = 100;

/// The places where the controllers' hierarchies are mounted. Several may share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct V1 {
    pub(super) cpu: PathBuf,
    pub(super) cpuacct: PathBuf,
    pub(super) memory: PathBuf,
    pub(super) pids: Option<PathBuf>,
}

impl V1 {
    fn hierarchies(&self) -> Vec<&PathBuf> {
        let mut all: Vec<_> = [&self.cpu, &self.cpuacct, &self.memory].into_iter().collect();
        all.extend(&self.pids);
        all.sort();
        all.dedup();
        all
    }

    fn set_memory(&self, name: &Path, memory: &MemoryLimits) -> Result<(), CgroupError> {
        let directory = self.memory.join(name);
        write(&directory.join("memory.soft_limit_in_bytes"), memory.soft_bytes())?;
        let in_use = number(&directory.join("memory.usage_in_bytes"))?;
        let limit = memory.hard_bytes().map_or_else(|| "-1".to_owned(), |bytes| bytes.max(in_use).to_string());
        let with_swap = directory.join("memory.memsw.limit_in_bytes");
        // It is never below the other one.
        if memory.swap {
            write(&with_swap, -1)?;
        }
        write(&directory.join("memory.limit_in_bytes"), &limit)?;
        if memory.swap { write(&with_swap, limit) } else { Ok(()) }
    }

    fn set_cpu(&self, name: &Path, limits: &CpuLimits) -> Result<(), CgroupError> {
        let cpu = self.cpu.join(name);
        write(&cpu.join("cpu.shares"), limits.shares())?;
        write(&cpu.join("cpu.cfs_period_us"), PERIOD_US)?;
        let quota = limits.quota_us().map_or_else(|| "-1".to_owned(), |quota| quota.to_string());
        write(&cpu.join("cpu.cfs_quota_us"), quota)
    }

    /// Kills until a look finds nobody new.
    fn kill_all(&self, name: &Path) -> Result<(), CgroupError> {
        let mut killed = Vec::new();
        for _ in 0..ROUNDS {
            let mut new = removal::processes_below(&self.memory.join(name))?;
            new.retain(|pid| !killed.contains(pid));
            if new.is_empty() {
                break;
            }
            new.iter().for_each(|pid| removal::kill(*pid));
            killed.extend(new);
        }
        Ok(())
    }
}

/// Half of the cgroup may have been removed before.
fn unless_gone(result: Result<(), CgroupError>) -> Result<(), CgroupError> {
    match result {
        Err(error) if error.is(ErrorKind::NotFound) => Ok(()),
        result => result,
    }
}

impl Driver for V1 {
    fn version(&self) -> u8 {
        1
    }

    fn directories(&self, name: &Path) -> Vec<PathBuf> {
        self.hierarchies().into_iter().map(|hierarchy| hierarchy.join(name)).collect()
    }

    fn create_root(&self, name: &Path) -> Result<(), CgroupError> {
        self.create(name)
    }

    fn counts_swap(&self) -> bool {
        self.memory.join("memory.memsw.limit_in_bytes").exists()
    }

    fn create(&self, name: &Path) -> Result<(), CgroupError> {
        self.directories(name)
            .into_iter()
            .try_for_each(|path| fs::create_dir_all(&path).map_err(|source| CgroupError::Create { path, source }))
    }

    fn limit(&self, name: &Path, limits: &Limits) -> Result<(), CgroupError> {
        limits.cpu.iter().try_for_each(|cpu| self.set_cpu(name, cpu))?;
        limits.memory.iter().try_for_each(|memory| self.set_memory(name, memory))?;
        let most = limits.pids.map_or_else(|| "max".to_owned(), |pids| pids.to_string());
        self.pids.iter().try_for_each(|pids| write(&pids.join(name).join("pids.max"), &most))
    }

    fn birthplace(&self, name: &Path) -> Birthplace {
        Birthplace::Tasks(self.directories(name).into_iter().map(|directory| directory.join("tasks")).collect())
    }

    fn statistics(&self, name: &Path, timestamp: f64) -> Result<ResourceStatistics, CgroupError> {
        let (cpu, cpuacct, memory) = (self.cpu.join(name), self.cpuacct.join(name), self.memory.join(name));
        let used = Keyed::read(&cpuacct.join("cpuacct.stat"))?;
        let throttled = Keyed::read(&cpu.join("cpu.stat"))?;
        let stat = Keyed::read(&memory.join("memory.stat"))?;
        let (cache, rss) = (stat.number("total_cache")?, stat.number("total_rss")?);
        Ok(ResourceStatistics {
            timestamp,
            processes: Some(removal::processes_below(&memory)?.len() as u32),
            threads: Some(removal::threads_below(&memory)?),
            cpus_user_time_secs: Some(used.number("user")? as f64 / TICKS_PER_SECOND),
            cpus_system_time_secs: Some(used.number("system")? as f64 / TICKS_PER_SECOND),
            cpus_nr_periods: throttled.get("nr_periods").map(|periods| periods as u32),
            cpus_nr_throttled: throttled.get("nr_throttled").map(|periods| periods as u32),
            cpus_throttled_time_secs: throttled.get("throttled_time").map(|nanoseconds| nanoseconds as f64 / 1e9),
            mem_total_bytes: Some(number(&memory.join("memory.usage_in_bytes"))?),
            mem_total_memsw_bytes: number(&memory.join("memory.memsw.usage_in_bytes")).ok(),
            mem_limit_bytes: Some(number(&memory.join("memory.limit_in_bytes"))?),
            mem_soft_limit_bytes: Some(number(&memory.join("memory.soft_limit_in_bytes"))?),
            mem_file_bytes: Some(cache),
            mem_cache_bytes: Some(cache),
            mem_anon_bytes: Some(rss),
            mem_rss_bytes: Some(rss),
            mem_mapped_file_bytes: stat.get("total_mapped_file"),
            mem_swap_bytes: stat.get("total_swap"),
            mem_unevictable_bytes: stat.get("total_unevictable"),
            ..ResourceStatistics::default()
        })
    }

    fn oom_kills(&self, name: &Path) -> Result<u64, CgroupError> {
        // Linux before 4.13 does not count them.
        Ok(Keyed::read(&self.memory.join(name).join("memory.oom_control"))?.get("oom_kill").unwrap_or(0))
    }

    fn oom_signal(&self, name: &Path) -> OomSignal {
        OomSignal::EventControl(self.memory.join(name))
    }

    fn memory_report(&self, name: &Path) -> Result<MemoryReport, CgroupError> {
        let directory = self.memory.join(name);
        Ok(MemoryReport {
            limit_bytes: number(&directory.join("memory.limit_in_bytes"))?,
            most_bytes: number(&directory.join("memory.max_usage_in_bytes"))?,
            statistics: files::read(&directory.join("memory.stat"))?,
        })
    }

    /// Processes that may make no others are killed where they are. To freeze them would also freeze a process that
    /// enters meanwhile, and one that waits for it.
    fn kill(&self, name: &Path) -> Result<(), CgroupError> {
        self.pids.iter().try_for_each(|pids| unless_gone(write(&pids.join(name).join("pids.max"), 0)))?;
        self.kill_all(name)
    }
}
