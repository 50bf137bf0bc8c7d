//! Changes what a mount allows, and how mounts spread from it: the one call about mounts that rustix has not.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::mount::{MountAttrFlags, MountPropagationFlags};

use super::clone::last_errno;

/// Adds these attributes to a mount that is open, and gives it this propagation if there is any; with `recursive` to all
/// below it, too.
pub(crate) fn set_attributes(
    mount: BorrowedFd<'_>,
    recursive: bool,
    attributes: MountAttrFlags,
    propagation: MountPropagationFlags,
) -> io::Result<()> {
    let wanted = libc::mount_attr {
        attr_set: attributes.bits().into(),
        attr_clr: 0,
        propagation: propagation.bits().into(),
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: an open descriptor, an empty C string, and plain data of the size given, which the kernel only reads.
    let set = unsafe {
        let size = mem::size_of::<libc::mount_attr>();
        libc::syscall(libc::SYS_mount_setattr, mount.as_raw_fd(), c"".as_ptr(), flags, &raw const wanted, size)
    };
    if set == 0 { Ok(()) } else { Err(last_errno().into()) }
}
