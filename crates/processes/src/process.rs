//! One process, and what `/proc` tells of it.
//!
//! A pid alone names nobody: the kernel gives it to the next process. A pid together with a start time does. Every signal
//! goes through a pidfd that was opened before the start time was compared, so that it cannot hit a stranger.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal, waitpid};
use serde::{Deserialize, Serialize};

use crate::file::read_start;

/// The most that is read of the arguments or the variables of a process. The kernel starts no program with more than 6 MiB of
/// both, but lets a process say afterwards that they are anywhere in its memory, which may be as large as it likes.
const MOST_BYTES: u64 = 8 << 20;

/// One process, and not the next owner of its pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// The time at which it started, in clock ticks since boot.
    pub start: u64,
}

/// One life of this machine, from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot(Box<str>);

impl Boot {
    /// The present one, if the kernel says which.
    pub fn this() -> Option<Boot> {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(Boot(id.trim().into()))
    }
}

impl Process {
    /// The process with this pid at the moment, zombies included.
    pub fn of(pid: i32) -> Option<Process> {
        Stat::read(pid).map(|stat| stat.process)
    }

    /// The process of the caller, if there is a `/proc`.
    pub fn this() -> Option<Process> {
        Process::of(getpid().as_raw_nonzero().get())
    }

    /// True if it still runs; a zombie does not.
    pub fn is_alive(self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.process == self && stat.is_alive())
    }

    /// True if the kernel has begun to end the process of this number. Its sockets close after that, and before its
    /// pidfd says that it has ended.
    pub fn is_ending(pid: i32) -> bool {
        const EXITING: u32 = 0x4;
        Stat::read(pid).is_some_and(|stat| stat.flags & EXITING != 0)
    }

    /// A descriptor that becomes readable when the process ends; nothing if it has ended already.
    pub fn open(self) -> Option<OwnedFd> {
        self.open_dead_or_alive().filter(|_| self.is_alive())
    }

    /// As [`Process::open`], zombies included.
    pub(crate) fn open_dead_or_alive(self) -> Option<OwnedFd> {
        let pidfd = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        (Process::of(self.pid) == Some(self)).then_some(pidfd)
    }

    /// Sends a signal. That the process is gone already is fine.
    pub fn signal(self, signal: Signal) {
        if let Some(pidfd) = self.open()
            && let Err(error) = pidfd_send_signal(&pidfd, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(pid = self.pid, %error, "cannot signal a process");
        }
    }

    /// Takes the exit status of a child that nobody waits for, if this is one and has ended.
    pub(crate) fn reap(self) {
        let _not_ours_is_fine = waitpid(Pid::from_raw(self.pid), WaitOptions::NOHANG);
    }

    /// The environment it was started with; empty where it may not be read.
    pub fn environment(self) -> Environment {
        self.read_environment().unwrap_or_default()
    }

    /// The same, or why it may not be read.
    pub fn read_environment(self) -> io::Result<Environment> {
        read_start(&format!("/proc/{}/environ", self.pid), MOST_BYTES).map(Environment)
    }

    /// The arguments it was started with, its own name first; empty for a zombie.
    pub(crate) fn arguments(self) -> Vec<OsString> {
        let line = read_start(&format!("/proc/{}/cmdline", self.pid), MOST_BYTES).unwrap_or_default();
        let Some(line) = line.strip_suffix(b"\0") else { return Vec::new() };
        line.split(|byte| *byte == 0).map(|argument| OsString::from_vec(argument.to_vec())).collect()
    }

    /// True if it has this file open, which may have been removed since.
    pub(crate) fn has_open(self, path: &Path) -> bool {
        let removed = PathBuf::from(format!("{} (deleted)", path.display()));
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid)).into_iter().flatten().flatten();
        let targets = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        targets.into_iter().any(|target| target == path || target == removed)
    }

    /// Its children, of all its threads, in the order in which they came.
    pub(crate) fn children(self) -> Vec<Process> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        threads.flat_map(|thread| children_of(&thread.path())).collect()
    }

    /// The living children of its main thread: those it started itself, and all that it adopted.
    pub(crate) fn children_of_main_thread(self) -> Vec<Process> {
        let all = children_of(Path::new(&format!("/proc/{0}/task/{0}", self.pid)));
        all.into_iter().filter(|process| process.is_alive()).collect()
    }

    /// True if it is the first process of a namespace of processes, other than ours.
    pub(crate) fn is_first(self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        numbers.split_ascii_whitespace().skip(1).last() == Some("1")
    }

    /// Everything that descends from it, parents before their children.
    pub fn descendants(self) -> Vec<Process> {
        let mut found = self.children();
        let mut next = 0;
        while let Some(process) = found.get(next) {
            let more = process.children();
            found.extend(more);
            next += 1;
        }
        found
    }
}

fn children_of(thread: &Path) -> Vec<Process> {
    let list = fs::read_to_string(thread.join("children")).unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).filter_map(Process::of).collect()
}

/// The environment of a process as the kernel has it.
#[derive(Debug, Default)]
pub struct Environment(Vec<u8>);

impl Environment {
    /// Every variable, `NAME=VALUE`.
    pub fn variables(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == 0)
    }

    /// The values of this variable: a process may have been given it more than once.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.variables().filter_map(move |variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }
}

impl From<Vec<u8>> for Environment {
    fn from(environ: Vec<u8>) -> Environment {
        Environment(environ)
    }
}

/// The part of `/proc/<pid>/stat` that matters to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) process: Process,
    pub(crate) state: u8,
    pub(crate) parent: i32,
    pub(crate) session: i32,
    /// The kernel's `PF_*`.
    pub(crate) flags: u32,
    /// Processor time in user mode and in the kernel, in clock ticks.
    pub(crate) ticks: [u32; 2],
    pub(crate) threads: u32,
}

impl Stat {
    pub(crate) fn read(pid: i32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.state != b'Z'
    }

    /// `pid (name) state ppid pgrp session ...`, as proc(5) counts them; the name may hold anything, brackets too.
    fn parse(line: &str) -> Option<Stat> {
        let pid = line.split(' ').next()?.parse().ok()?;
        let fields: Vec<&str> = line.get(line.rfind(')')? + 1..)?.split_ascii_whitespace().take(20).collect();
        let number = |index: usize| fields.get(index - 3)?.parse().ok();
        Some(Stat {
            process: Process { pid, start: fields.get(22 - 3)?.parse().ok()? },
            state: *fields.first()?.as_bytes().first()?,
            parent: i32::try_from(number(4)?).ok()?,
            session: i32::try_from(number(6)?).ok()?,
            flags: u32::try_from(number(9)?).ok()?,
            ticks: [number(14)?, number(15)?].map(|ticks: i64| u32::try_from(ticks).unwrap_or(u32::MAX)),
            threads: u32::try_from(number(20)?).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_name() {
        let line = "42 (a ) b) (c) S 7 8 9 0 -1 4 5 6 7 8 150 25 12 13 20 0 3 0 777 4096 1";
        let (process, ticks) = (Process { pid: 42, start: 777 }, [150, 25]);
        let expected = Stat { process, state: b'S', parent: 7, session: 9, flags: 4, ticks, threads: 3 };
        assert_eq!(Stat::parse(line), Some(expected));
        assert_eq!((Stat::parse("42 (cut"), Stat::parse("42 (cut) S 7 8 9 0 -1")), (None, None));
    }

    #[test]
    fn a_reused_pid_is_somebody_else() {
        let this = Process::this().unwrap();
        assert!(this.is_alive() && this.open().is_some());
        let former = Process { start: this.start - 1, ..this };
        assert!(!former.is_alive() && former.open().is_none());
    }

    #[test]
    fn a_variable_has_the_values_it_was_given() {
        let environment = Environment::from(b"A=1\0AB=2\0A=x=y\0broken\0".to_vec());
        assert_eq!(environment.values("A").collect::<Vec<_>>(), [b"1".as_slice(), b"x=y"]);
        assert_eq!(environment.values("B").count(), 0);
    }
}
