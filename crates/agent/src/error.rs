//! Errors of an agent as a whole. An error of a request is answered to its sender.

use std::io;
use std::path::{Path, PathBuf};

/// Why an agent cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The port cannot be listened on.
    #[error(transparent)]
    Bind(#[from] shell::BindError),
    /// An option makes no sense.
    #[error("option '{name}': {reason}")]
    Option {
        /// The option.
        name: &'static str,
        /// The fault of its value.
        reason: String,
    },
    /// The work directory cannot be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The operation that failed.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The durable state cannot be read or written.
    #[error("the agent's durable state failed")]
    Store(#[from] store::StoreError),
    /// An entry of the durable state makes no sense.
    #[error("entry {key} of the agent's durable state cannot be read: {reason}")]
    Damaged {
        /// The entry's key in the store.
        key: String,
        /// The fault of the entry.
        reason: String,
    },
    /// The machine's time makes no sense.
    #[error(transparent)]
    Clock(#[from] shell::ClockError),
    /// The master does not want this agent any more.
    #[error("the master told this agent to shut down: {message}")]
    TurnedAway {
        /// The master's message.
        message: String,
    },
}

impl AgentError {
    /// For `map_err` on a file operation.
    pub(crate) fn file(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> AgentError {
        let path = path.as_ref().to_owned();
        move |source| AgentError::File { action, path, source }
    }
}
