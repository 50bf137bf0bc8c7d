//! Errors of a master as a whole. What is wrong with a request is answered to whoever sent it.

/// Why a master cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// The port cannot be listened on.
    #[error(transparent)]
    Bind(#[from] shell::BindError),
    /// The durable state cannot be read or written.
    #[error("the master's durable state failed")]
    Store(#[from] store::StoreError),
    /// An entry of the registry makes no sense.
    #[error("registry entry {key} cannot be read: {reason}")]
    Registry {
        /// The entry's key in the store.
        key: String,
        /// The fault in it.
        reason: String,
    },
    /// More agents than may be did not come back after a restart. None of them was given up.
    #[error("{0}")]
    AgentRemovalLimit(String),
    /// The machine's time makes no sense.
    #[error(transparent)]
    Clock(#[from] shell::ClockError),
}
