//! All that an entry takes from the host, opened before anything is changed: afterwards paths may lead elsewhere, and a
//! mount that spreads has to be copied while it is still connected.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, fstat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, open_tree,
};

use super::inside::{Wanted, find_or_make};
use super::place::name;
use super::{Content, Entry, Flags, Kind, Propagation, RootfsError};
use crate::file::read_file;
use crate::kernel::mount::set_attributes;

/// The most that a file in memory may have: it counts as memory, and nobody would see why it is gone.
const LARGEST: u64 = 16 << 20;

/// An entry, with what it takes from the host.
pub(super) struct Prepared<'a> {
    pub(super) entry: &'a Entry,
    pub(super) taken: Taken,
}

/// The things that entries take from the host.
pub(super) enum Taken {
    Nothing,
    /// A copy of a mount, in no place yet.
    Mount {
        tree: OwnedFd,
        is_directory: bool,
    },
    Content(Vec<u8>),
}

pub(super) fn prepare(entry: &Entry) -> Result<Prepared<'_>, RootfsError> {
    let taken = match &entry.kind {
        Kind::Bind { from, within, recursive, propagation, flags } => {
            let copy = match within {
                Some(within) => copy_from_within(within, from, *recursive),
                None => copy_of_mount(from, *recursive),
            };
            let ready = copy.and_then(|tree| ready(tree, *recursive, *propagation, *flags));
            ready.map_err(|cause| RootfsError::source(from, entry, cause))?
        }
        Kind::Layers { lower, flags } => {
            let tree = layers(lower).and_then(|tree| ready(tree, false, Propagation::Private, *flags));
            let topmost = lower.first().map_or_else(|| Path::new(""), PathBuf::as_path);
            tree.map_err(|cause| RootfsError::source(topmost, entry, cause))?
        }
        Kind::File { content: Content::Of(path), .. } => {
            read_file(path, LARGEST).map(Taken::Content).map_err(|cause| RootfsError::source(path, entry, cause))?
        }
        Kind::File { content: Content::Text(text), .. } => Taken::Content(text.clone().into_bytes()),
        Kind::File { content: Content::Bytes(bytes), .. } => Taken::Content(bytes.clone()),
        _ => Taken::Nothing,
    };
    Ok(Prepared { entry, taken })
}

fn ready(tree: OwnedFd, recursive: bool, propagation: Propagation, flags: Flags) -> io::Result<Taken> {
    set_attributes(tree.as_fd(), recursive, flags.attributes(), propagation.flags())?;
    let is_directory = FileType::from_raw_mode(fstat(&tree)?.st_mode) == FileType::Directory;
    Ok(Taken::Mount { tree, is_directory })
}

/// Directories over each other. The kernel lays only two or more, each given by itself since Linux 6.5; what is written
/// in none of them is refused.
fn layers(lower: &[PathBuf]) -> io::Result<OwnedFd> {
    if let [only] = lower {
        return copy_of_mount(only, false);
    }
    let new = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for directory in lower.iter().map(File::open) {
        let directory = directory?;
        fsconfig_set_string(new.as_fd(), "lowerdir+", name(directory.as_fd()).as_str())?;
    }
    fsconfig_create(new.as_fd())?;
    Ok(fsmount(new.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_RDONLY)?)
}

/// The file or directory at this path of the host as a mount of its own.
pub(crate) fn copy_of_mount(path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    copy(CWD, path, recursive)
}

fn copy_from_within(directory: &Path, path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    let directory = File::open(directory)?;
    let found = find_or_make(directory.as_fd(), path, Wanted::Directory)?;
    copy_of_open(found.as_fd(), recursive)
}

/// As [`copy_of_mount`], of what this descriptor names.
pub(super) fn copy_of_open(of: BorrowedFd<'_>, recursive: bool) -> io::Result<OwnedFd> {
    copy(of, Path::new(""), recursive)
}

fn copy(at: BorrowedFd<'_>, path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    let mut how = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    how.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    how.set(OpenTreeFlags::AT_EMPTY_PATH, path.as_os_str().is_empty());
    Ok(open_tree(at, path, how)?)
}

impl Flags {
    pub(super) fn attributes(self) -> MountAttrFlags {
        let mut attributes = MountAttrFlags::empty();
        attributes.set(MountAttrFlags::MOUNT_ATTR_RDONLY, self.read_only);
        attributes.set(MountAttrFlags::MOUNT_ATTR_NOSUID, self.nosuid);
        attributes.set(MountAttrFlags::MOUNT_ATTR_NODEV, self.nodev);
        attributes.set(MountAttrFlags::MOUNT_ATTR_NOEXEC, self.noexec);
        attributes
    }
}

impl Propagation {
    pub(super) fn flags(self) -> MountPropagationFlags {
        match self {
            Propagation::Private => MountPropagationFlags::PRIVATE,
            Propagation::Slave => MountPropagationFlags::DOWNSTREAM,
            Propagation::Shared => MountPropagationFlags::SHARED,
        }
    }
}
