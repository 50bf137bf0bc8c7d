//! The reasons for which a file system cannot be built.

use std::io;
use std::path::{Path, PathBuf};

use super::{Content, Entry, Kind, Root};

/// A file system that cannot be built: which part of it, and why.
#[derive(Debug, thiserror::Error)]
pub enum RootfsError {
    /// The files that it begins with.
    #[error("Cannot make the container's root file system of {of}: {cause}")]
    Root {
        /// The layers or the directory.
        of: String,
        /// The kernel's word.
        cause: io::Error,
    },
    /// Something that comes from the host.
    #[error("Cannot open '{}', which the container is to have at '{}': {cause}", source_path.display(), target.display())]
    Source {
        /// Its path on the host.
        source_path: PathBuf,
        /// Its place in the container.
        target: PathBuf,
        /// The kernel's word.
        cause: io::Error,
    },
    /// Something in the container.
    #[error("Cannot put {thing} at the container's '{}': {cause}", target.display())]
    Entry {
        /// The thing, in words.
        thing: String,
        /// Its place in the container.
        target: PathBuf,
        /// The kernel's word.
        cause: io::Error,
    },
    /// The step from the host's file system into the container's.
    #[error("Cannot enter the container's root file system: {0}")]
    Enter(io::Error),
}

impl RootfsError {
    pub(super) fn root(root: &Root, cause: io::Error) -> RootfsError {
        let of = match root {
            Root::Directory(path) | Root::Tree(path) => format!("'{}'", path.display()),
            Root::Overlay { lower, upper, .. } => {
                format!("{} layers and '{}'", lower.len(), upper.display())
            }
        };
        RootfsError::Root { of, cause }
    }

    pub(super) fn source(source: &Path, entry: &Entry, cause: io::Error) -> RootfsError {
        RootfsError::Source { source_path: source.to_owned(), target: entry.path.clone(), cause }
    }

    pub(super) fn entry(entry: &Entry, cause: io::Error) -> RootfsError {
        RootfsError::Entry { thing: entry.kind.in_words(), target: entry.path.clone(), cause }
    }
}

impl Kind {
    fn in_words(&self) -> String {
        match self {
            Kind::FileSystem { name, .. } => format!("a {name} file system"),
            Kind::Bind { from, .. } => format!("the host's '{}'", from.display()),
            Kind::File { content: Content::Of(path), .. } => format!("a copy of '{}'", path.display()),
            Kind::Layers { lower, .. } => format!("{} layers", lower.len()),
            Kind::File { content: Content::Text(_) | Content::Bytes(_), .. } => "a file".to_owned(),
            Kind::Device { major, minor, .. } => format!("the device {major}:{minor}"),
            Kind::Link(to) => format!("a link to '{}'", to.display()),
            Kind::Directory { .. } => "a directory".to_owned(),
            Kind::Masked => "a mask".to_owned(),
            Kind::ReadOnly => "a read-only mount".to_owned(),
        }
    }
}
