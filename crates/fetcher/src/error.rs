//! Why something is not in its sandbox.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use mesos::checksum::{BadChecksum, Checksum};
use urls::UrlError;

/// Names the URI and what is wrong with it, or with getting it.
#[derive(Debug, thiserror::Error)]
#[error("Failed to fetch '{uri}': {reason}")]
pub struct FetchError {
    /// The URI that was to be fetched.
    pub uri: String,
    /// Why it was not.
    pub reason: Reason,
}

/// A reason for a failed fetch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The URI or one of its options makes no sense, or is of a kind that is not supported.
    #[error(transparent)]
    Uri(#[from] BadUri),
    /// A directory is no one thing that could be kept.
    #[error("a directory cannot be cached: leave 'cache' out")]
    DirectoryCached,
    /// A directory is no one thing that could be compared.
    #[error("a directory has no checksum: leave 'checksum' out, or name an archive")]
    DirectoryChecksum,
    /// Something whose contents never end or never come.
    #[error("{} is neither a file nor a directory", .0.display())]
    NotAFile(PathBuf),
    /// A file cannot be read or written.
    #[error("{0}")]
    File(#[from] io::Error),
    /// The server, or the way to it.
    #[error("{0}")]
    Http(String),
    /// There is more of it than is fetched.
    #[error(
        "it has more than {most} bytes, the most that is fetched here (an option of the agent, '--fetcher-download-megabytes')"
    )]
    TooLarge {
        /// The bound.
        most: u64,
    },
    /// It is not what was meant.
    #[error(
        "its checksum is {found}, but {expected} was asked for: fetch it by hand and compare, then correct \
             'checksum' or what is served there"
    )]
    Checksum {
        /// The one in the task's definition.
        expected: Checksum,
        /// The one it has.
        found: Checksum,
    },
    /// The archive cannot be unpacked.
    #[error("cannot extract it: {0}")]
    Archive(String),
    /// It was fetched for the cache, which failed.
    #[error("{0}")]
    Shared(Arc<Reason>),
    /// This program ends.
    #[error("the fetcher is shutting down")]
    ShutDown,
}

/// A URI that cannot be fetched, whatever is there.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadUri {
    /// It would mean something else to a shell.
    #[error("a URI must not contain backslashes, quotes or null characters")]
    Characters,
    /// A path that depends on a working directory.
    #[error("a path must be absolute: /path or file:///path")]
    Relative,
    /// A way to fetch that is not known here.
    #[error("'{0}' is not supported; files of this machine, http and https are")]
    Scheme(String),
    /// It cannot be read.
    #[error("this is no URL: {0}")]
    Url(UrlError),
    /// There is nothing to call the file by.
    #[error("Malformed URI (missing path)")]
    NoName,
    /// The file would lie outside the sandbox, or nowhere.
    #[error("'output_file' must be a relative path within the sandbox, not '{0}'")]
    OutputFile(String),
    /// The checksum is of no known kind.
    #[error(transparent)]
    Checksum(#[from] BadChecksum),
}
