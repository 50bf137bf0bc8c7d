//! What can go wrong so badly that the executor cannot do its work, and who is at fault.

use std::io;
use std::path::PathBuf;

/// Why an executor cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// Whoever started this process left out a variable.
    #[error("the environment variable {name} is missing")]
    MissingVariable {
        /// Its name.
        name: &'static str,
    },
    /// Whoever started this process set a variable to something that makes no sense.
    #[error("the environment variable {name} is {value:?}, which is not {expected}")]
    BadVariable {
        /// Its name.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The machine: a file of the state directory or the sandbox.
    #[error("cannot {action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file an earlier executor wrote does not hold what it should.
    #[error("{path} is damaged: {problem}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
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
