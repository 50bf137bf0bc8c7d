//! What can go wrong with a master as a whole. What is wrong with a request is answered to whoever sent it.

use std::io;
use std::net::SocketAddr;

/// Why a master cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// Somebody else listens there already.
    #[error("address {address} is already in use: is another master running?")]
    PortInUse {
        /// Where the master wanted to listen.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where the master wanted to listen.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The durable state cannot be read or written.
    #[error("the master's durable state failed")]
    Store(#[from] store::StoreError),
    /// An entry of the registry makes no sense.
    #[error("registry entry {key} cannot be read: {reason}")]
    Registry {
        /// The entry's key in the store.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More agents than may be did not come back after a restart. None of them was given up.
    #[error("{0}")]
    AgentRemovalLimit(String),
    /// The machine's time makes no sense.
    #[error(transparent)]
    Clock(#[from] shell::ClockError),
}
