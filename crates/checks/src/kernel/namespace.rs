//! Which network namespace the calling thread is in.
//!
//! A socket stays in the namespace it was made in, so a thread may make one here and the next one there. The kernel
//! keeps the namespace per thread: this changes nothing for the other threads of the process.

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The network namespace of the calling thread.
pub fn own_network() -> io::Result<OwnedFd> {
    File::open("/proc/thread-self/ns/net").map(OwnedFd::from)
}

/// Moves the calling thread, and only it, into a network namespace. Needs `CAP_SYS_ADMIN`.
pub fn enter_network(namespace: BorrowedFd<'_>) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?)
}
