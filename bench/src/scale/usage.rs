//! The resources that processes use, as the kernel accounts them.

use std::fs;
use std::time::Duration;

use crate::cpu::{self, time_of};

/// CPU time so far, and memory now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) rss_mib: f64,
}

/// Nothing if there is no such process.
pub(crate) fn of(pid: u32) -> Usage {
    Usage { cpu: cpu::with_threads(&pid.to_string()).unwrap_or_default(), rss_mib: rss_mib(pid).unwrap_or_default() }
}

/// The same with children that have ended, such as commands that check.
pub(crate) fn with_children(pid: u32) -> Usage {
    Usage { cpu: cpu::with_children(&pid.to_string()).unwrap_or_default(), ..of(pid) }
}

fn rss_mib(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

/// The time all cores together were busy so far, with any process.
pub(crate) fn machine_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; the guests after them are in user already.
    let busy = ticks.iter().take(8).enumerate().filter(|(field, _)| !matches!(field, 3 | 4));
    time_of(busy.map(|(_, ticks)| ticks).sum())
}

pub(crate) fn machine_memory_mib() -> f64 {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of = |name: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    (of("MemTotal:").unwrap_or_default() - of("MemAvailable:").unwrap_or_default()) / 1024.0
}
