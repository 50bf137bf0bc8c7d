//! Errors that keep the executor from its work, by the party at fault.

use std::io;
use std::path::PathBuf;

/// Why an executor cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// A variable is missing from the environment; the starter of this process is at fault.
    #[error("the environment variable {name} is missing")]
    MissingVariable {
        /// Its name.
        name: &'static str,
    },
    /// A variable makes no sense; the starter of this process is at fault.
    #[error("the environment variable {name} is {value:?}, which is not {expected}")]
    BadVariable {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// The form it should have.
        expected: &'static str,
    },
    /// The machine: a file of the state directory or the sandbox.
    #[error("cannot {action} {path}")]
    File {
        /// The verb of the attempt.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file an earlier executor wrote does not hold what it should.
    #[error("{path} is damaged: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem with it.
        problem: String,
    },
    /// Another process of the same pool, or of the same executor, lives.
    #[error("another process holds the lock {path}")]
    Taken {
        /// The lock.
        path: PathBuf,
    },
    /// The machine: no engine for the checks.
    #[error("cannot start the check engine")]
    Engine(#[source] io::Error),
}

impl ExecutorError {
    /// An error with a file, to be used with `map_err`.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> ExecutorError {
        let path = path.into();
        move |source| ExecutorError::File { action, path, source }
    }
}
