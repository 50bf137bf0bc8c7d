//! Removal of what others have made, however deep it is. In: a path. Out: nothing is there any more, or the first error, after
//! everything else was removed.
//!
//! The content of a directory of the top is moved up, round after round, so that neither the depth of the whole nor
//! the length of its paths matters: it takes four descriptors and a constant amount of memory. No link is followed, and
//! nothing that is mounted is entered.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, ResolveFlags, chmod, openat, openat2, renameat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// The room for names that are read at once.
const NAMES: usize = 8 << 10;

/// The names that were taken by somebody else, after which no other is tried.
const TAKEN: u64 = 10_000;

/// The directory that is emptied.
struct Top {
    directory: OwnedFd,
    /// The names given so far to what was moved here.
    given: u64,
    /// True if something was removed or moved in this round.
    moved: bool,
    /// The first thing in this round that stays.
    left: Option<Errno>,
}

/// Removes a file, a link or a directory with all that is in it.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let name = path.file_name().ok_or(Errno::INVAL)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = openat(CWD, parent, flags, Mode::empty())?;
    remove_tree_in(parent.as_fd(), &CString::new(name.as_bytes())?)
}

/// As [`remove_tree`], of what has this name in a directory.
pub fn remove_tree_in(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Err(Errno::ISDIR) => {}
        removed => return Ok(removed?),
    }
    // Whoever names it wants it emptied, even if it cannot go itself because something is mounted there.
    let directory = open(parent, name, ResolveFlags::NO_SYMLINKS)?;
    let mut top = Top { directory, given: 0, moved: false, left: None };
    top.empty()?;
    Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

impl Top {
    /// Rounds, for as long as one gets on.
    fn empty(&mut self) -> io::Result<()> {
        loop {
            (self.moved, self.left) = (false, None);
            let again = openat(&self.directory, c".", DIRECTORY, Mode::empty())?;
            each_name(again.as_fd(), |name| self.take(name))?;
            match (self.moved, self.left) {
                (true, _) => {}
                (false, None) => return Ok(()),
                (false, Some(errno)) => return Err(errno.into()),
            }
        }
    }

    /// Removes what has this name at the top, and moves what lies in it up.
    fn take(&mut self, name: &CStr) {
        let taken = match unlinkat(&self.directory, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => self.take_directory(name),
            removed => removed,
        };
        self.note(taken);
    }

    fn take_directory(&mut self, name: &CStr) -> Result<(), Errno> {
        match unlinkat(&self.directory, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            removed => return removed,
        }
        let directory = open(self.directory.as_fd(), name, HERE)?;
        each_name(directory.as_fd(), |inner| {
            let lifted = self.lift(directory.as_fd(), inner);
            self.note(lifted);
        })?;
        unlinkat(&self.directory, name, AtFlags::REMOVEDIR)
    }

    /// Removes what has this name in a directory, or moves it up.
    fn lift(&mut self, from: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
        match unlinkat(from, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => {}
            removed => return removed,
        }
        if !geteuid().is_root() {
            // Its own entry for what is above it changes. If it cannot, the move says so.
            let _unlocked = unlock(from, name, HERE);
        }
        let last = self.given + TAKEN;
        while self.given < last {
            self.given += 1;
            let fresh = format!(".gone-{}", self.given);
            match renameat(from, name, &self.directory, fresh.as_str()) {
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                moved => return moved,
            }
        }
        Err(Errno::EXIST)
    }

    fn note(&mut self, done: Result<(), Errno>) {
        match done {
            Ok(()) => self.moved = true,
            Err(Errno::NOENT) => {}
            Err(errno) => self.left = self.left.or(Some(errno)),
        }
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The directory of this name, such that this process may change it.
fn open(parent: BorrowedFd<'_>, name: &CStr, how: ResolveFlags) -> Result<OwnedFd, Errno> {
    if !geteuid().is_root() {
        let _unlocked = unlock(parent, name, how);
    }
    openat2(parent, name, DIRECTORY, Mode::empty(), how)
}

/// Nothing that is mounted, and no link.
const HERE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_XDEV);

/// Lets the owner of a directory do everything.
fn unlock(parent: BorrowedFd<'_>, name: &CStr, how: ResolveFlags) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = openat2(parent, name, flags, Mode::empty(), how)?;
    chmod(format!("/proc/self/fd/{}", directory.as_raw_fd()), Mode::RWXU)
}

fn each_name(directory: BorrowedFd<'_>, mut each: impl FnMut(&CStr)) -> Result<(), Errno> {
    let mut room = [MaybeUninit::uninit(); NAMES];
    let mut entries = RawDir::new(directory, &mut room);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if ![c".", c".."].contains(&entry.file_name()) {
            each(entry.file_name());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
