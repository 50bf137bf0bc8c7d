//! The older files of a log: `stdout.1` is the youngest, `stdout.2` was before that.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};

use crate::program::directory as open;

/// The older files of a log.
#[derive(Debug)]
pub(super) struct Older {
    directory: File,
    name: OsString,
    files: u32,
}

impl Older {
    /// The older files of the log at this path, at most so many.
    pub(super) fn of(log: &Path, files: u32) -> io::Result<Older> {
        let (Some(parent), Some(name)) = (log.parent(), log.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        Ok(Older { directory: open(parent)?, name: name.to_owned(), files })
    }

    pub(super) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Makes a file of what is read, of the log's owner, which is the youngest from now on.
    pub(super) fn push(&self, mut content: impl Read, log: &Metadata) -> io::Result<()> {
        if self.files == 0 {
            return Ok(());
        }
        // Makes room for it.
        self.remove(&self.numbered(self.files));
        let new = self.unfinished();
        self.remove(&new);
        let filled = self.create(&new).and_then(|mut file| {
            fchown(&file, Some(log.uid()), Some(log.gid()))?;
            io::copy(&mut content, &mut file)
        });
        let pushed = filled.and_then(|_| {
            self.shift();
            Ok(renameat(&self.directory, &new, &self.directory, self.numbered(1))?)
        });
        pushed.inspect_err(|_| self.remove(&new))
    }

    /// Of what cannot make way, the program has made something else than a file.
    fn shift(&self) {
        for number in (1..self.files).rev() {
            let (from, to) = (self.numbered(number), self.numbered(number + 1));
            if renameat(&self.directory, &from, &self.directory, &to).is_err() {
                self.remove(&from);
            }
        }
    }

    fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        Ok(openat(&self.directory, name, flags, mode)?.into())
    }

    fn remove(&self, name: &OsStr) {
        let _not_there = unlinkat(&self.directory, name, AtFlags::empty());
    }

    fn numbered(&self, number: u32) -> OsString {
        let mut name = self.name.clone();
        name.push(format!(".{number}"));
        name
    }

    fn unfinished(&self) -> OsString {
        let mut name = OsString::from(".");
        name.push(&self.name);
        name.push(".new");
        name
    }
}
