//! The ways in which a copy fails.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why an image was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The machine: a layer cannot be read, or its copy not be written.
    #[error("cannot copy '{}' of the image: {cause}", path.display())]
    Disk {
        /// The path in the image.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
    /// Somebody wanted it to end.
    #[error("the copy of the image was stopped")]
    Stopped,
}

impl CopyError {
    pub(super) fn at(path: &Path) -> impl Fn(Errno) -> CopyError {
        move |errno| CopyError::Disk { path: Path::new("/").join(path), cause: errno.into() }
    }
}
