//! The faults between us and a daemon: each names its socket.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// Nobody listens, or the connection broke.
    #[error("The Docker daemon at {} cannot be reached: {source}", socket.display())]
    Unreachable {
        /// The daemon's socket.
        socket: PathBuf,
        /// The kernel's word.
        source: io::Error,
    },
    /// It is there, and says nothing.
    #[error("The Docker daemon at {} has not answered within {after:?}", socket.display())]
    Silent {
        /// The daemon's socket.
        socket: PathBuf,
        /// The time it had.
        after: Duration,
    },
    /// It says no.
    #[error("The Docker daemon at {} said: {said}", socket.display())]
    Refused {
        /// The daemon's socket.
        socket: PathBuf,
        /// The status of HTTP; 200 for an error in the middle of an answer.
        status: u16,
        /// The daemon's message.
        said: String,
    },
    /// Its answer is none.
    #[error("The answer of the Docker daemon at {} makes no sense: {problem}", socket.display())]
    Nonsense {
        /// The daemon's socket.
        socket: PathBuf,
        /// Why.
        problem: String,
    },
}

impl DockerError {
    /// True if the daemon has answered: asking again changes nothing.
    pub fn is_final(&self) -> bool {
        matches!(self, DockerError::Refused { status, .. } if *status < 500)
    }
}
