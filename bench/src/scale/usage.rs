//! The resources that processes use, as the kernel accounts them.

use std::fs;
use std::time::Duration;

/// `USER_HZ`, the same on every Linux.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time so far, and memory now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) rss_mib: f64,
}

/// Nothing if there is no such process.
pub(crate) fn of(pid: u32) -> Usage {
    Usage { cpu: cpu(pid, 2).unwrap_or_default(), rss_mib: rss_mib(pid).unwrap_or_default() }
}

/// The same with children that have ended, such as commands that check.
pub(crate) fn with_children(pid: u32) -> Usage {
    Usage { cpu: cpu(pid, 4).unwrap_or_default(), ..of(pid) }
}

/// The process' own threads, those that have ended included; with four fields also its children that have.
fn cpu(pid: u32, fields: usize) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Fields 14 to 17; the first one after the name is the third.
    let (_, text) = stat.rsplit_once(") ")?;
    let ticks: u64 = text.split(' ').skip(11).take(fields).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(ticks_to_time(ticks))
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
    ticks_to_time(busy.map(|(_, ticks)| ticks).sum())
}

pub(crate) fn machine_memory_mib() -> f64 {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of = |name: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    (of("MemTotal:").unwrap_or_default() - of("MemAvailable:").unwrap_or_default()) / 1024.0
}

fn ticks_to_time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}
