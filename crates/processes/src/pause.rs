//! The first process in a container's namespaces. It makes them what they are and then sleeps, so that they stay as long
//! as the shim that cloned it, and no longer: the death of either is the end of everybody inside.
//!
//! In: the [`Namespaces`] of a program. Out: a child whose namespaces the program enters, or, if the program is to be the
//! first process itself, the program.
//!
//! It is a copy of the shim and not a program of its own: `exec` would cost a millisecond, and memory of its own, where a
//! copy shares nearly all it has with its parent. What a container could do to it is bounded: it keeps no descriptor, has
//! no capabilities and can get none, cannot be looked into, and shows nobody a path of the host.

mod life;
mod loopback;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    DumpableBehavior, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal,
    set_dumpable_behavior, waitid,
};
use rustix::thread::{ThreadNameSpaceType, set_name};
use serde::{Deserialize, Serialize};

use self::life::Life;
use crate::birthplace::Birthplace;
use crate::kernel::fork::{exit, fork};
use crate::kernel::{Child, Spawn};
use crate::rootfs::Rootfs;

/// The namespaces of a program's own: of mounts, processes, host names and System V objects, and what they begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespaces {
    /// The network it is in.
    #[serde(default)]
    pub network: Network,
    /// The name of the machine it sees; that of the host if absent.
    #[serde(default)]
    pub hostname: Option<String>,
    /// Its file system.
    pub rootfs: Rootfs,
    /// True if the program is the first process itself: it has to reap orphans then, and no signal it does not handle
    /// reaches it.
    #[serde(default)]
    pub init: bool,
}

/// The network of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// The network of the host.
    #[default]
    Host,
    /// One of its own, with nothing in it but its loopback.
    Own,
    /// One that somebody else holds, by the path of its namespace.
    At(PathBuf),
}

impl Namespaces {
    /// The kinds that a clone makes.
    fn made(&self) -> ThreadNameSpaceType {
        let mut kinds = ThreadNameSpaceType::MOUNT
            | ThreadNameSpaceType::PROCESS_ID
            | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
            | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION;
        kinds.set(ThreadNameSpaceType::NETWORK, self.network == Network::Own);
        kinds
    }

    /// The kinds that a process must enter to be in the container.
    pub(crate) fn kinds(&self) -> ThreadNameSpaceType {
        let mut kinds = self.made();
        kinds.set(ThreadNameSpaceType::NETWORK, self.network != Network::Host);
        kinds
    }
}

/// Makes the namespaces, with a process in them that sleeps, or is the program at once. The caller is a process without
/// threads, and cannot be looked into from now on: those it starts in the container share its memory for a moment.
pub(crate) fn start(
    namespaces: &Namespaces,
    birthplace: Option<&Birthplace>,
    program: Option<Spawn<'_>>,
) -> io::Result<Child> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // It is started by the name of a descriptor.
    set_name(c"cygnet")?;
    let network = network(&namespaces.network)?;
    let (directory, tasks) = match birthplace {
        Some(Birthplace::Directory(directory)) => (Some(opened("control group", directory)?), [].as_slice()),
        Some(Birthplace::Tasks(tasks)) => (None, tasks.as_slice()),
        None => (None, [].as_slice()),
    };
    let parent = pidfd_open(getpid(), PidfdFlags::empty())?;
    let (told, tell) = pipe_with(PipeFlags::CLOEXEC)?;
    let cannot = |cause| io::Error::other(format!("Cannot make the container's namespaces: {cause}"));
    match fork(namespaces.made(), directory.as_ref().map(AsFd::as_fd)).map_err(cannot)? {
        None => {
            drop(told);
            Life::new(namespaces, tasks, network, parent, tell).live(program);
            exit(1)
        }
        Some(child) => {
            drop(tell);
            wait_until_ready(told, &child).map(|()| child)
        }
    }
}

fn network(network: &Network) -> io::Result<Option<OwnedFd>> {
    let Network::At(path) = network else { return Ok(None) };
    opened("network namespace", path).map(Some)
}

fn opened(what: &str, path: &Path) -> io::Result<OwnedFd> {
    let named = |cause| io::Error::other(format!("Cannot open the {what} '{}': {cause}", path.display()));
    File::open(path).map(OwnedFd::from).map_err(named)
}

/// It says one thing once it is ready, and closes the pipe; anything after that, or instead, is why it is not.
fn wait_until_ready(told: OwnedFd, child: &Child) -> io::Result<()> {
    let mut said = Vec::new();
    let read = File::from(told).read_to_end(&mut said);
    let why = match (read, said.strip_prefix(&[life::READY])) {
        (Ok(_), Some([])) => return Ok(()),
        (Ok(_), Some(why)) => String::from_utf8_lossy(why).into_owned(),
        (Ok(_), None) if said.is_empty() => "the first process of the container has ended".to_owned(),
        (Ok(_), None) => String::from_utf8_lossy(&said).into_owned(),
        (Err(error), _) => error.to_string(),
    };
    let _gone_already = pidfd_send_signal(&child.pidfd, Signal::KILL);
    waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED)?;
    Err(io::Error::other(why))
}
