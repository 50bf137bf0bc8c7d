//! A sandbox that is being filled. Names are looked up below it and no link is followed, whoever made it: what lies
//! there belongs to a task, and this process may be root.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2, unlinkat};
use rustix::io::Errno;

/// The bits of a mode that are kept: none of those that lend a program its owner's rights.
const PLAIN: u32 = 0o777;

/// A file before it has its mode.
const FRESH: Mode = Mode::RUSR.union(Mode::WUSR);

/// See the module's words.
#[derive(Debug)]
pub(crate) struct Room {
    directory: OwnedFd,
}

impl Room {
    pub(crate) fn open(sandbox: &Path) -> io::Result<Room> {
        let directory = File::options().read(true).custom_flags(OFlags::DIRECTORY.bits() as i32).open(sandbox)?;
        Ok(Room { directory: directory.into() })
    }

    /// The room's own directory again.
    fn itself(&self) -> io::Result<OwnedFd> {
        Ok(openat(&self.directory, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// A new file of this name in place of whatever had it, with the directories it lies in.
    pub(crate) fn create(&self, name: &Path) -> io::Result<File> {
        let directory = self.directory(name.parent().unwrap_or_else(|| Path::new("")))?;
        let name = name.file_name().ok_or(Errno::INVAL)?;
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
            match mkdirat(&outer, part, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok(openat2(&outer, part, flags, Mode::empty(), unfollowed())?)
        })
    }

    /// What has this name, to be read.
    pub(crate) fn read(&self, name: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(openat2(&self.directory, name, flags, Mode::empty(), unfollowed())?.into())
    }

    pub(crate) fn remove(&self, name: &Path) -> io::Result<()> {
        let directory = self.directory(name.parent().unwrap_or_else(|| Path::new("")))?;
        Ok(unlinkat(directory, name.file_name().ok_or(Errno::INVAL)?, AtFlags::empty())?)
    }

    /// A file without a name.
    pub(crate) fn unnamed(&self) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        openat(&self.directory, ".", flags, FRESH)
            .map(File::from)
            .or_else(|_| File::options().write(true).open("/dev/null"))
    }

    /// A file or a whole directory of this machine.
    pub(crate) fn take_in(&self, from: &Path, name: &Path) -> io::Result<()> {
        let mut source = File::open(from)?;
        if !source.metadata()?.is_dir() {
            return self.copy(&mut source, name);
        }
        self.directory(name)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            self.take_in(&entry.path(), &name.join(entry.file_name()))?;
        }
        Ok(())
    }

    /// A copy keeps its mode, so that what only some may read stays so.
    pub(crate) fn copy(&self, source: &mut File, name: &Path) -> io::Result<()> {
        let mut target = self.create(name)?;
        io::copy(source, &mut target)?;
        set_mode(&target, source.metadata()?.permissions().mode())
    }
}

/// Sets the mode of a file, but for the bits that lend rights.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode & PLAIN))
}

fn unfollowed() -> ResolveFlags {
    ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS
}
