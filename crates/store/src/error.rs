//! The errors of a store, and whose fault they are.

use std::path::PathBuf;

/// Why a store could not be opened, read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The operator's: two processes were pointed at one file.
    #[error("{} is in use by another process: stop it, or choose another work directory", path.display())]
    InUse {
        /// The file both want.
        path: PathBuf,
    },
    /// The machine's: the file cannot be opened, or is not a store.
    #[error("cannot open the store {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The words of the operating system or the database.
        reason: String,
    },
    /// The machine's: the file is gone or empty, although there was a store, and no other part has what it knew.
    #[error(
        "the store {0} is gone or empty, although there was one: put it back, or remove {0}.seen to begin without what \
         it knew",
        path.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
    },
    /// The machine's: reading or writing failed. Nothing of the batch is there.
    #[error("cannot {action} the store: {reason}")]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The words of the database.
        reason: String,
    },
    /// Ours: the thread behind the store has ended.
    #[error("the store has been closed")]
    Closed,
}
