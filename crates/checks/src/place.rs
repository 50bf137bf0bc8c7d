//! Where a check runs: the host, a network namespace, or the namespaces of a process.
//!
//! In: a pid, a pidfd, or the path of a namespace. Out: descriptors, opened once and shared by all clones of a [`Place`]; the
//! last clone dropped lets the namespace go. A place that is where we are already is the host: nothing is entered.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Where a check runs.
#[derive(Clone, Debug, Default)]
pub enum Place {
    /// Where the engine is.
    #[default]
    Host,
    /// A network namespace; commands stay in the engine's file system.
    NetworkNamespace(Namespace),
    /// The namespaces of a process.
    Process(ProcessPlace),
}

/// A namespace that stays while somebody holds this.
#[derive(Clone, Debug)]
pub struct Namespace {
    descriptor: Arc<OwnedFd>,
    identity: Identity,
}

/// What the kernel tells namespaces apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// The namespaces of a process that differ from ours.
#[derive(Clone, Debug)]
pub struct ProcessPlace {
    net: Option<Namespace>,
    mnt: Option<Namespace>,
}

/// A place that cannot be found.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the namespace {}: {source}", path.display())]
pub struct PlaceError {
    /// Of the namespace.
    pub path: PathBuf,
    /// What the operating system says.
    pub source: io::Error,
}

impl Place {
    /// The namespaces of a process: the network, and for commands the mounts.
    pub fn of_pid(pid: i32) -> Result<Place, PlaceError> {
        let of = |kind| Namespace::open_other(format!("/proc/{pid}/ns/{kind}"), format!("/proc/self/ns/{kind}"));
        Ok(match (of("net")?, of("mnt")?) {
            (None, None) => Place::Host,
            (net, mnt) => Place::Process(ProcessPlace { net, mnt }),
        })
    }

    /// As [`Place::of_pid`], and certainly of this process: its number may have gone to another one meanwhile.
    pub fn of_pidfd(pidfd: BorrowedFd<'_>) -> Result<Place, PlaceError> {
        let path = PathBuf::from(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()));
        let failed = |source| PlaceError { path: path.clone(), source };
        let info = fs::read_to_string(&path).map_err(failed)?;
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
        let place = Place::of_pid(pid.ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?)?;
        if has_ended(pidfd).map_err(failed)? { Err(failed(io::ErrorKind::NotFound.into())) } else { Ok(place) }
    }

    /// A network namespace by its path: `/run/netns/blue`, `/proc/4711/ns/net`.
    pub fn network_namespace(path: impl AsRef<Path>) -> Result<Place, PlaceError> {
        let other = Namespace::open_other(path.as_ref(), "/proc/self/ns/net")?;
        Ok(other.map_or(Place::Host, Place::NetworkNamespace))
    }

    /// The network namespace to make sockets in, if it is not ours.
    pub(crate) fn network(&self) -> Option<&Namespace> {
        match self {
            Place::Host => None,
            Place::NetworkNamespace(namespace) => Some(namespace),
            Place::Process(place) => place.net.as_ref(),
        }
    }

    /// The mount namespace for commands, if it is not ours.
    pub(crate) fn mounts(&self) -> Option<&Namespace> {
        match self {
            Place::Process(place) => place.mnt.as_ref(),
            Place::Host | Place::NetworkNamespace(_) => None,
        }
    }
}

impl Namespace {
    fn open_other(path: impl AsRef<Path>, ours: impl AsRef<Path>) -> Result<Option<Namespace>, PlaceError> {
        let ours = Namespace::open(ours.as_ref())?;
        let theirs = Namespace::open(path.as_ref())?;
        Ok((theirs.identity != ours.identity).then_some(theirs))
    }

    fn open(path: &Path) -> Result<Namespace, PlaceError> {
        let failed = |source| PlaceError { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let identity = Identity { device: metadata.dev(), inode: metadata.ino() };
        Ok(Namespace { descriptor: Arc::new(OwnedFd::from(file)), identity })
    }

    /// Whether both are the same namespace, even if opened twice.
    pub(crate) fn is(&self, other: &Namespace) -> bool {
        self.identity == other.identity
    }

    pub(crate) fn try_clone(&self) -> io::Result<OwnedFd> {
        self.descriptor.try_clone()
    }
}

fn has_ended(pidfd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut readable = [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
    Ok(poll(&mut readable, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_namespaces_are_the_host() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(matches!(Place::of_pid(pid), Ok(Place::Host)));
        assert!(matches!(Place::network_namespace(format!("/proc/{pid}/ns/net")), Ok(Place::Host)));
    }

    #[test]
    fn a_pidfd_of_a_process_that_ended_is_no_place() {
        let mut process = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = rustix::process::Pid::from_raw(process.id().try_into().unwrap()).unwrap();
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        assert!(matches!(Place::of_pidfd(pidfd.as_fd()), Ok(Place::Host)));
        drop(process.stdin.take());
        process.wait().unwrap();
        assert!(Place::of_pidfd(pidfd.as_fd()).is_err());
        assert!(Place::of_pidfd(File::open("/dev/null").unwrap().as_fd()).is_err());
    }

    #[test]
    fn a_process_that_is_gone_is_named() {
        let error = Place::of_pid(i32::MAX).unwrap_err();
        assert!(error.to_string().starts_with("cannot open the namespace /proc/2147483647/ns/net: "), "{error}");
    }
}
