//! Why a scheduler cannot start, or go on.

use std::io;

use store::StoreError;

/// See the variants.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The port cannot be listened on.
    #[error(transparent)]
    Bind(#[from] shell::BindError),
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
        /// The value that was given.
        url: String,
        /// The problem with it.
        problem: String,
    },
    /// The machine's: no check engine.
    #[error(transparent)]
    Engine(#[from] checks::EngineError),
    /// The machine's: the server ended.
    #[error("the API server failed: {0}")]
    Serve(io::Error),
}
