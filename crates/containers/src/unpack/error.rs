//! Why a layer cannot be unpacked. Made by the child, read by its parent.

use std::io;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// The most bytes of a name that are told.
const TOLD: usize = 200;

/// Why a layer cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum UnpackError {
    /// It is cut off, damaged, or no archive; its maker, or who carried it here, is at fault.
    #[error("the archive cannot be read: {0}")]
    Archive(String),
    /// It has something that cannot be, such as a name that leaves it; its maker is at fault.
    #[error("the archive's entry '{name}' cannot be unpacked: {why}")]
    Entry {
        /// The entry, as far as it can be shown.
        name: String,
        /// The reason.
        why: String,
    },
    /// It is larger than anybody's.
    #[error("the archive has more than {most} {what} when it is unpacked")]
    TooLarge {
        /// Bytes or entries.
        what: String,
        /// The most there may be.
        most: u64,
    },
    /// The disk has no room for it.
    #[error("there is no space left on the disk for '{name}'")]
    Full {
        /// The entry that did not fit.
        name: String,
    },
    /// The process that was to unpack it did not start to; this machine is at fault.
    #[error("unpacking cannot start: {0}")]
    NotStarted(String),
    /// The process that unpacked it was killed.
    #[error("the process that unpacks ended before it was done")]
    Killed,
}

impl UnpackError {
    pub(super) fn cannot_start(error: impl Into<io::Error>) -> UnpackError {
        UnpackError::NotStarted(error.into().to_string())
    }

    /// The entry of this name cannot be.
    pub(super) fn entry(name: &[u8], why: impl Into<String>) -> UnpackError {
        UnpackError::Entry { name: told(name), why: why.into() }
    }

    /// The error for the kernel's answer to the making of this entry.
    pub(super) fn disk(name: &[u8], errno: Errno) -> UnpackError {
        match errno {
            Errno::NOSPC | Errno::DQUOT => UnpackError::Full { name: told(name) },
            other => UnpackError::entry(name, io::Error::from(other).to_string()),
        }
    }
}

impl From<io::Error> for UnpackError {
    /// A failure to read the archive, in which the reader may have hidden one of these.
    fn from(error: io::Error) -> UnpackError {
        error.downcast().unwrap_or_else(|error| UnpackError::Archive(error.to_string()))
    }
}

/// A name that fits into one line.
fn told(name: &[u8]) -> String {
    name[..name.len().min(TOLD)].escape_ascii().to_string()
}
