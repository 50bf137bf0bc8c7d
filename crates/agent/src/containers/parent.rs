//! The parent of a nested container: from the agent's books, and from `/proc` of its main process.

use std::fs;
use std::io;
use std::path::PathBuf;

use ::containers::docker::Record;
use processes::contained::main_process;
use processes::{Credentials, Process};
use rustix::thread::ThreadNameSpaceType;

use crate::core::Root;

/// The parent of a nested container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) sandbox: PathBuf,
    pub(super) main: Option<Process>,
    /// The user it belongs to, by name, if there is no process that tells.
    pub(super) user: Option<String>,
    /// True if what joins it must have a process to join: it may have files and rights of its own.
    pub(super) is_apart: bool,
}

impl Root {
    /// Its main process, if it lives.
    pub(crate) fn main(&self) -> Option<Process> {
        self.process.or_else(|| main_process(&self.state)).or_else(|| self.dockers())
    }

    /// The first process of its container of Docker's.
    fn dockers(&self) -> Option<Process> {
        let record = Record::read(&self.state).ok().flatten()?;
        record.running?.process()
    }

    pub(super) fn parent(self) -> Parent {
        Parent { main: self.main(), sandbox: self.sandbox, user: self.user, is_apart: self.is_apart }
    }
}

/// The surroundings that a process takes over from the one it joins.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) environment: Vec<(String, String)>,
    /// The user it runs as, if not the agent's.
    pub(super) user: Option<Credentials>,
    /// The namespaces that are not the agent's.
    pub(super) namespaces: ThreadNameSpaceType,
}

/// The namespaces that can be joined.
const NAMESPACES: [(&str, ThreadNameSpaceType); 7] = [
    ("user", ThreadNameSpaceType::USER),
    ("cgroup", ThreadNameSpaceType::CONTROL_GROUP),
    ("net", ThreadNameSpaceType::NETWORK),
    ("mnt", ThreadNameSpaceType::MOUNT),
    ("pid", ThreadNameSpaceType::PROCESS_ID),
    ("uts", ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME),
    ("ipc", ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION),
];

impl Surroundings {
    /// Reads the surroundings of a process; they are only believed if it still lives afterwards.
    pub(super) fn of(process: Process) -> io::Result<Surroundings> {
        let environment = process.read_environment()?.variables().filter_map(variable).collect();
        let status = fs::read(format!("/proc/{}/status", process.pid))?;
        let user = user(&String::from_utf8_lossy(&status));
        let mut namespaces = ThreadNameSpaceType::empty();
        for (name, kind) in NAMESPACES {
            let theirs = fs::read_link(format!("/proc/{}/ns/{name}", process.pid))?;
            namespaces.set(kind, theirs != fs::read_link(format!("/proc/self/ns/{name}"))?);
        }
        let own = rustix::process::geteuid().as_raw();
        let surroundings = Surroundings { environment, user: user.filter(|user| user.uid != own), namespaces };
        process.is_alive().then_some(surroundings).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn variable(text: &[u8]) -> Option<(String, String)> {
    let (name, value) = std::str::from_utf8(text).ok()?.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

/// From `/proc/<pid>/status`: effective ids are the second of their lines.
fn user(status: &str) -> Option<Credentials> {
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let effective = |name: &str| line(name)?.split_ascii_whitespace().nth(1)?.parse().ok();
    let groups = line("Groups").unwrap_or_default().split_ascii_whitespace().filter_map(|group| group.parse().ok());
    Some(Credentials { uid: effective("Uid")?, gid: effective("Gid")?, groups: groups.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_who_a_process_is() {
        let status = "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \n";
        let user = user(status).unwrap();
        assert_eq!((user.uid, user.gid, user.groups), (2, 6, vec![9, 10]));
        assert_eq!((variable(b"B=x=y"), variable(b"broken")), (Some(("B".into(), "x=y".into())), None));
    }

    #[test]
    fn joining_ourselves_changes_nothing() {
        let this = Process::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let surroundings = Surroundings::of(this).unwrap();
        assert_eq!((surroundings.user, surroundings.namespaces), (None, ThreadNameSpaceType::empty()));
    }
}
