//! The parent's side of unpacking.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;

use processes::{Session, Spawn};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};

use super::{Bounds, UnpackError, Unpacked};

/// The most bytes of a child's answer.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Unpacks `length` bytes of a file, from its position on, into an empty directory. `command` is the program and its
/// first arguments that, given those added here, run [`super::main`]. To be called on a thread that may block.
pub fn run(
    command: &[String],
    archive: &File,
    length: u64,
    directory: &Path,
    bounds: Bounds,
) -> Result<Unpacked, UnpackError> {
    let (answer, theirs) = pipe_with(PipeFlags::CLOEXEC).map_err(UnpackError::cannot_start)?;
    let numbers = [length, bounds.bytes, bounds.entries].map(|number| number.to_string());
    let child = Spawn {
        path: command.first().map(Into::into).unwrap_or_default(),
        argv: command.iter().cloned().chain(numbers).collect(),
        directories: vec![directory.to_owned()],
        streams: [Some(archive.as_fd()), Some(theirs.as_fd()), None],
        session: Session::Own,
        parent_death_signal: Some(Signal::KILL),
        ..Spawn::default()
    };
    let child = child.start().map_err(UnpackError::cannot_start)?;
    drop(theirs);
    let mut said = Vec::new();
    let read = File::from(answer).take(LONGEST_ANSWER).read_to_end(&mut said);
    // Its status says nothing that it did not say itself.
    let _status = waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED);
    let answer = read.ok().and_then(|_| serde_json::from_slice(&said).ok());
    answer.unwrap_or(Err(UnpackError::Killed))
}
