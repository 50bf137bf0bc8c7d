//! The bounds of a program's logs, for whoever starts it and for whoever keeps them.

use serde::{Deserialize, Serialize};

/// The bound of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The length of each file, rounded down to whole blocks of the disk.
    pub bytes: u64,
    /// The number of older files.
    pub files: u32,
}

/// The bounds of a program's output; a log without one grows for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rotations {
    /// The rotation of standard output.
    pub stdout: Option<Rotation>,
    /// The rotation of standard error.
    pub stderr: Option<Rotation>,
}
