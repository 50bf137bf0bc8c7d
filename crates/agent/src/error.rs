//! What can go wrong with an agent as a whole. What is wrong with a request is answered to whoever sent it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why an agent cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// Somebody else listens there already.
    #[error("address {address} is already in use: is another agent running on port {}?", address.port())]
    PortInUse {
        /// Where the agent wanted to listen.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where the agent wanted to listen.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// An option makes no sense.
    #[error("option '{name}': {reason}")]
    Option {
        /// The option.
        name: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// The work directory cannot be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
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
        /// What is wrong with it.
        reason: String,
    },
    /// The machine's time makes no sense.
    #[error(transparent)]
    Clock(#[from] shell::ClockError),
    /// The master does not want this agent any more.
    #[error("the master told this agent to shut down: {message}")]
    TurnedAway {
        /// What the master said.
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
