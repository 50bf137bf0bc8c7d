//! The usage of processes, from `/proc`.

use std::fs;
use std::time::Duration;

use crate::process::{Process, Stat};

/// The kernel counts processor time in hundredths of a second, as far as `/proc` is concerned.
const TICK: Duration = Duration::from_millis(10);

/// The usage of several processes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of processes.
    pub processes: u32,
    /// The number of their threads.
    pub threads: u32,
    /// Processor time in user mode, since they started.
    pub user: Duration,
    /// Processor time in the kernel, since they started.
    pub system: Duration,
    /// Memory that is resident.
    pub rss_bytes: u64,
}

impl Usage {
    /// The sum over these; nothing if all of them are gone.
    pub fn of(processes: &[Process]) -> Option<Usage> {
        let used = processes.iter().filter_map(|process| Usage::of_one(process.pid));
        used.reduce(|one, other| Usage {
            processes: one.processes + other.processes,
            threads: one.threads + other.threads,
            user: one.user + other.user,
            system: one.system + other.system,
            rss_bytes: one.rss_bytes + other.rss_bytes,
        })
    }

    fn of_one(pid: i32) -> Option<Usage> {
        let Stat { threads, ticks: [user, system], .. } = Stat::read(pid)?;
        let rss_bytes = resident(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?);
        Some(Usage { processes: 1, threads, user: TICK * user, system: TICK * system, rss_bytes })
    }
}

/// `VmRSS: 1234 kB`; a zombie has no such line.
fn resident(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kb| kb * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t   44 kB\n"), 44 * 1024);
        let usage = Usage::of(&[Process::this().unwrap()]).unwrap();
        assert!(usage.processes == 1 && usage.threads >= 1 && usage.rss_bytes > 0);
    }
}
