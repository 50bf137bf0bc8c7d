//! Reasons for which a container does not get what it needs.

use std::io;

use tokio::task::JoinError;

use crate::networks::NetworkFault;

/// Why a container does not get what it needs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvisionError {
    /// What is ready cannot be written down for the executor.
    #[error("cannot write down what was made ready for task '{task}': {source}")]
    Write { task: String, source: io::Error },
    /// Its networks.
    #[error(transparent)]
    Network(#[from] NetworkFault),
    /// Nobody waits for it any more.
    #[error("the run is over")]
    Over,
    /// A thread of ours panicked.
    #[error("{0}")]
    Panicked(#[from] JoinError),
}
