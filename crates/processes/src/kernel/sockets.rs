//! An option of sockets that no safe interface has.

use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use rustix::io::Errno;

/// A TCP socket that will connect holds back the last acknowledgement of the handshake until it has something to send
/// (`TCP_DEFER_ACCEPT` on the side of the client). Unlike `TCP_QUICKACK` it stays when a connection is dissolved.
pub fn defer_acknowledgement(socket: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let seconds: libc::c_int = 1;
    let length = libc::socklen_t::try_from(mem::size_of_val(&seconds)).unwrap_or(0);
    // SAFETY: the kernel reads `length` bytes, which are those of `seconds`, during the call.
    let failed = unsafe {
        let value = ptr::from_ref(&seconds).cast();
        libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, value, length)
    };
    if failed == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL))
}
