//! What processes use, from /proc.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::tree::{Process, Table};

/// The kernel counts processor time in hundredths of a second, as far as /proc is concerned.
const TICK: Duration = Duration::from_millis(10);

/// Of several processes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) processes: u32,
    pub(crate) threads: u32,
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    pub(crate) rss_bytes: u64,
}

/// Of a process and everything below it; nothing if it is gone.
pub(crate) fn usage_of_tree(table: &Table, root: Process) -> Option<Usage> {
    total(&table.tree(root))
}

/// Of what an executor in a pool has started; nothing if it has not started anything.
pub(crate) fn usage_of_run(table: &Table, state: &Path) -> Option<Usage> {
    total(&table.run(state))
}

fn total(processes: &[Process]) -> Option<Usage> {
    let used = processes.iter().filter_map(|process| one(process.pid));
    used.reduce(|one, other| Usage {
        processes: one.processes + other.processes,
        threads: one.threads + other.threads,
        user: one.user + other.user,
        system: one.system + other.system,
        rss_bytes: one.rss_bytes + other.rss_bytes,
    })
}

fn one(pid: i32) -> Option<Usage> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
    parse(&read("stat")?, &read("status")?)
}

/// In `stat`: `pid (name) state` and then numbers, of which utime is the 11th, stime the next, threads the 17th.
/// In `status`: `VmRSS: 1234 kB`.
fn parse(stat: &str, status: &str) -> Option<Usage> {
    let fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().skip(1);
    let numbers: Vec<i64> = fields.map(|field| field.parse().unwrap_or_default()).collect();
    let ticks = |index: usize| Some(TICK * u32::try_from(*numbers.get(index)?).unwrap_or_default());
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let rss_kb: u64 = rss.and_then(|rss| rss.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default();
    Some(Usage {
        processes: 1,
        threads: u32::try_from(*numbers.get(16)?).ok()?,
        user: ticks(10)?,
        system: ticks(11)?,
        rss_bytes: rss_kb * 1024,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_right_columns() {
        let line = "42 (a b) S 7 8 9 0 -1 4 5 6 7 8 150 25 12 13 20 0 3 0 777 4096 11 99";
        let usage = parse(line, "Name:\tx\nVmRSS:\t   44 kB\n").unwrap();
        assert_eq!((usage.user, usage.system), (Duration::from_millis(1500), Duration::from_millis(250)));
        assert_eq!((usage.threads, usage.rss_bytes), (3, 44 * 1024));
    }

    #[test]
    fn this_process_uses_something() {
        let this = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let usage = usage_of_tree(&Table::read(), this).unwrap();
        assert!(usage.processes >= 1 && usage.threads >= 1 && usage.rss_bytes > 0);
    }
}
