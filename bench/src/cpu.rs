//! CPU time, user and system, as the kernel accounts it: in nanoseconds for threads, in hundredths of a second for
//! children that have been waited for.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// `USER_HZ`, the same on every Linux.
const TICKS_PER_SECOND: u64 = 100;

/// All threads of a process that live; `self` is a process, too.
pub(crate) fn of_process(pid: &str) -> anyhow::Result<Duration> {
    threads(pid)?.into_iter().map(|(_, time)| Ok(time)).sum()
}

/// The threads of this process that have this name.
pub(crate) fn of_threads(name: &str) -> anyhow::Result<Duration> {
    let named = threads("self")?.into_iter().filter(|(thread, _)| thread == name);
    Ok(named.map(|(_, time)| time).sum())
}

fn threads(pid: &str) -> anyhow::Result<Vec<(String, Duration)>> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))?.flatten();
    tasks.map(|task| Ok((name(&task)?, time(&task)?))).collect()
}

fn name(task: &fs::DirEntry) -> anyhow::Result<String> {
    Ok(fs::read_to_string(task.path().join("comm"))?.trim().to_owned())
}

fn time(task: &fs::DirEntry) -> anyhow::Result<Duration> {
    let schedstat = fs::read_to_string(task.path().join("schedstat")).context("the kernel has no schedstat")?;
    let nanoseconds = schedstat.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Children of this process that have ended, and their children.
pub(crate) fn of_children() -> anyhow::Result<Duration> {
    // Fields 16 and 17.
    stat("self", 15, 2)
}

/// A process with its threads that have ended, and its children that have. In hundredths of a second.
pub(crate) fn with_children(pid: &str) -> anyhow::Result<Duration> {
    // Fields 14 to 17.
    stat(pid, 13, 4)
}

/// A process with its threads that have ended. In hundredths of a second.
pub(crate) fn with_threads(pid: &str) -> anyhow::Result<Duration> {
    stat(pid, 13, 2)
}

/// The sum of so many fields of `/proc/PID/stat` that follow so many others.
fn stat(pid: &str, skip: usize, count: usize) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is a name that may have blanks; the first one after it is the third.
    let (_, fields) = stat.rsplit_once(") ").context("no name in stat")?;
    let ticks: u64 = fields.split(' ').skip(skip - 2).take(count).map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(time_of(ticks))
}

pub(crate) fn time_of(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}
