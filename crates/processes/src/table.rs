//! All processes of the machine, and which of them belong together: trees, sessions, and marks in environments.
//!
//! Everything here looks at each process there is, which takes a while: call it where a thread may wait.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group, pidfd_send_signal};

use crate::process::{Process, Stat};

/// The name of the variable that every program under a shim has.
pub const MARK: &str = "CYGNET_RUN";

/// The most rounds of killing and looking again, in case something was started meanwhile.
const ROUNDS: usize = 16;

/// The variable that the program whose shim has this directory, and everything it starts, has, and nobody else.
pub fn mark(directory: &Path) -> (String, String) {
    (MARK.to_owned(), directory.display().to_string())
}

/// All processes as they were at one moment.
#[derive(Debug)]
pub struct Table {
    stats: Vec<Stat>,
    /// Values of [`MARK`], by process; read when first asked for.
    marks: OnceCell<Vec<(Process, Vec<u8>)>>,
}

impl Table {
    /// Reads `/proc`.
    pub fn read() -> Table {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Table { stats: pids.filter_map(Stat::read).collect(), marks: OnceCell::new() }
    }

    /// Each of them, zombies included.
    pub fn processes(&self) -> impl Iterator<Item = Process> {
        self.stats.iter().map(|stat| stat.process)
    }

    /// The process, if it is alive, its descendants, and everything in the sessions of those.
    pub fn tree(&self, root: Process) -> Vec<Process> {
        let found = if root.is_alive() { self.below(root.pid) } else { HashSet::new() };
        self.living(|stat| found.contains(&stat.process))
    }

    /// The process with this pid, its descendants, and everything in the sessions of those, zombies included.
    fn below(&self, root: i32) -> HashSet<Process> {
        let mut found = vec![root];
        let mut next = 0;
        while let Some(&pid) = found.get(next) {
            let belongs = |stat: &&Stat| stat.parent == pid || stat.session == pid;
            let more = self.stats.iter().filter(belongs).map(|stat| stat.process.pid);
            let more: Vec<i32> = more.filter(|pid| !found.contains(pid)).collect();
            found.extend(more);
            next += 1;
        }
        self.processes().filter(|process| found.contains(&process.pid)).collect()
    }

    /// The rest of the session that this process led.
    fn session(&self, leader: Process) -> Vec<Process> {
        // While anything of a session lives, the pid of its dead leader is given to nobody else.
        match self.stats.iter().any(|stat| stat.process.pid == leader.pid && stat.process != leader) {
            true => Vec::new(),
            false => self.living(|stat| stat.session == leader.pid),
        }
    }

    fn living(&self, is_meant: impl Fn(&Stat) -> bool) -> Vec<Process> {
        self.stats.iter().filter(|stat| stat.is_alive() && is_meant(stat)).map(|stat| stat.process).collect()
    }

    /// The processes whose [`mark`] is meant.
    pub fn marked(&self, is_meant: impl Fn(&[u8]) -> bool) -> Vec<Process> {
        let marks = self.marks.get_or_init(|| self.processes().flat_map(marks).collect());
        let meant = marks.iter().filter(|(_, mark)| is_meant(mark)).map(|(process, _)| *process);
        meant.filter(|process| process.is_alive()).collect()
    }
}

fn marks(process: Process) -> Vec<(Process, Vec<u8>)> {
    process.environment().values(MARK).map(|value| (process, value.to_vec())).collect()
}

/// The processes that belong to a program although nothing connects them to it any more but the session its main process
/// led, or its mark.
pub(crate) fn leftovers(leader: Option<Process>, directory: &Path) -> Vec<Process> {
    let (table, own) = (Table::read(), Process::this());
    let mark = directory.display().to_string();
    let mut found = table.marked(|value| value == mark.as_bytes());
    found.extend(leader.into_iter().flat_map(|leader| table.session(leader)));
    found.retain(|process| Some(*process) != own);
    found
}

/// SIGKILL for a process, everything that descends from it, and everything in the sessions of those.
pub fn kill_tree(root: Process) {
    kill_while_found(|table| if root.is_alive() { table.tree(root) } else { table.session(root) });
}

/// SIGKILL for everything that was given a mark of which `is_meant` says so.
pub fn kill_marked(is_meant: impl Fn(&str) -> bool) {
    let is_meant = |mark: &[u8]| std::str::from_utf8(mark).is_ok_and(&is_meant);
    kill_while_found(|table| table.marked(is_meant));
}

/// SIGKILL for what is found, until nothing is.
pub(crate) fn kill_while_found(find: impl Fn(&Table) -> Vec<Process>) {
    for _ in 0..ROUNDS {
        let found = find(&Table::read());
        if found.is_empty() {
            return;
        }
        found.into_iter().for_each(|process| process.signal(Signal::KILL));
    }
}

/// Kills the leader of a session with its tree: its session, and everything that descends from it. What left both before,
/// by changing its session after its parent had ended, is not found. Returns all of them but the leader.
///
/// All are stopped before the first one is killed: what is stopped has no more children, and a tree that loses a parent
/// is no longer known as one.
pub fn kill_session(leader: Pid) -> Vec<OwnedFd> {
    let _gone_already = kill_process_group(leader, Signal::STOP);
    let root = leader.as_raw_pid();
    let (mut known, mut pidfds) = (HashSet::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = known.len();
        let members = Table::read().below(root).into_iter().filter(|process| process.pid != root);
        let new = members.filter(|process| known.insert(*process));
        pidfds.extend(new.filter_map(stop));
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

fn stop(process: Process) -> Option<OwnedFd> {
    let pidfd = process.open_dead_or_alive()?;
    let _gone_already = pidfd_send_signal(&pidfd, Signal::STOP);
    Some(pidfd)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn stat(pid: i32, parent: i32, session: i32) -> Stat {
        Stat { process: Process { pid, start: 1 }, state: b'S', parent, session, flags: 0, ticks: [0, 0], threads: 1 }
    }

    fn pids(processes: impl IntoIterator<Item = Process>) -> BTreeSet<i32> {
        processes.into_iter().map(|process| process.pid).collect()
    }

    #[test]
    fn sessions_and_descendants_belong_to_a_tree() {
        let stats = [(10, 1, 10), (11, 10, 10), (12, 1, 10), (13, 11, 13), (14, 13, 13), (20, 1, 20)];
        let stats = stats.map(|(pid, parent, session)| stat(pid, parent, session)).to_vec();
        let zombie = Stat { state: b'Z', ..stat(15, 10, 10) };
        let table = Table { stats: stats.into_iter().chain([zombie]).collect(), marks: OnceCell::new() };
        assert_eq!(pids(table.below(10)), [10, 11, 12, 13, 14, 15].into());
        assert_eq!(pids(table.session(Process { pid: 10, start: 1 })), [10, 11, 12].into(), "no zombies");
        assert_eq!(pids(table.session(Process { pid: 10, start: 2 })), [].into(), "its number is somebody else's now");
    }
}
