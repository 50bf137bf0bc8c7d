//! Files and directories of this machine. In: a path and how much may be copied. Out: contents, in a sandbox or in the
//! cache. Neither devices nor pipes, whose contents never end or never come.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::Reason;
use crate::space::{Space, set_mode};

/// The amount that may still be copied.
#[derive(Debug)]
pub(crate) struct Allowance {
    most: u64,
    left: u64,
}

impl Allowance {
    pub(crate) fn new(most: u64) -> Allowance {
        Allowance { most, left: most }
    }

    /// A copy keeps its mode, so that what only some may read stays so.
    pub(crate) fn copy(&mut self, source: &File, target: &mut File) -> Result<(), Reason> {
        let copied = io::copy(&mut source.take(self.left.saturating_add(1)), target)?;
        self.left = self.left.checked_sub(copied).ok_or(Reason::TooLarge { most: self.most })?;
        Ok(set_mode(target, source.metadata()?.permissions().mode())?)
    }

    /// A file, or a directory with everything in it, goes into a space.
    pub(crate) fn take_in(&mut self, from: &Path, space: &Space, name: &Path) -> Result<(), Reason> {
        let source = open(from)?;
        if !source.metadata()?.is_dir() {
            return self.copy(&source, &mut space.create(name)?);
        }
        space.directory(name)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            self.take_in(&entry.path(), space, &name.join(entry.file_name()))?;
        }
        Ok(())
    }
}

/// Opens a file or a directory, and waits for nobody on the other side.
pub(crate) fn open(path: &Path) -> Result<File, Reason> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_dir() {
        return Ok(file);
    }
    Err(Reason::NotAFile(path.to_owned()))
}
