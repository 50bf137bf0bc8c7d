//! Why something is not in its sandbox.

use std::io;

use mesos::checksum::Checksum;

/// Names the URI and what is wrong with it, or with getting it.
#[derive(Debug, thiserror::Error)]
#[error("Failed to fetch '{uri}': {reason}")]
pub struct FetchError {
    /// What was to be fetched.
    pub uri: String,
    /// Why it was not.
    pub reason: Reason,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The URI or one of its options makes no sense, or is of a kind that is not supported.
    #[error("{0}")]
    Unsupported(String),
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
        /// What the task's definition says.
        expected: Checksum,
        /// What it is.
        found: Checksum,
    },
    /// The archive cannot be unpacked.
    #[error("cannot extract it: {0}")]
    Archive(String),
    /// Somebody else fetched it for the cache, and failed.
    #[error("{0}")]
    Shared(String),
}
