//! Processes, read from `/proc`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// The longest that a process may take to stop.
const STOPS: Duration = Duration::from_secs(30);

/// Pids of all processes whose environment or command line has `mark` (a path of the test's own directory).
pub fn marked(mark: &Path) -> Vec<i32> {
    let mark = mark.to_string_lossy().into_owned();
    all().into_iter().filter(|&pid| pid != own() && alive(pid) && has(pid, &mark)).collect()
}

/// Pids of all processes with exactly this command line whose environment has `mark`.
pub fn running(command: &str, mark: &Path) -> Vec<i32> {
    let mark = mark.to_string_lossy().into_owned();
    all().into_iter().filter(|&pid| command_line(pid) == command && alive(pid) && has(pid, &mark)).collect()
}

/// The command line, arguments separated by blanks.
pub fn command_line(pid: i32) -> String {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&raw).replace('\0', " ").trim().to_owned()
}

/// True if the process exists and is no zombie.
pub fn alive(pid: i32) -> bool {
    stat(pid).is_some_and(|fields| fields.first().is_some_and(|state| state != "Z" && state != "X"))
}

/// The parent's pid.
pub fn parent(pid: i32) -> Option<i32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// Sends `signal`; false when there is no such process. One that is stopped does nothing more when this comes back: until
/// one of its threads has taken the signal up, the others go on.
pub fn signal(pid: i32, signal: Signal) -> bool {
    let is_sent = Pid::from_raw(pid).is_some_and(|pid| kill_process(pid, signal).is_ok());
    if is_sent && signal == Signal::STOP {
        wait::until("all its threads to stop", STOPS, || stands(pid).then_some(()));
    }
    is_sent
}

/// True if no thread of the process runs, or there is none.
fn stands(pid: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let state = |thread: fs::DirEntry| {
        let stat = fs::read_to_string(thread.path().join("stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    };
    threads.filter_map(state).all(|state| matches!(state, 'T' | 't' | 'Z' | 'X'))
}

/// Private memory of the process (pages nobody shares), in KiB.
pub fn private_kib(pid: i32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    rollup
        .lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum()
}

/// Memory of the process that is in the machine's, in KiB.
pub fn resident_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

fn has(pid: i32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    command_line(pid).contains(mark) || String::from_utf8_lossy(&environment).contains(mark)
}

fn all() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn own() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// The fields behind the command's name: state, parent, group, session ...
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}
