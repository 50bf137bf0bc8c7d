//! The bound of a program's output: a log that has grown too long hands its beginning over to older files beside it,
//! `stdout.1` the youngest of them, as logrotate(8) names them.
//!
//! In: a log that somebody else appends to, for ever. Out: the same log, shorter, and the older files. The beginning is
//! copied, and then taken away from the log by the kernel in one step that appending writers wait for (ext4, XFS): no
//! byte is lost, or comes twice. Killed between the two, the beginning is in both. Elsewhere the whole log is copied
//! and emptied, and what is written in between is lost.
//!
//! The bound comes first: what cannot be copied, on a full disk perhaps, or because the program has put a directory in
//! the way, is dropped. All is done by descriptors of the log and of its directory: what the program does to their names
//! leads nowhere else.

mod cut;
mod log;
mod older;
mod pace;
mod writer;

use std::io;
use std::path::Path;

pub(crate) use self::log::Log;
pub(crate) use self::pace::Pace;
pub use self::writer::LogWriter;
use crate::log_bounds::Rotation;
use crate::program::append;

/// Cuts the log at this path if it is too long, whoever appends to it.
pub fn keep_short(path: &Path, bound: Rotation) -> io::Result<()> {
    match path.symlink_metadata()?.len() > bound.bytes {
        true => Log::new(&append(path)?, path, bound)?.rotate(),
        false => Ok(()),
    }
}
