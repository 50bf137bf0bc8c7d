//! A sandbox that is being made or filled. Names are looked up below it and no link is followed, whoever made it: what
//! lies there belongs to a task, and this process may be root.

use std::ffi::{CString, OsStr};
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2, readlinkat, symlinkat, unlinkat};
use rustix::io::Errno;

/// The bits of a mode that are kept: none of those that lend a program its owner's rights.
const PLAIN: u32 = 0o777;

/// A file before it has its mode.
const FRESH: Mode = Mode::RUSR.union(Mode::WUSR);

/// A directory that is made on the way to another one.
const FRESH_DIRECTORY: Mode = Mode::RWXU.union(Mode::RGRP).union(Mode::XGRP).union(Mode::ROTH).union(Mode::XOTH);

/// A directory of a sandbox, held open: what is done below it is done there, whatever tasks rename meanwhile.
#[derive(Debug)]
pub struct Space {
    directory: OwnedFd,
}

impl Space {
    /// The directory of this path, in which no part is a link.
    pub fn open(sandbox: &Path) -> io::Result<Space> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Space { directory: openat2(CWD, sandbox, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)? })
    }

    pub(crate) fn handle(&self) -> &OwnedFd {
        &self.directory
    }

    /// The space below this one, made if it is not there.
    pub fn inner(&self, name: &Path) -> io::Result<Space> {
        Ok(Space { directory: self.directory(name)? })
    }

    /// A new directory, with those it lies in; nothing if something has its name.
    pub fn make(&self, name: &Path) -> io::Result<Option<File>> {
        let (outer, name) = self.outer(name)?;
        match mkdirat(&outer, name, FRESH_DIRECTORY) {
            Ok(()) => Ok(Some(directory_in(&outer, name)?.into())),
            Err(Errno::EXIST) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A regular file of this name, with the directories it lies in; made empty if nothing has its name.
    pub fn file(&self, name: &Path) -> io::Result<File> {
        let (outer, name) = self.outer(name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let mode = FRESH | Mode::RGRP | Mode::ROTH;
        let file = File::from(openat2(&outer, name, flags, mode, unfollowed())?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::AlreadyExists.into()) }
    }

    /// A link of this name, in place of another one that had it.
    pub fn link(&self, target: &Path, name: &Path) -> io::Result<()> {
        let (outer, name) = self.outer(name)?;
        match symlinkat(target, &outer, name) {
            Err(Errno::EXIST) if readlinkat(&outer, name, Vec::new()).is_ok() => {
                unlinkat(&outer, name, AtFlags::empty())?;
                Ok(symlinkat(target, &outer, name)?)
            }
            made => Ok(made?),
        }
    }

    /// Removes what has this name in the space itself, and everything below.
    pub fn clear(&self, name: &str) -> io::Result<()> {
        processes::remove_tree_in(self.directory.as_fd(), &CString::new(name)?)
    }

    /// The directory a name lies in, made if it is not there, and its last part.
    fn outer<'n>(&self, name: &'n Path) -> io::Result<(OwnedFd, &'n OsStr)> {
        let last = name.file_name().ok_or(Errno::INVAL)?;
        Ok((self.directory(name.parent().unwrap_or_else(|| Path::new("")))?, last))
    }

    /// The space's own directory again.
    fn itself(&self) -> io::Result<OwnedFd> {
        Ok(openat(&self.directory, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// A new file of this name in place of whatever had it, with the directories it lies in.
    pub(crate) fn create(&self, name: &Path) -> io::Result<File> {
        let (directory, name) = self.outer(name)?;
        match unlinkat(&directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&directory, name, flags, FRESH)?.into())
    }

    /// The directory of this name, made if it is not there.
    pub(crate) fn directory(&self, name: &Path) -> io::Result<OwnedFd> {
        name.components().try_fold(self.itself()?, |outer, part| {
            let Component::Normal(part) = part else { return Err(Errno::INVAL.into()) };
            match mkdirat(&outer, part, FRESH_DIRECTORY) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            directory_in(&outer, part)
        })
    }

    /// The file of this name, to be read.
    pub(crate) fn read(&self, name: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat2(&self.directory, name, flags, Mode::empty(), unfollowed())?.into())
    }

    pub(crate) fn remove(&self, name: &Path) -> io::Result<()> {
        let (directory, name) = self.outer(name)?;
        Ok(unlinkat(directory, name, AtFlags::empty())?)
    }

    /// A file without a name.
    pub(crate) fn unnamed(&self) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        openat(&self.directory, ".", flags, FRESH)
            .map(File::from)
            .or_else(|_| File::options().write(true).open("/dev/null"))
    }
}

/// Sets the mode of a file, but for the bits that lend rights.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode & PLAIN))
}

fn directory_in(outer: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat2(outer, name, flags, Mode::empty(), unfollowed())?)
}

fn unfollowed() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS
}
