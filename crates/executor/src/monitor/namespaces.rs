//! The namespaces a task is in, which decide where it is checked.
//!
//! A task in ours is checked from where we are, without a descriptor of its process: there may be thousands of tasks.
//! It may move after its start, `exec ip netns exec blue server` does.

use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt;

use checks::{Place, PlaceError};

/// The namespaces that matter to checks.
const KINDS: [&str; 5] = ["net", "mnt", "pid", "uts", "ipc"];

/// The numbers of a process' namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Namespaces([u64; KINDS.len()]);

impl Namespaces {
    /// Of this process now.
    pub(crate) fn of(pid: i32) -> io::Result<Namespaces> {
        Namespaces::read(&pid.to_string())
    }

    fn read(process: &str) -> io::Result<Namespaces> {
        let mut numbers = [0; KINDS.len()];
        for (number, kind) in numbers.iter_mut().zip(KINDS) {
            *number = fs::metadata(format!("/proc/{process}/ns/{kind}"))?.ino();
        }
        Ok(Namespaces(numbers))
    }

    /// The place to check a process that is there, which its descriptor holds.
    pub(crate) fn place(self, pidfd: BorrowedFd<'_>) -> Result<Place, PlaceError> {
        let ours = Namespaces::read("self").is_ok_and(|ours| ours == self);
        if ours { Ok(Place::Host) } else { Place::of_pidfd(pidfd) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use processes::Process;

    use super::*;

    #[test]
    fn who_is_where_we_are_needs_no_descriptor() {
        let own = Process::this().unwrap();
        let here = Namespaces::of(own.pid).unwrap();
        assert!(matches!(here.place(own.open().unwrap().as_fd()), Ok(Place::Host)));
        assert!(Namespaces::of(i32::MAX).is_err());
    }
}
