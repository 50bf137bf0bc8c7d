//! Unpacking of a layer: a child process that has nothing but the archive and the empty directory it is locked into.
//!
//! ```text
//!   run      the parent's side: starts the child, waits, takes its answer
//!   stream   the archive as it was before compression, counted and hashed
//!   members  entries of the archive, with their long names, extended headers and sparse maps
//!   name     places that names mean, and whiteouts
//!   layer    an entry after the other, made in the directory
//!   disk     system calls that make them
//! ```
//!
//! In: the archive as standard input; plain, gzip or Zstandard. Out: a tree as overlayfs wants a lower layer to be, and
//! one JSON document on standard output. The child changes its root first, so that links inside the layer mean what they
//! mean in a container and nothing outside can be named. It holds a lock on the directory for its whole life and dies
//! with the thread that started it; what it leaves when it fails is its parent's to remove. It forces nothing to disk.
//!
//! A layer may have device nodes and programs that are setuid: nobody but root may be able to walk to its directory.

mod disk;
mod error;
#[cfg(any(feature = "fuzzing", test))]
#[doc(hidden)]
pub mod fuzzing;
mod layer;
mod members;
mod name;
mod pax;
mod run;
mod sparse;
mod stream;

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::process::ExitCode;

use rustix::fs::{FlockOperation, Mode, flock};
use rustix::process::{chdir, chroot, umask};
use serde::{Deserialize, Serialize};

pub use self::error::UnpackError;
pub use self::run::run;
pub use self::stream::{compression, decoded};
use crate::image::Digest;

/// The bytes read from the archive at a time.
const READ_BYTES: usize = 256 * 1024;

/// The most that a layer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the archive without compression, and bytes of all its files.
    pub bytes: u64,
    /// Entries of the archive.
    pub entries: u64,
}

/// A layer that was unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// The digest of the archive without compression, by which configurations of images name it.
    pub diff_id: Digest,
    /// The bytes of its files.
    pub bytes: u64,
    /// Its entries.
    pub entries: u64,
}

impl Default for Bounds {
    /// More than any image that is of use: 64 GiB, two million entries.
    fn default() -> Bounds {
        Bounds { bytes: 64 << 30, entries: 2_000_000 }
    }
}

/// The whole life of a child that unpacks its standard input into its working directory; the arguments are those that
/// [`run`] gives it.
pub fn main(arguments: &[String]) -> ExitCode {
    let result = read_arguments(arguments).and_then(|(length, bounds)| {
        let _lock = enter()?;
        let input = rustix::stdio::stdin().try_clone_to_owned().map_err(UnpackError::cannot_start)?;
        layer::unpack(BufReader::with_capacity(READ_BYTES, File::from(input).take(length)), bounds)
    });
    let answer = serde_json::to_vec(&result).unwrap_or_default();
    match io::stdout().write_all(&answer) {
        Ok(()) if result.is_ok() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn read_arguments(arguments: &[String]) -> Result<(u64, Bounds), UnpackError> {
    let numbers: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    match numbers[..] {
        [length, bytes, entries] => Ok((length, Bounds { bytes, entries })),
        _ => Err(UnpackError::NotStarted("three numbers are needed: length, bytes, entries".to_owned())),
    }
}

/// Makes the working directory the root of all that this process can name.
fn enter() -> Result<File, UnpackError> {
    let directory = File::open(".").map_err(UnpackError::cannot_start)?;
    flock(&directory, FlockOperation::LockExclusive).map_err(UnpackError::cannot_start)?;
    chroot(".").map_err(|errno| match errno {
        rustix::io::Errno::PERM => UnpackError::NotStarted("only root can unpack images".to_owned()),
        other => UnpackError::cannot_start(other),
    })?;
    chdir("/").map_err(UnpackError::cannot_start)?;
    umask(Mode::empty());
    Ok(directory)
}
