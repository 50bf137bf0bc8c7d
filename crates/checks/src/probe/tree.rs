//! Kills a command with all it started: its process group, its session, and its children's children. Who left all three
//! before, by changing its session after its parent had ended, is not found.

use std::collections::HashSet;
use std::fs;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

/// A tree may grow while it is counted. One that still grows after so many rounds is faster than us.
const ROUNDS: usize = 16;

/// What `/proc/PID/stat` says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    session: i32,
}

/// Kills the session leader and its tree. Returns all of them but the leader.
///
/// All are stopped before the first one is killed: who is stopped has no more children, and a tree that loses a parent
/// is no longer known as one.
pub(super) fn fell(leader: Pid) -> Vec<OwnedFd> {
    let _gone_already = kill_process_group(leader, Signal::STOP);
    let mut known = HashSet::from([leader.as_raw_pid()]);
    let mut pidfds = Vec::new();
    for _ in 0..ROUNDS {
        let before = known.len();
        for member in members(&processes(), leader.as_raw_pid()) {
            if known.insert(member.pid) {
                pidfds.extend(stop(member.pid));
            }
        }
        if known.len() == before {
            break;
        }
    }
    let _gone_already = kill_process_group(leader, Signal::KILL);
    for pidfd in &pidfds {
        let _gone_already = pidfd_send_signal(pidfd, Signal::KILL);
    }
    pidfds
}

fn stop(pid: i32) -> Option<OwnedFd> {
    let pidfd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    let _gone_already = pidfd_send_signal(&pidfd, Signal::STOP);
    Some(pidfd)
}

fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<i32>().ok();
    let stat = |pid: i32| fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    entries.flatten().filter_map(pid).filter_map(stat).filter_map(|stat| Process::parse(&stat)).collect()
}

impl Process {
    /// The name in parentheses may contain anything, so fields are counted from behind it.
    fn parse(stat: &str) -> Option<Process> {
        let pid = stat.split(' ').next()?.parse().ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let _state = fields.next()?;
        let mut number = || fields.next()?.parse().ok();
        Some(Process { pid, parent: number()?, group: number()?, session: number()? })
    }
}

/// Everybody in the leader's session or group, and their descendants.
fn members(all: &[Process], leader: i32) -> Vec<Process> {
    let mut tree = HashSet::from([leader]);
    loop {
        let before = tree.len();
        let belongs = |process: &&Process, tree: &HashSet<i32>| {
            process.session == leader || process.group == leader || tree.contains(&process.parent)
        };
        let more: Vec<i32> = all.iter().filter(|process| belongs(process, &tree)).map(|process| process.pid).collect();
        tree.extend(more);
        if tree.len() == before {
            break;
        }
    }
    all.iter().filter(|process| process.pid != leader && tree.contains(&process.pid)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, group: i32, session: i32) -> Process {
        Process { pid, parent, group, session }
    }

    #[test]
    fn names_with_parentheses_are_read() {
        let expected = Process { pid: 7, parent: 1, group: 5, session: 6 };
        assert_eq!(Process::parse("7 (a) b) (c) Z 1 5 6 0 -1"), Some(expected));
        assert_eq!(Process::parse("7 (a"), None);
    }

    #[test]
    fn session_group_and_descendants_belong() {
        let all = [
            process(10, 1, 10, 10),
            process(11, 10, 10, 10),
            process(12, 1, 12, 10),
            process(13, 11, 13, 13),
            process(14, 13, 13, 13),
            process(20, 1, 20, 20),
        ];
        let pids: Vec<i32> = members(&all, 10).iter().map(|process| process.pid).collect();
        assert_eq!(pids, [11, 12, 13, 14]);
    }
}
