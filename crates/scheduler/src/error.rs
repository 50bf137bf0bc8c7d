//! Why a scheduler cannot start, or go on.

use std::io;
use std::net::SocketAddr;

use store::StoreError;

/// See the variants.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The operator's: another process listens there.
    #[error("port {} is in use: nobody else may listen on {address}", address.port())]
    PortInUse {
        /// Where we were to listen.
        address: SocketAddr,
    },
    /// The machine's: listening failed otherwise.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where we were to listen.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The machine's: its time makes no sense.
    #[error(transparent)]
    Clock(#[from] shell::ClockError),
    /// The store's: reading or writing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store's: what is in it was not written by us.
    #[error("{0}")]
    Record(String),
    /// The operator's: events cannot be posted there.
    #[error("no events can be posted to {url}: {problem}")]
    Callback {
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The machine's: no check engine.
    #[error(transparent)]
    Engine(#[from] checks::EngineError),
    /// The machine's: the server ended.
    #[error("the API server failed: {0}")]
    Serve(io::Error),
}
