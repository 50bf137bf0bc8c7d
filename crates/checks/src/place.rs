//! The place a check runs in: the host, a network namespace, or the namespaces of a process.
//!
//! In: a pid, a pidfd, or the path of a namespace. Out: a [`Place`], which all clones share.
//!
//! A process is held by a pidfd, which keeps nothing alive: when the process ends, its namespaces are let go, and
//! entering them fails because it has ended. A namespace given by its path stays as long as its `Place`.

mod here;

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use processes::Process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::thread::ThreadNameSpaceType;

use crate::outcome::errno_text;
pub(crate) use here::Here;

/// The place a check runs in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Place {
    /// The engine's own.
    #[default]
    Host,
    /// A network namespace; commands stay in the engine's file system.
    NetworkNamespace(Namespace),
    /// The namespaces of a process, while it lives.
    Process(Arc<ProcessPlace>),
}

/// A network namespace that stays while this is held.
#[derive(Clone, Debug)]
pub struct Namespace(Arc<(OwnedFd, NamespaceId)>);

/// The device and inode of a namespace; nothing is our own.
pub(crate) type NamespaceId = Option<(u64, u64)>;

/// A process, and which of its namespaces differ from ours.
#[derive(Debug)]
pub struct ProcessPlace {
    pid: i32,
    pidfd: OwnedFd,
    network: NamespaceId,
    /// For commands: of users, mounts, processes, host names and System V objects.
    others: ThreadNameSpaceType,
}

/// A place that cannot be found.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the namespace {}: {}", path.display(), in_words(cause))]
#[non_exhaustive]
pub struct PlaceError {
    /// Of the namespace.
    pub path: PathBuf,
    /// The words of the operating system; part of this error's own words, and so not its source.
    pub cause: io::Error,
}

fn in_words(cause: &io::Error) -> String {
    Errno::from_io_error(cause).map_or_else(|| cause.to_string(), errno_text)
}

/// The namespaces that a command enters, beside that of the network.
const OTHERS: [(&str, ThreadNameSpaceType); 5] = [
    ("user", ThreadNameSpaceType::USER),
    ("mnt", ThreadNameSpaceType::MOUNT),
    ("pid", ThreadNameSpaceType::PROCESS_ID),
    ("uts", ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME),
    ("ipc", ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION),
];

impl Place {
    /// The namespaces of a process: the network, and for commands the mounts, the processes, and the rest.
    pub fn of_pid(pid: i32) -> Result<Place, PlaceError> {
        let failed = |cause: io::Error| PlaceError { path: format!("/proc/{pid}/ns/net").into(), cause };
        let number = Pid::from_raw(pid).ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
        let pidfd = pidfd_open(number, PidfdFlags::empty()).map_err(|errno| failed(errno.into()))?;
        Place::of_process(pid, pidfd)
    }

    /// As [`Place::of_pid`], and certainly of this process: its number may have gone to another one meanwhile.
    pub fn of_pidfd(pidfd: BorrowedFd<'_>) -> Result<Place, PlaceError> {
        let path = PathBuf::from(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()));
        let failed = |cause| PlaceError { path: path.clone(), cause };
        let info = fs::read_to_string(&path).map_err(failed)?;
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
        let pid = pid.ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
        Place::of_process(pid, pidfd.try_clone_to_owned().map_err(failed)?)
    }

    /// The process must live when all is known: only then was the pid still its own.
    fn of_process(pid: i32, pidfd: OwnedFd) -> Result<Place, PlaceError> {
        let network = identify(&format!("/proc/{pid}/ns/net"), "/proc/self/ns/net")?;
        let mut others = ThreadNameSpaceType::empty();
        for (name, kind) in OTHERS {
            let differs = identify(&format!("/proc/{pid}/ns/{name}"), &format!("/proc/self/ns/{name}"))?.is_some();
            others.set(kind, differs);
        }
        let failed = |cause| PlaceError { path: format!("/proc/{pid}/ns").into(), cause };
        if has_ended(pidfd.as_fd()).map_err(failed)? {
            return Err(failed(io::ErrorKind::NotFound.into()));
        }
        Ok(Place::Process(Arc::new(ProcessPlace { pid, pidfd, network, others })))
    }

    /// A network namespace by its path: `/run/netns/blue`, `/proc/4711/ns/net`.
    pub fn network_namespace(path: impl AsRef<Path>) -> Result<Place, PlaceError> {
        let path = path.as_ref();
        let failed = |cause| PlaceError { path: path.to_owned(), cause };
        let file = File::open(path).map_err(failed)?;
        let identity = identity(&file.metadata().map_err(failed)?, "/proc/self/ns/net")?;
        Ok(match identity {
            None => Place::Host,
            identity => Place::NetworkNamespace(Namespace(Arc::new((OwnedFd::from(file), identity)))),
        })
    }

    /// Checks that sockets can be made here, bound to this source if there is one. For those who would rather know
    /// before the first attempt: it takes a thread of its own, and blocks.
    pub fn try_out(&self, source: Option<IpAddr>) -> io::Result<()> {
        let place = self.clone();
        let tried = std::thread::spawn(move || {
            Here::new()?.go(&place)?;
            source.map_or(Ok(()), |source| UdpSocket::bind((source, 0)).map(drop))
        });
        tried.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    }

    /// The name of a network that nobody can enter.
    #[cfg(test)]
    pub(crate) fn of_network(inode: u64) -> Place {
        let nowhere = File::open("/dev/null").map(OwnedFd::from);
        Place::NetworkNamespace(Namespace(Arc::new((nowhere.expect("there is /dev/null"), Some((0, inode))))))
    }

    /// The network a socket is made in.
    pub(crate) fn network_id(&self) -> NamespaceId {
        match self {
            Place::Host => None,
            Place::NetworkNamespace(Namespace(namespace)) => namespace.1,
            Place::Process(process) => process.network,
        }
    }

    /// The process in a namespace of processes of its own: with the first one in there, all others are killed.
    pub(crate) fn whose_end_ends_others(&self) -> Option<BorrowedFd<'_>> {
        let Place::Process(process) = self else { return None };
        process.others.contains(ThreadNameSpaceType::PROCESS_ID).then(|| process.pidfd())
    }

    /// True if this is a process that has ended, or is so far on its way that its sockets may be closed already.
    pub(crate) fn is_ending(&self) -> bool {
        match self {
            Place::Process(process) => self.has_ended() || Process::is_ending(process.pid),
            Place::Host | Place::NetworkNamespace(_) => false,
        }
    }

    /// True if this is a process that has ended.
    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Place::Process(process) => has_ended(process.pidfd.as_fd()).unwrap_or(false),
            Place::Host | Place::NetworkNamespace(_) => false,
        }
    }
}

impl ProcessPlace {
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// The namespaces that a command enters beside the network.
    pub(crate) fn others(&self) -> ThreadNameSpaceType {
        self.others
    }
}

/// Nothing if both are the same.
fn identify(theirs: &str, ours: &str) -> Result<NamespaceId, PlaceError> {
    let metadata = fs::metadata(theirs).map_err(|cause| PlaceError { path: theirs.into(), cause })?;
    identity(&metadata, ours)
}

fn identity(theirs: &fs::Metadata, ours: &str) -> Result<NamespaceId, PlaceError> {
    let ours = fs::metadata(ours).map_err(|cause| PlaceError { path: ours.into(), cause })?;
    let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    Ok(Some(identity(theirs)).filter(|theirs| *theirs != identity(&ours)))
}

fn has_ended(pidfd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut readable = [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
    Ok(poll(&mut readable, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_namespaces_are_entered_by_nobody() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let Ok(Place::Process(own)) = Place::of_pid(pid) else { panic!("no place") };
        assert_eq!((own.network, own.others), (None, ThreadNameSpaceType::empty()));
        assert!(matches!(Place::network_namespace(format!("/proc/{pid}/ns/net")), Ok(Place::Host)));
    }

    #[test]
    fn a_pidfd_of_a_process_that_ended_is_no_place() {
        let mut process = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_raw(process.id().try_into().unwrap()).unwrap();
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let place = Place::of_pidfd(pidfd.as_fd()).unwrap();
        assert!(!place.has_ended());
        drop(process.stdin.take());
        process.wait().unwrap();
        assert!(place.has_ended());
        assert!(Place::of_pidfd(pidfd.as_fd()).is_err());
        assert!(Place::of_pidfd(File::open("/dev/null").unwrap().as_fd()).is_err());
    }

    #[test]
    fn a_process_that_is_gone_is_named() {
        let error = Place::of_pid(i32::MAX).unwrap_err();
        assert_eq!(error.to_string(), "cannot open the namespace /proc/2147483647/ns/net: no such process");
    }

    #[test]
    fn a_source_is_one_of_our_own() {
        assert!(Place::Host.try_out(None).is_ok());
        assert!(Place::Host.try_out(Some(IpAddr::from([127, 0, 0, 9]))).is_ok());
        assert!(Place::Host.try_out(Some(IpAddr::from([192, 0, 2, 1]))).is_err());
    }
}
