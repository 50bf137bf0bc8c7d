//! Moves the calling thread between namespaces.
//!
//! A socket stays in the network it was made in, so a thread may make one here and the next one there. The kernel keeps
//! this per thread: it changes nothing for the other threads of the process. All of it needs `CAP_SYS_ADMIN`.

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::thread::{
    LinkNameSpaceType, ThreadNameSpaceType, UnshareFlags, move_into_link_name_space, move_into_thread_name_spaces,
    unshare_unsafe,
};

/// The namespace the calling thread is in, of a kind as `/proc/self/ns` names it, to come back to.
pub fn own(kind: &str) -> io::Result<OwnedFd> {
    Ok(File::open(format!("/proc/thread-self/ns/{kind}"))?.into())
}

/// The calling thread's sockets are made there from now on.
pub fn enter_network(namespace: BorrowedFd<'_>) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?)
}

/// The calling thread is in a network of its own from now on: a loopback that is down, and nothing else.
pub fn new_network() -> io::Result<()> {
    // SAFETY: only a table of descriptors of its own is unsafe to have, and that is not asked for.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?)
}

/// As [`enter_network`], of a process by its pidfd; `ESRCH` if it has ended.
pub fn enter_network_of(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(move_into_thread_name_spaces(pidfd, ThreadNameSpaceType::NETWORK)?)
}

/// The calling thread's children are born in this namespace of processes from now on; it stays where it is itself.
pub fn send_children_to(namespace: BorrowedFd<'_>) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace, Some(LinkNameSpaceType::ProcessID))?)
}

/// As [`send_children_to`], of a process by its pidfd; `ESRCH` if it has ended.
pub fn send_children_to_that_of(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(move_into_thread_name_spaces(pidfd, ThreadNameSpaceType::PROCESS_ID)?)
}
