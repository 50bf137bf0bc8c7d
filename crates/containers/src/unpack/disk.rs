//! System calls that make the files of a layer. All paths begin at its root, which is this process' root.
//!
//! Files are replaced by what comes later under their name, but a directory by a directory, which are merged.
//! Parents that are not in the archive are made; those that are links lead where they lead in the layer.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dev, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod, fchown,
    fsetxattr, futimens, linkat, lsetxattr, lstat, major, makedev, minor, mkdir, mknodat, openat, readlinkat, stat,
    symlinkat, unlink, utimensat,
};
use rustix::io::{Errno, Result};

use super::UnpackError;
use super::members::{Kind, Member};

const COPY_BYTES: usize = 256 * 1024;
/// The most links that the kernel follows on one path.
const MOST_LINKS: u8 = 40;
const OPAQUE: &str = "trusted.overlay.opaque";
const CAPABILITY: &[u8] = b"security.capability";
/// Extended attributes that a layer may set; others, such as overlayfs' own, steer this machine.
const ATTRIBUTES: [&[u8]; 4] = [CAPABILITY, b"user.", b"system.posix_acl_access", b"system.posix_acl_default"];
const OVERLAY: &[u8] = b"user.overlay.";

/// Owner, mode and times of an entry.
#[derive(Debug)]
pub(super) struct Metadata {
    owner: (Uid, Gid),
    mode: Mode,
    times: Timestamps,
}

impl Metadata {
    pub(super) fn of(member: &Member) -> Metadata {
        let (user, group) = member.owner;
        let last_access = member.accessed.unwrap_or(member.modified);
        Metadata {
            owner: (Uid::from_raw(user), Gid::from_raw(group)),
            mode: Mode::from_raw_mode(member.mode),
            times: Timestamps { last_access: sane(last_access), last_modification: sane(member.modified) },
        }
    }

    /// The owner first, because a new owner costs a file its setuid bit and its capabilities.
    pub(super) fn apply(&self, path: &Path, member: &Member) -> Result<()> {
        chownat(CWD, path, Some(self.owner.0), Some(self.owner.1), AtFlags::SYMLINK_NOFOLLOW)?;
        if !matches!(member.kind, Kind::Symlink(_)) {
            rustix::fs::chmod(path, self.mode)?;
        }
        attributes(member, |name, value| lsetxattr(path, name, value, XattrFlags::empty()))
    }

    pub(super) fn apply_times(&self, path: &Path) -> Result<()> {
        utimensat(CWD, path, &self.times, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn apply_to(&self, file: &File, member: &Member) -> Result<()> {
        fchown(file, Some(self.owner.0), Some(self.owner.1))?;
        fchmod(file, self.mode)?;
        attributes(member, |name, value| fsetxattr(file, name, value, XattrFlags::empty()))?;
        futimens(file, &self.times)
    }
}

/// The time, without a fraction that the kernel would take for a command.
fn sane(time: Timespec) -> Timespec {
    Timespec { tv_nsec: time.tv_nsec.clamp(0, 999_999_999), ..time }
}

fn attributes(member: &Member, set: impl Fn(&[u8], &[u8]) -> Result<()>) -> Result<()> {
    for (name, value) in member.records.attributes() {
        let allowed = ATTRIBUTES.iter().any(|allowed| name.starts_with(allowed)) && !name.starts_with(OVERLAY);
        match if allowed { set(name, value) } else { Ok(()) } {
            Err(Errno::OPNOTSUPP) if name != CAPABILITY => {}
            other => other?,
        }
    }
    Ok(())
}

/// Makes a file with its data and metadata.
pub(super) fn file(path: &Path, member: &Member, data: &mut impl Read) -> std::result::Result<(), UnpackError> {
    let failed = |errno| UnpackError::disk(&member.name, errno);
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = make(path, || openat(CWD, path, flags, Mode::RUSR | Mode::WUSR)).map_err(failed)?;
    let mut file = File::from(file);
    let written = |error: io::Error| failed(Errno::from_io_error(&error).unwrap_or(Errno::IO));
    match &member.kind {
        Kind::Sparse(sparse) => {
            for (offset, length) in &sparse.segments {
                file.seek(SeekFrom::Start(*offset)).map_err(written)?;
                copy(data, *length, &mut file, written)?;
            }
            file.set_len(sparse.bytes).map_err(written)?;
        }
        Kind::File(bytes) => copy(data, *bytes, &mut file, written)?,
        _ => {}
    }
    Metadata::of(member).apply_to(&file, member).map_err(failed)
}

/// Copies so many bytes. A fault of the archive is told from one of the disk.
fn copy(
    data: &mut impl Read,
    bytes: u64,
    file: &mut File,
    written: impl Fn(io::Error) -> UnpackError,
) -> std::result::Result<(), UnpackError> {
    let mut buffer = vec![0; COPY_BYTES.min(usize::try_from(bytes).unwrap_or(COPY_BYTES))];
    let mut left = bytes;
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let length = data.read(&mut buffer[..most])?;
        file.write_all(&buffer[..length]).map_err(&written)?;
        left -= length as u64;
    }
    Ok(())
}

/// Makes a directory, or keeps the one that is there. One that the layer hid below it before is not merged with it.
pub(super) fn directory(path: &Path) -> Result<()> {
    let create = || mkdir(path, Mode::from_raw_mode(0o755));
    match after_parents(path, create) {
        Err(Errno::EXIST) => {}
        other => return other,
    }
    let there = lstat(path)?;
    if FileType::from_raw_mode(there.st_mode).is_dir() {
        return Ok(());
    }
    unlink(path)?;
    create()?;
    if is_whiteout(&there) { hide_below(path) } else { Ok(()) }
}

pub(super) fn symlink(to: &[u8], path: &Path) -> Result<()> {
    make(path, || symlinkat(to, CWD, path))
}

/// Gives the file `to` another name.
pub(super) fn link(to: &Path, path: &Path) -> Result<()> {
    let there = lstat(to)?;
    if lstat(path).is_ok_and(|path| (path.st_dev, path.st_ino) == (there.st_dev, there.st_ino)) {
        return Ok(());
    }
    make(path, || linkat(CWD, to, CWD, path, AtFlags::empty()))
}

/// Makes a device or a FIFO.
pub(super) fn node(path: &Path, member: &Member) -> Result<()> {
    let (kind, device) = match member.kind {
        Kind::CharacterDevice(major, minor) => (FileType::CharacterDevice, makedev(major, minor)),
        Kind::BlockDevice(major, minor) => (FileType::BlockDevice, makedev(major, minor)),
        _ => (FileType::Fifo, 0),
    };
    make(path, || mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, device))
}

/// Hides the file of this name in layers below. One of this layer hides it anyway; a directory has to be told to.
pub(super) fn hide(path: &Path) -> Result<()> {
    let nothing: Dev = makedev(0, 0);
    match after_parents(path, || mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), nothing)) {
        Err(Errno::EXIST) if FileType::from_raw_mode(lstat(path)?.st_mode).is_dir() => hide_below(path),
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}

/// Hides what the directory has in layers below.
pub(super) fn hide_below(path: &Path) -> Result<()> {
    lsetxattr(path, OPAQUE, b"y", XattrFlags::empty())
}

fn is_whiteout(stat: &rustix::fs::Stat) -> bool {
    let none = (major(stat.st_rdev), minor(stat.st_rdev)) == (0, 0);
    FileType::from_raw_mode(stat.st_mode).is_char_device() && none
}

/// Creates what must not be there: its parents first, and in place of what has its name.
fn make<T>(path: &Path, create: impl Fn() -> Result<T>) -> Result<T> {
    match after_parents(path, &create) {
        Err(Errno::EXIST) => {
            remove(path)?;
            create()
        }
        other => other,
    }
}

fn after_parents<T>(path: &Path, create: impl Fn() -> Result<T>) -> Result<T> {
    match create() {
        Err(Errno::NOENT) => {
            parents(path)?;
            create()
        }
        other => other,
    }
}

fn remove(path: &Path) -> Result<()> {
    match unlink(path) {
        Err(Errno::ISDIR) => {
            processes::remove_tree(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        }
        other => other,
    }
}

/// Makes the directories that lead to a path.
pub(super) fn parents(path: &Path) -> Result<()> {
    make_parents(path, MOST_LINKS)
}

fn make_parents(path: &Path, links: u8) -> Result<()> {
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.into_iter().rev().try_for_each(|directory| make_directory(directory, links))
}

fn make_directory(path: &Path, links: u8) -> Result<()> {
    match mkdir(path, Mode::from_raw_mode(0o755)) {
        Err(Errno::EXIST) if matches!(stat(path), Err(Errno::NOENT)) => {
            // A link to a directory that no entry has made so far.
            let links = links.checked_sub(1).ok_or(Errno::LOOP)?;
            let to = readlinkat(CWD, path, Vec::new())?;
            let to = resolved(path, Path::new(std::ffi::OsStr::from_bytes(to.as_bytes())));
            make_parents(&to, links)?;
            make_directory(&to, links)
        }
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}

/// The place that a link at `path` leads to.
fn resolved(path: &Path, to: &Path) -> PathBuf {
    path.parent().unwrap_or(path).join(to)
}
