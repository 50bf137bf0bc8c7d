//! The program of this process where nobody can write to it: a read-only mount of its file, in no place.
//!
//! In: the command line. Out: the same process, from that mount. Whoever enters a container has to run so: until it is
//! its program, the child that enters is this program to those inside, who could otherwise open its file by
//! `/proc/PID/exe`, change its mode at once, and its content as soon as nobody runs it. Owns nothing: the kernel keeps the
//! mount for as long as somebody runs from it.

use std::env;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountAttrFlags, MountPropagationFlags};
use rustix::thread::set_name;

use crate::kernel::mount::set_attributes;
use crate::rootfs::copy_of_mount;

/// The name that the kernel has for what is in no place, also when its file has been replaced.
const NOWHERE: [&str; 2] = ["/", "/ (deleted)"];

/// Goes on from the mount, from the beginning of the program; comes back if this process runs from it already, or, with
/// an error, if it may not: it takes `CAP_SYS_ADMIN`, as entering a container does. To be called before anything is done.
pub fn seal() -> io::Result<()> {
    let present = env::current_exe()?;
    if is_nowhere(&present) {
        return name_as(&path()?);
    }
    let mount = read_only_copy(Path::new("/proc/self/exe"))?;
    let program = format!("/proc/self/fd/{}", mount.as_raw_fd());
    Err(Command::new(program).arg0(present).args(env::args_os().skip(1)).exec())
}

/// The file that this process was started from.
pub fn path() -> io::Result<PathBuf> {
    let present = env::current_exe()?;
    if !is_nowhere(&present) {
        return Ok(present);
    }
    env::args_os().next().map(PathBuf::from).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A file where it can be executed and not be written.
pub(crate) fn read_only_copy(path: &Path) -> io::Result<OwnedFd> {
    let mount = copy_of_mount(path, false)?;
    let no_propagation = MountPropagationFlags::empty();
    set_attributes(mount.as_fd(), false, MountAttrFlags::MOUNT_ATTR_RDONLY, no_propagation)?;
    Ok(mount)
}

fn is_nowhere(path: &Path) -> bool {
    NOWHERE.iter().any(|name| path == OsStr::new(name))
}

/// The kernel names a process by what it was executed by, which was a descriptor.
fn name_as(path: &Path) -> io::Result<()> {
    let name = CString::new(path.file_name().unwrap_or_default().as_bytes())?;
    Ok(set_name(&name)?)
}
