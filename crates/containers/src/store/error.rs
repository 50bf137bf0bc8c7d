//! Why the store cannot do what it is asked for.

use std::io;
use std::path::{Path, PathBuf};

use crate::image::Digest;
use crate::unpack::UnpackError;

/// Why the store cannot do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the image store {0} is in use by another process")]
    Taken(PathBuf),
    /// The disk does not do what it is asked for.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// The thing to do.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file of the store is damaged.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The configuration of an image cannot be read; its maker is at fault.
    #[error("the image's configuration cannot be read: {0}")]
    Config(String),
    /// A layer cannot be unpacked.
    #[error("layer {layer}: {source}")]
    Unpack {
        /// The layer, by its digest without compression.
        layer: Digest,
        /// The reason.
        source: UnpackError,
    },
    /// A layer's archive has something else than the image's configuration says.
    #[error("layer {expected} is not what came: that has the digest {found}")]
    Digest {
        /// The digest that the configuration has, without compression.
        expected: Digest,
        /// The digest of what came.
        found: Digest,
    },
    /// A pull is over before all its layers are here.
    #[error("layer {0} of the image is not here")]
    Missing(Digest),
}

/// Adds to an error what was to be done, and where.
pub(super) trait At<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Io { what, path: path.to_owned(), source: error.into() })
    }
}

/// Says in the log what is left as it is.
pub(super) fn tell(error: &StoreError) {
    tracing::warn!("image store: {error}");
}
