//! Paths inside a container's root. Whoever owns the image, or runs in another container that shares a volume, may put
//! links anywhere, and exchange them meanwhile.
//!
//! In: the root, and a path. Out: a descriptor of what is there, found by one call of the kernel, which takes the root for
//! the root of everything. What is missing is made below such a descriptor, by its plain name. So no look at a path is
//! ever trusted at a later one.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat, openat2, readlinkat};
use rustix::io::{Errno, Result};

/// The most links to nothing that a path is followed through.
const LINKS: u32 = 40;

/// The most attempts while others rename directories: the kernel cannot then tell whether `..` stays inside.
const ATTEMPTS: u32 = 200;

/// The things that can be made where nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Directory,
    File,
}

/// The directory of something that is to be made, and its name.
pub(super) struct Spot {
    pub(super) directory: OwnedFd,
    pub(super) name: PathBuf,
}

/// A descriptor of what is at this path, for nothing but to name it.
pub(super) fn find(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd> {
    resolve(root, path, ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
}

/// The same, if no link is on the way.
pub(super) fn find_without_links(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd> {
    resolve(root, path, ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS)
}

fn resolve(root: BorrowedFd<'_>, path: &Path, how: ResolveFlags) -> Result<OwnedFd> {
    // From the root, whatever the path begins with.
    let path = Path::new("/").join(path);
    let mut found = Err(Errno::AGAIN);
    for _ in 0..ATTEMPTS {
        found = openat2(root, &path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), how);
        if !matches!(found, Err(Errno::AGAIN)) {
            break;
        }
    }
    found
}

/// The file at this path; made, with the directories above it, if nothing is there.
pub(super) fn find_or_make(root: BorrowedFd<'_>, path: &Path, wanted: Wanted) -> Result<OwnedFd> {
    made(root, path, wanted, LINKS)
}

fn made(root: BorrowedFd<'_>, path: &Path, wanted: Wanted, links: u32) -> Result<OwnedFd> {
    match find(root, path) {
        Err(Errno::NOENT) => {}
        found => return found,
    }
    let Spot { directory, name } = spot_within(root, path, links)?;
    let new = match wanted {
        Wanted::Directory => mkdirat(&directory, &name, Mode::from_raw_mode(0o755)),
        Wanted::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(&directory, &name, flags, Mode::from_raw_mode(0o644)).map(drop)
        }
    };
    match new {
        Ok(()) => openat(&directory, &name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()),
        Err(Errno::EXIST) if links > 0 => {
            let target = link_target(directory.as_fd(), path, &name)?;
            made(root, &target, wanted, links - 1)
        }
        Err(errno) => Err(errno),
    }
}

/// The path that a link to nothing stands for; the same path if somebody else has made it meanwhile.
fn link_target(directory: BorrowedFd<'_>, path: &Path, name: &Path) -> Result<PathBuf> {
    match readlinkat(directory, name, Vec::new()) {
        Ok(target) => Ok(path.parent().unwrap_or(path).join(OsStr::from_bytes(target.as_bytes()))),
        Err(Errno::INVAL) => Ok(path.to_owned()),
        Err(errno) => Err(errno),
    }
}

/// The directory above this path, made if it is not there, and the last name of the path.
pub(super) fn spot(root: BorrowedFd<'_>, path: &Path) -> Result<Spot> {
    spot_within(root, path, LINKS)
}

fn spot_within(root: BorrowedFd<'_>, path: &Path, links: u32) -> Result<Spot> {
    let Some(Component::Normal(name)) = path.components().next_back() else { return Err(Errno::EXIST) };
    let above = path.parent().unwrap_or(path);
    Ok(Spot { directory: made(root, above, Wanted::Directory, links)?, name: name.into() })
}

/// Opens what a descriptor names, to read its attributes and change them.
pub(super) fn open(directory: BorrowedFd<'_>, name: &Path) -> Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(directory, name, flags, Mode::empty()).map(File::from)
}

#[cfg(test)]
#[path = "inside_tests.rs"]
mod tests;
