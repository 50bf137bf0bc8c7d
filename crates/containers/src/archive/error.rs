//! Reason an image cannot be had from a file.

use std::io;
use std::path::PathBuf;

use crate::image::ManifestError;
use crate::store::StoreError;

/// Reason an image cannot be had from a file.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The operator's directory is not there.
    #[error("there is no directory {directory}, where image {reference} is looked for")]
    NoDirectory {
        /// The image.
        reference: String,
        /// The operator's directory.
        directory: PathBuf,
    },
    /// None of the names that it might have is there.
    #[error("there is no image {reference} in {directory}, such as {}", tried.join(" or "))]
    NotFound {
        /// The image.
        reference: String,
        /// The operator's directory.
        directory: PathBuf,
        /// Names in it that were looked for, without those of other forms.
        tried: Vec<String>,
    },
    /// The file is there, and of no use.
    #[error("the image {path} cannot be used: {why}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: Reason,
    },
}

/// Reason a file with an image is of no use.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A file in it that it speaks of is not there.
    #[error("'{0}' is not in it")]
    Missing(String),
    /// It has too much in it.
    #[error("it has more than {most} {what}")]
    TooLarge {
        /// The thing that it has too much of.
        what: &'static str,
        /// The most there may be.
        most: u64,
    },
    /// Its manifest is wrong, or is for another machine.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It has other images.
    #[error("it has {offered}, not {wanted}")]
    OtherImage {
        /// The image that was asked for.
        wanted: String,
        /// The images that it has.
        offered: String,
    },
    /// Its documents contradict each other.
    #[error("its configuration has {config} layers, its manifest {manifest}")]
    Layers {
        /// The number in its configuration.
        config: usize,
        /// The number in its manifest.
        manifest: usize,
    },
    /// A document in it is not the one that its digest means.
    #[error("'{0}' in it has another digest")]
    Digest(String),
    /// The store cannot take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
