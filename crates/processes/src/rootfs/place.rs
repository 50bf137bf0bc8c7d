//! Puts one entry into the root file system. In: the root, and what was prepared. Out: the entry in its place.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::{Dev, FileType, Mode, OFlags, fstat, makedev, mkdirat, mknodat, openat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, unmount,
};

use super::inside::{Wanted, find, find_or_make, find_without_links, open, spot};
use super::prepare::{Prepared, Taken, copy_of_open};
use super::{Flags, Kind};
use crate::kernel::mount::set_attributes;

/// The file systems that are wrong anywhere but at their own name: what is masked below them is masked by that.
const FIXED: [&str; 2] = ["proc", "sysfs"];

/// The directory that masks others.
const EMPTY: &str = "empty";

/// Through such a mount a device is still read and written.
const NODE: MountAttrFlags =
    MountAttrFlags::MOUNT_ATTR_RDONLY.union(MountAttrFlags::MOUNT_ATTR_NOSUID).union(MountAttrFlags::MOUNT_ATTR_NOEXEC);

/// The root file system that is being built.
pub(super) struct Builder<'a> {
    root: BorrowedFd<'a>,
    /// False if it is not the container's to make something in.
    makes: bool,
    /// A file system in memory; made when it is wanted.
    memory: Option<OwnedFd>,
    /// The files and nodes in it.
    files: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(root: BorrowedFd<'a>, makes: bool) -> Builder<'a> {
        Builder { root, makes, memory: None, files: 0 }
    }

    pub(super) fn place(&mut self, prepared: &Prepared<'_>) -> io::Result<()> {
        let path = &prepared.entry.path;
        match (&prepared.entry.kind, &prepared.taken) {
            (Kind::FileSystem { name, options, flags }, _) => self.file_system(path, name, options, *flags),
            (Kind::Bind { .. } | Kind::Layers { .. }, Taken::Mount { tree, is_directory }) => {
                let wanted = if *is_directory { Wanted::Directory } else { Wanted::File };
                attach(tree.as_fd(), self.target(path, wanted)?.as_fd())
            }
            (Kind::File { mode, owner, flags, .. }, Taken::Content(content)) => {
                self.file(path, content, *mode, *owner, *flags)
            }
            (Kind::Device { major, minor, mode }, _) => self.device(path, *major, *minor, *mode),
            (Kind::Link(to), _) => self.link(path, to),
            (Kind::Directory { mode, owner }, _) => self.directory(path, *mode, *owner),
            (Kind::Masked, _) => self.mask(path),
            (Kind::ReadOnly, _) => self.lock(path),
            (Kind::Bind { .. } | Kind::Layers { .. } | Kind::File { .. }, _) => {
                Err(io::Error::other("it was not prepared"))
            }
        }
    }

    /// The file system that was out of the way has to go; copies of it stay where they are.
    pub(super) fn finish(self) -> io::Result<()> {
        self.memory.map_or(Ok(()), |memory| Ok(unmount(name(memory.as_fd()), UnmountFlags::DETACH)?))
    }

    fn file_system(
        &self,
        path: &Path,
        name: &str,
        options: &[(String, Option<String>)],
        flags: Flags,
    ) -> io::Result<()> {
        let mount = new_file_system(name, options, flags.attributes())?;
        let mut target = self.target(path, Wanted::Directory)?;
        if FIXED.contains(&name) {
            target = find_without_links(self.root, path)?;
        }
        attach(mount.as_fd(), target.as_fd())
    }

    fn file(&mut self, path: &Path, content: &[u8], mode: u32, owner: (u32, u32), flags: Flags) -> io::Result<()> {
        let name = self.new_name();
        let memory = self.memory()?;
        let create = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let mut file = File::from(openat(memory, &name, create, Mode::RUSR)?);
        file.write_all(content)?;
        fchown(&file, Some(owner.0), Some(owner.1))?;
        file.set_permissions(Permissions::from_mode(mode))?;
        let mount = part(memory, &name, flags.attributes())?;
        attach(mount.as_fd(), self.target(path, Wanted::File)?.as_fd())
    }

    /// A mount of the node alone, since none can be opened in the directory that it comes to lie in.
    fn device(&mut self, path: &Path, major: u32, minor: u32, mode: u32) -> io::Result<()> {
        let mount = self.node(makedev(major, minor), mode)?;
        attach(mount.as_fd(), self.target(path, Wanted::File)?.as_fd())
    }

    /// A new node as a mount of its own, which nobody can give another mode or owner.
    fn node(&mut self, number: Dev, mode: u32) -> io::Result<OwnedFd> {
        let name = self.new_name();
        let memory = self.memory()?;
        mknodat(memory, &name, FileType::CharacterDevice, Mode::from_raw_mode(mode), number)?;
        part(memory, &name, NODE)
    }

    fn link(&self, path: &Path, to: &Path) -> io::Result<()> {
        let spot = spot(self.root, path)?;
        match symlinkat(to, &spot.directory, &spot.name) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn directory(&self, path: &Path, mode: u32, (uid, gid): (u32, u32)) -> io::Result<()> {
        match find(self.root, path) {
            Ok(found) if FileType::from_raw_mode(fstat(&found)?.st_mode) == FileType::Directory => Ok(()),
            Ok(_) => Err(Errno::NOTDIR.into()),
            Err(Errno::NOENT) => {
                let made = self.target(path, Wanted::Directory)?;
                let made = open(made.as_fd(), Path::new("."))?;
                fchown(&made, Some(uid), Some(gid))?;
                made.set_permissions(Permissions::from_mode(mode))
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// A file system in memory. It is out of the way over the host's root, for as long as nothing is looked up that is called
    /// `/`: only what has a place can be copied elsewhere.
    fn memory(&mut self) -> io::Result<BorrowedFd<'_>> {
        if self.memory.is_none() {
            let new =
                new_file_system("tmpfs", &[("mode".to_owned(), Some("0755".to_owned()))], MountAttrFlags::empty())?;
            mkdirat(&new, EMPTY, Mode::from_raw_mode(0o555))?;
            let top = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            attach(new.as_fd(), top.as_fd())?;
            self.memory = Some(new);
        }
        self.memory.as_ref().map(OwnedFd::as_fd).ok_or_else(|| Errno::NOENT.into())
    }

    fn new_name(&mut self) -> String {
        self.files += 1;
        self.files.to_string()
    }

    /// The file that something is mounted on.
    fn target(&self, path: &Path, wanted: Wanted) -> io::Result<OwnedFd> {
        let found = if self.makes { find_or_make(self.root, path, wanted) } else { find(self.root, path) };
        Ok(found?)
    }

    fn mask(&mut self, path: &Path) -> io::Result<()> {
        let Some(target) = self.existing(path)? else { return Ok(()) };
        let is_directory = FileType::from_raw_mode(fstat(&target)?.st_mode) == FileType::Directory;
        let mask = match is_directory {
            true => part(self.memory()?, EMPTY, MountAttrFlags::MOUNT_ATTR_RDONLY)?,
            // Neither the host's, which has to stay as it is, nor the container's, which may be anything.
            false => self.node(makedev(1, 3), 0o666)?,
        };
        attach(mask.as_fd(), target.as_fd())
    }

    fn lock(&self, path: &Path) -> io::Result<()> {
        let Some(target) = self.existing(path)? else { return Ok(()) };
        let mount = copy_of_open(target.as_fd(), true)?;
        set_attributes(mount.as_fd(), true, MountAttrFlags::MOUNT_ATTR_RDONLY, MountPropagationFlags::PRIVATE)?;
        attach(mount.as_fd(), target.as_fd())
    }

    fn existing(&self, path: &Path) -> io::Result<Option<OwnedFd>> {
        match find(self.root, path) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// A file or directory of a file system as a mount of its own.
fn part(of: BorrowedFd<'_>, name: &str, attributes: MountAttrFlags) -> io::Result<OwnedFd> {
    let named = openat(of, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let mount = copy_of_open(named.as_fd(), false)?;
    set_attributes(mount.as_fd(), false, attributes, MountPropagationFlags::PRIVATE)?;
    Ok(mount)
}

fn new_file_system(
    name: &str,
    options: &[(String, Option<String>)],
    attributes: MountAttrFlags,
) -> io::Result<OwnedFd> {
    let new = fsopen(name, FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(new.as_fd(), "source", name)?;
    for (key, value) in options {
        match value {
            Some(value) => fsconfig_set_string(new.as_fd(), key.as_str(), value.as_str())?,
            None => fsconfig_set_flag(new.as_fd(), key.as_str())?,
        }
    }
    fsconfig_create(new.as_fd())?;
    Ok(fsmount(new.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

/// The name by which the kernel finds what a descriptor is of.
pub(super) fn name(of: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", of.as_raw_fd())
}

pub(super) fn attach(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> io::Result<()> {
    let both_open = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(mount, "", target, "", both_open)?)
}
