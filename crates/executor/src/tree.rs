//! The processes of a task: who descends from whom, and signals that cannot hit a stranger.
//!
//! A pid alone names nobody, the kernel gives it to the next process; a pid together with a start time does. Every
//! signal goes through a pidfd that was opened before the start time was compared.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, pidfd_open, pidfd_send_signal, waitid, waitpid,
};
use serde::{Deserialize, Serialize};

/// One process, now and not its pid's next owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

/// One life of this machine, from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Boot(Box<str>);

impl Boot {
    /// The present one, if the kernel says which.
    pub(crate) fn this() -> Option<Boot> {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(Boot(id.trim().into()))
    }
}

/// What /proc/<pid>/stat tells that matters here.
struct Stat {
    state: u8,
    session: i32,
    start: u64,
}

impl Process {
    /// The process with this pid at the moment, zombies included.
    pub(crate) fn of(pid: i32) -> Option<Process> {
        Stat::read(pid).map(|stat| Process { pid, start: stat.start })
    }

    /// Whether it is still there, be it as a zombie.
    pub(crate) fn exists(self) -> bool {
        Process::of(self.pid) == Some(self)
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.start == self.start && stat.state != b'Z')
    }

    /// A descriptor that becomes readable when the process ends; nothing if it ended already.
    pub(crate) fn open(self) -> Option<OwnedFd> {
        let pidfd = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        self.exists().then_some(pidfd)
    }

    /// Sends a signal. That it is gone already is fine.
    pub(crate) fn signal(self, signal: Signal) {
        if let Some(pidfd) = self.open()
            && let Err(error) = pidfd_send_signal(&pidfd, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(pid = self.pid, %error, "cannot signal a process");
        }
    }

    /// True if it was started with these arguments, the first of which names its program, and one more.
    pub(crate) fn runs(self, command: &[String]) -> bool {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let mut arguments = line.strip_suffix(b"\0").unwrap_or(&line).split(|byte| *byte == 0);
        command.iter().all(|wanted| arguments.next() == Some(wanted.as_bytes())) && arguments.count() == 1
    }

    /// True if it was started with this variable in its environment, whatever its value.
    pub(crate) fn has_variable(self, name: &str) -> bool {
        let environment = fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        let named = |variable: &[u8]| variable.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="));
        environment.split(|byte| *byte == 0).any(named)
    }

    /// The child that it has had for the longest time.
    pub(crate) fn oldest_child(self) -> Option<Process> {
        // The kernel names them in the order in which they came, and times are coarse.
        children(self.pid).into_iter().min_by_key(|process| process.start)
    }

    /// True if it has this file open, which may have been removed since.
    pub(crate) fn has_open(self, path: &Path) -> bool {
        let removed = format!("{} (deleted)", path.display());
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid)).into_iter().flatten().flatten();
        descriptors
            .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
            .any(|to| to == path || to == Path::new(&removed))
    }

    /// Everything that descends from it, parents before their children.
    pub(crate) fn descendants(self) -> Vec<Process> {
        let mut found = children(self.pid);
        let mut next = 0;
        while let Some(process) = found.get(next) {
            let more = children(process.pid);
            found.extend(more);
            next += 1;
        }
        found
    }
}

/// Every process that passes, of the whole machine.
fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The processes that belong to a task although nothing connects them to it any more but the session its main process
/// led, or the variable that was given to the task and nobody else.
pub(crate) fn leftovers(leader: Option<Process>, (name, value): &(String, String)) -> Vec<Process> {
    // While anything of a session lives, the pid of its dead leader is given to nobody else.
    let is_taken = |leader: &Process| Process::of(leader.pid).is_some_and(|other| other != *leader);
    let session = leader.filter(|leader| !is_taken(leader)).map(|leader| leader.pid);
    let mark = format!("{name}={value}");
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let belongs = |pid: i32| {
        let stat = Stat::read(pid).filter(|stat| stat.state != b'Z' && pid != own)?;
        let is_one = Some(stat.session) == session || carries(pid, &mark);
        is_one.then_some(Process { pid, start: stat.start })
    };
    all().filter_map(belongs).collect()
}

/// All processes with their last arguments, as paths.
pub(crate) fn last_arguments() -> impl Iterator<Item = (Process, PathBuf)> {
    all().filter_map(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let last = line.strip_suffix(b"\0")?.rsplit(|byte| *byte == 0).next()?;
        Some((Process::of(pid)?, PathBuf::from(OsStr::from_bytes(last))))
    })
}

/// Fetches the end of a child that somebody else's death made ours. Does not wait.
pub(crate) fn reap(pid: i32) {
    let _not_ours_is_fine = waitpid(Pid::from_raw(pid), WaitOptions::NOHANG);
}

/// The zombies among this process's own children.
pub(crate) fn own_zombies() -> Vec<Process> {
    if !has_zombies() {
        return Vec::new();
    }
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let zombie = |process: &Process| Stat::read(process.pid).is_some_and(|stat| stat.state == b'Z');
    children(own).into_iter().filter(zombie).collect()
}

/// The kernel answers this at once, however many children there are.
fn has_zombies() -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::All, look).is_ok_and(|status| status.is_some())
}

/// Children of this process' main thread that live: those it started itself, and all that were adopted.
pub(crate) fn adopted() -> Vec<Process> {
    let own = std::process::id();
    let list = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
    processes(&list).filter(|process| process.is_alive()).collect()
}

fn children(pid: i32) -> Vec<Process> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| processes(&list).collect::<Vec<_>>()).collect()
}

fn processes(list: &str) -> impl Iterator<Item = Process> {
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).filter_map(Process::of)
}

/// Whether the process was started with this `NAME=value` in its environment.
fn carries(pid: i32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}

impl Stat {
    fn read(pid: i32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// `pid (name) state ppid pgrp session ... starttime`; the name may hold anything, brackets too.
    fn parse(line: &str) -> Option<Stat> {
        let mut fields = line.get(line.rfind(')')? + 1..)?.split_ascii_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        let session = fields.nth(2)?.parse().ok()?;
        let start = fields.nth(15)?.parse().ok()?;
        Some(Stat { state, session, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_stat_line_whatever_the_name() {
        let line = "42 (a ) b) S 7 8 9 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 777 4096 1";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.state, stat.session, stat.start), (b'S', 9, 777));
        assert!(Stat::parse("42 (cut").is_none());
    }

    #[test]
    fn a_reused_pid_is_somebody_else() {
        let this = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let former = Process { start: this.start - 1, ..this };
        assert!(this.exists() && this.open().is_some());
        assert!(!former.exists() && former.open().is_none());
    }
}
