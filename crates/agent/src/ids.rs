//! Names of things inside the agent, and which of the outside's names may become part of a path.

use mesos::v1::{ExecutorId, FrameworkId, TaskId};

/// A task of a framework: two frameworks may use the same task id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TaskKey {
    pub(crate) framework: FrameworkId,
    pub(crate) task: TaskId,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ExecutorKey {
    pub(crate) framework: FrameworkId,
    pub(crate) executor: ExecutorId,
}

/// One event stream that the agent answers on, made by the HTTP side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StreamId(pub(crate) u64);

/// The longest name of a file on any Linux file system.
const LONGEST_NAME: usize = 255;

/// Why an id cannot name a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} '{value}' cannot name a directory: {reason}")]
pub(crate) struct BadId {
    what: &'static str,
    value: String,
    reason: &'static str,
}

/// Refuses ids that would lead out of the directory they are to name.
pub(crate) fn check_path_component(what: &'static str, value: &str) -> Result<(), BadId> {
    let reason = match value {
        "" => "it is empty",
        "." | ".." => "it has a meaning of its own",
        value if value.contains('/') => "it contains '/'",
        value if value.chars().any(char::is_control) => "it contains control characters",
        value if value.len() > LONGEST_NAME => "it is too long",
        _ => return Ok(()),
    };
    Err(BadId { what, value: value.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_directories() {
        for good in ["web.1234", "a b", "...", "-x", &"n".repeat(255)] {
            assert_eq!(check_path_component("id", good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "../up", "nul\0", "line\n", &"n".repeat(256)] {
            assert!(check_path_component("id", bad).is_err(), "{bad:?}");
        }
    }
}
