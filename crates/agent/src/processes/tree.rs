//! Who descends from whom, and signals that cannot hit a stranger.
//!
//! A pid alone names nobody, the kernel gives it to the next process; a pid together with a start time does. Every
//! signal goes through a pidfd that was opened before the start time was compared.

use std::cell::OnceCell;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};
use serde::Deserialize;

/// Killing and looking again, in case something was started meanwhile.
const ROUNDS: usize = 8;

/// How far below an executor's state directory its tasks keep theirs.
const DEPTH: usize = 3;

/// One process, now and not its pid's next owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// When it started, in clock ticks since boot.
    pub(crate) start: u64,
}

/// What `/proc/<pid>/stat` tells that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) state: u8,
    parent: i32,
    session: i32,
    start: u64,
}

impl Process {
    /// The process with this pid at the moment, zombies included.
    pub(crate) fn of(pid: i32) -> Option<Process> {
        Stat::read(pid).map(|stat| Process { pid, start: stat.start })
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.start == self.start && stat.state != b'Z')
    }

    /// A descriptor that becomes readable when the process ends; nothing if it has ended already.
    pub(crate) fn open(self) -> Option<OwnedFd> {
        let pidfd = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        self.is_alive().then_some(pidfd)
    }

    fn kill(self) {
        // That it is gone already is fine.
        let _ = self.open().map(|pidfd| pidfd_send_signal(&pidfd, Signal::KILL));
    }
}

/// All processes of the machine as they were at one moment: to look at each of them takes a while, so whoever asks about
/// many reads it once.
#[derive(Debug)]
pub(crate) struct Table {
    stats: Vec<(i32, Stat)>,
    /// Values of [`MARK`], by process; read when first asked for.
    marks: OnceCell<Vec<(Process, Vec<u8>)>>,
}

/// The variable that everything started by a shim carries.
const MARK: &[u8] = b"CYGNET_RUN=";

impl Table {
    pub(crate) fn read() -> Table {
        let stats = pids().filter_map(|pid| Some((pid, Stat::read(pid)?))).collect();
        Table { stats, marks: OnceCell::new() }
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = Process> {
        self.stats.iter().map(|(pid, stat)| Process { pid: *pid, start: stat.start })
    }

    /// The process, if it is alive, its descendants, and what is in their sessions.
    pub(super) fn tree(&self, root: Process) -> Vec<Process> {
        if !root.is_alive() {
            return Vec::new();
        }
        let mut found = vec![root.pid];
        let mut next = 0;
        while let Some(&pid) = found.get(next) {
            let belongs =
                |(other, stat): &&(i32, Stat)| (stat.parent == pid || stat.session == pid) && !found.contains(other);
            let more: Vec<i32> = self.stats.iter().filter(belongs).map(|(other, _)| *other).collect();
            found.extend(more);
            next += 1;
        }
        let alive = |(pid, stat): &(i32, Stat)| {
            (found.contains(pid) && stat.state != b'Z').then_some(Process { pid: *pid, start: stat.start })
        };
        self.stats.iter().filter_map(alive).collect()
    }

    /// Everything an executor in a pool has started, found by the executor's state directory: the shims it and the
    /// directories below it name with their trees and sessions, and whatever was given the mark of one of them.
    pub(super) fn run(&self, state: &Path) -> Vec<Process> {
        let started = pid_files(state, DEPTH).into_iter().filter_map(|file| started(&file));
        let trees = started.flat_map(|started| [started.task, started.shim]).flat_map(|root| self.tree(root));
        let mark = state.display().to_string();
        let is_mark = |value: &[u8]| {
            value.strip_prefix(mark.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let mut found = self.carrying(is_mark);
        for process in trees {
            if !found.contains(&process) {
                found.push(process);
            }
        }
        found
    }

    /// The processes whose mark is meant.
    fn carrying(&self, is_meant: impl Fn(&[u8]) -> bool) -> Vec<Process> {
        let marks = self.marks.get_or_init(|| self.stats.iter().flat_map(|(pid, stat)| marks(*pid, stat)).collect());
        let meant = marks.iter().filter(|(_, mark)| is_meant(mark)).map(|(process, _)| *process);
        meant.filter(|process| process.is_alive()).collect()
    }
}

fn marks(pid: i32, stat: &Stat) -> Vec<(Process, Vec<u8>)> {
    let process = Process { pid, start: stat.start };
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let values = environment.split(|byte| *byte == 0).filter_map(|part| part.strip_prefix(MARK));
    values.map(|value| (process, value.to_vec())).collect()
}

/// SIGKILL for a process, everything that descends from it, and everything in the sessions of those.
pub(crate) fn kill_tree(root: Process) {
    // While anything of a session lives, the pid of its dead leader is given to nobody else.
    let taken = || Process::of(root.pid).is_some_and(|other| other != root);
    kill_while_found(|| match (root.is_alive(), taken()) {
        (true, _) => Table::read().tree(root),
        (false, false) => in_session(root.pid),
        (false, true) => Vec::new(),
    });
}

/// SIGKILL for everything an executor in a pool has started.
pub(crate) fn kill_run(state: &Path) {
    kill_while_found(|| Table::read().run(state));
}

/// SIGKILL for everything that was given a mark of which `ours` says so.
pub(crate) fn kill_marked(ours: impl Fn(&str) -> bool) {
    let is_ours = |mark: &[u8]| std::str::from_utf8(mark).is_ok_and(&ours);
    kill_while_found(|| Table::read().carrying(is_ours));
}

/// The main process a shim wrote down in its directory, if it lives.
pub(crate) fn main_process(directory: &Path) -> Option<Process> {
    started(&directory.join("pid")).map(|started| started.task).filter(|task| task.is_alive())
}

/// What a shim writes down.
#[derive(Deserialize)]
struct Started {
    shim: Process,
    task: Process,
}

fn started(file: &Path) -> Option<Started> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// The files in which shims wrote whom they started.
fn pid_files(directory: &Path, depth: usize) -> Vec<PathBuf> {
    let below = fs::read_dir(directory).into_iter().flatten().flatten().filter(|_| depth > 0);
    let below = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let deeper = below.flat_map(|entry| pid_files(&entry.path(), depth - 1));
    std::iter::once(directory.join("pid")).chain(deeper).collect()
}

fn kill_while_found(find: impl Fn() -> Vec<Process>) {
    for _ in 0..ROUNDS {
        let found = find();
        if found.is_empty() {
            return;
        }
        found.into_iter().for_each(Process::kill);
    }
}

fn in_session(leader: i32) -> Vec<Process> {
    let member = |pid: i32| {
        let stat = Stat::read(pid).filter(|stat| stat.session == leader && stat.state != b'Z')?;
        Some(Process { pid, start: stat.start })
    };
    pids().filter_map(member).collect()
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// This process' children that have ended and that nobody has waited for.
pub(super) fn own_zombies() -> Vec<Process> {
    // The kernel answers this at once; to look at every process of the machine takes a while.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    if !waitid(WaitId::All, look).is_ok_and(|status| status.is_some()) {
        return Vec::new();
    }
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let zombie = |pid: i32| {
        let stat = Stat::read(pid).filter(|stat| stat.parent == own && stat.state == b'Z')?;
        Some(Process { pid, start: stat.start })
    };
    pids().filter_map(zombie).collect()
}

impl Stat {
    fn read(pid: i32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// `pid (name) state ppid pgrp session ... starttime`; the name may hold anything, brackets too.
    fn parse(line: &str) -> Option<Stat> {
        let mut fields = line.get(line.rfind(')')? + 1..)?.split_ascii_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        let start = fields.nth(15)?.parse().ok()?;
        Some(Stat { state, parent, session, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_stat_line_whatever_the_name() {
        let line = "42 (a ) b) S 7 8 9 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 777 4096 1";
        assert_eq!(Stat::parse(line), Some(Stat { state: b'S', parent: 7, session: 9, start: 777 }));
        assert_eq!(Stat::parse("42 (cut"), None);
    }

    #[test]
    fn a_reused_pid_is_somebody_else() {
        let this = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(this.is_alive() && this.open().is_some());
        let former = Process { start: this.start - 1, ..this };
        assert!(!former.is_alive() && former.open().is_none());
    }
}
