//! One file, link or device of an image, with all that belongs to it.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, SeekFrom, Stat, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod,
    fchown, fsetxattr, futimens, ioctl_ficlone, lgetxattr, llistxattr, lsetxattr, mknodat, openat, readlinkat, seek,
    symlinkat, utimensat,
};
use rustix::io::{Errno, Result};

use super::CopyError;

const COPY_BYTES: usize = 1 << 20;
/// The most bytes of the names of attributes, and of each: the kernel's.
const MOST_ATTRIBUTES: usize = 64 << 10;
/// The beginning of the attributes that steer this machine, such as overlayfs' own.
const MACHINES: &[u8] = b"trusted.";
/// The attribute by which a program has capabilities.
const CAPABILITIES: &[u8] = b"security.capability";

/// The attribute that has the list of those who may use a file.
const ACCESS: &[u8] = b"system.posix_acl_access";

/// The things that belong to a file beside its content.
#[derive(Debug)]
pub(super) struct Metadata {
    owner: (Uid, Gid),
    mode: Mode,
    times: Timestamps,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Metadata {
    pub(super) fn read(directory: BorrowedFd<'_>, name: &CStr, status: &Stat) -> Result<Metadata> {
        let time = |seconds, nanoseconds: u64| Timespec { tv_sec: seconds, tv_nsec: nanoseconds.cast_signed() };
        let last_access = time(status.st_atime, status.st_atime_nsec);
        let last_modification = time(status.st_mtime, status.st_mtime_nsec);
        Ok(Metadata {
            owner: (Uid::from_raw(status.st_uid), Gid::from_raw(status.st_gid)),
            mode: Mode::from_raw_mode(status.st_mode),
            times: Timestamps { last_access, last_modification },
            attributes: attributes(&place(directory, name))?,
        })
    }

    /// The owner first, because a new owner costs a file its setuid bit and its capabilities.
    pub(super) fn apply(&self, to: &OwnedFd) -> Result<()> {
        fchown(to, Some(self.owner.0), Some(self.owner.1))?;
        fchmod(to, self.mode)?;
        self.set_attributes(|name, value| fsetxattr(to, name, value, XattrFlags::empty()))?;
        futimens(to, &self.times)
    }

    /// The same for what cannot be opened.
    fn apply_at(&self, directory: BorrowedFd<'_>, name: &CStr, is_link: bool) -> Result<()> {
        let itself = AtFlags::SYMLINK_NOFOLLOW;
        chownat(directory, name, Some(self.owner.0), Some(self.owner.1), itself)?;
        let path = place(directory, name);
        if !is_link {
            // Nobody else is here who could make it a link now.
            rustix::fs::chmod(&path, self.mode)?;
        }
        self.set_attributes(|name, value| lsetxattr(&path, name, value, XattrFlags::empty()))?;
        utimensat(directory, name, &self.times, itself)
    }

    /// A file system that has none of a kind does without them, but for what a program may do, and for lists of those who may
    /// use a file: without them the group would have the rights of all who are on the list.
    fn set_attributes(&self, set: impl Fn(&[u8], &[u8]) -> Result<()>) -> Result<()> {
        self.attributes.iter().try_for_each(|(name, value)| match set(name, value) {
            Err(Errno::OPNOTSUPP) if name != CAPABILITIES && name != ACCESS => Ok(()),
            set => set,
        })
    }
}

/// Copies what has this name to a directory that has no such name yet. `copied` hears of bytes, and may stop it.
pub(super) fn copy(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    status: &Stat,
    copied: &dyn Fn(u64) -> std::result::Result<(), CopyError>,
    path: &Path,
) -> std::result::Result<(), CopyError> {
    let failed = CopyError::at(path);
    let metadata = Metadata::read(from, name, status).map_err(&failed)?;
    let kind = FileType::from_raw_mode(status.st_mode);
    match kind {
        FileType::RegularFile => {
            let (source, target) = open(from, to, name).map_err(&failed)?;
            content(&source, &target, copied).map_err(|stop| stop.at(path))?;
            return metadata.apply(&target.into()).map_err(failed);
        }
        FileType::Symlink => readlinkat(from, name, Vec::new()).and_then(|link| symlinkat(&link, to, name)),
        kind => mknodat(to, name, kind, Mode::RUSR | Mode::WUSR, status.st_rdev),
    }
    .and_then(|()| metadata.apply_at(to, name, kind.is_symlink()))
    .map_err(failed)
}

/// The way to a name by its directory's descriptor, for calls that take no directory.
fn place(directory: BorrowedFd<'_>, name: &CStr) -> PathBuf {
    Path::new(&format!("/proc/self/fd/{}", directory.as_raw_fd())).join(OsStr::from_bytes(name.to_bytes()))
}

fn attributes(path: &Path) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut names = vec![0; MOST_ATTRIBUTES];
    let length = match llistxattr(path, &mut names[..]) {
        Err(Errno::OPNOTSUPP) => 0,
        length => length?,
    };
    let names = names[..length].split(|byte| *byte == 0);
    names.filter(|name| !name.is_empty() && !name.starts_with(MACHINES)).map(|name| attribute(path, name)).collect()
}

fn attribute(path: &Path, name: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut value = vec![0; MOST_ATTRIBUTES];
    let length = lgetxattr(path, name, &mut value[..])?;
    value.truncate(length);
    Ok((name.to_vec(), value))
}

fn open(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr) -> Result<(File, File)> {
    let source = openat(from, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let new = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok((source.into(), openat(to, name, new, Mode::RUSR | Mode::WUSR)?.into()))
}

/// Why the content of a file was not copied.
enum Stop {
    Disk(io::Error),
    Stopped(CopyError),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Disk(error)
    }
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Stop {
        Stop::Disk(errno.into())
    }
}

impl Stop {
    fn at(self, path: &Path) -> CopyError {
        match self {
            Stop::Disk(cause) => CopyError::Disk { path: Path::new("/").join(path), cause },
            Stop::Stopped(error) => error,
        }
    }
}

/// The bytes of a file; its holes stay holes. File systems that can let both share their blocks.
fn content(
    source: &File,
    target: &File,
    copied: &dyn Fn(u64) -> std::result::Result<(), CopyError>,
) -> std::result::Result<(), Stop> {
    let length = source.metadata()?.len();
    if ioctl_ficlone(target.as_fd(), source.as_fd()).is_ok() {
        return copied(length).map_err(Stop::Stopped);
    }
    target.set_len(length)?;
    let mut buffer = vec![0; COPY_BYTES.min(usize::try_from(length).unwrap_or(COPY_BYTES))];
    let mut at = 0;
    while at < length {
        let (begin, end) = match segment(source, at) {
            Err(Errno::NXIO) => break,
            segment => segment?,
        };
        at = begin;
        while at < end.min(length) {
            let most = buffer.len().min(usize::try_from(end - at).unwrap_or(buffer.len()));
            let read = source.read_at(&mut buffer[..most], at)?;
            if read == 0 {
                return Err(Stop::Disk(io::ErrorKind::UnexpectedEof.into()));
            }
            target.write_all_at(&buffer[..read], at)?;
            at += read as u64;
            copied(read as u64).map_err(Stop::Stopped)?;
        }
    }
    Ok(())
}

/// The next bytes of a file that are no hole: where they begin, and where they end.
fn segment(file: &File, from: u64) -> Result<(u64, u64)> {
    let begin = seek(file, SeekFrom::Data(from))?;
    Ok((begin, seek(file, SeekFrom::Hole(begin))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_that_cannot_be_had_is_left_out_but_for_capabilities() {
        let set = |name: &[u8], errno| {
            let none = Timespec { tv_sec: 0, tv_nsec: 0 };
            let metadata = Metadata {
                owner: (Uid::ROOT, Gid::ROOT),
                mode: Mode::RWXU,
                times: Timestamps { last_access: none, last_modification: none },
                attributes: vec![(name.to_vec(), Vec::new())],
            };
            metadata.set_attributes(|_, _| Err(errno))
        };
        assert_eq!(set(b"user.comment", Errno::OPNOTSUPP), Ok(()));
        assert_eq!(set(b"user.comment", Errno::NOSPC), Err(Errno::NOSPC));
        assert_eq!(set(CAPABILITIES, Errno::OPNOTSUPP), Err(Errno::OPNOTSUPP));
        assert_eq!(set(ACCESS, Errno::OPNOTSUPP), Err(Errno::OPNOTSUPP));
    }
}
