//! Processes that were started from here, and how they end: none may be left over, whatever happens.
//!
//! This process is the reaper of all its descendants: an orphan becomes a child of ours, so that killing
//! children until there are none leaves nothing.

use std::fs;
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};

use crate::clock::{Moment, pause};

/// The time between two looks whether something ended.
const GLANCE: Duration = Duration::from_millis(50);

/// From now on orphans come to us.
pub(crate) fn reap() -> anyhow::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Starts a program whose output goes to a file. A Ctrl-C that is meant for us does not reach it.
pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> anyhow::Result<Child> {
    let file = OpenOptions::new().create(true).append(true).open(log)?;
    let mut command = Command::new(program);
    command.args(arguments).process_group(0).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    command.spawn().with_context(|| format!("cannot start {}", program.display()))
}

/// Asks it to end, and waits; whether it did.
pub(crate) fn end(child: &mut Child, limit: Duration) -> bool {
    signal(child.id(), Signal::TERM);
    let since = Moment::now();
    while since.age() < limit {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        pause(GLANCE);
    }
    false
}

/// Kills every descendant, generation by generation.
pub(crate) fn kill_descendants() {
    loop {
        let children = children(std::process::id());
        if children.is_empty() {
            return;
        }
        for pid in children {
            signal(pid, Signal::KILL);
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            let _reaped_already = waitpid(pid, WaitOptions::empty());
        }
    }
}

/// The children of all threads of a process.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

pub(crate) fn command_line(pid: u32) -> String {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&raw).replace('\0', " ")
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _gone_already = kill_process(pid, signal);
    }
}
