//! The moments that the life of an instance is counted from. Pure, and stored with the instance.

use serde::Serialize;

use crate::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Times {
    /// The time at which it entered its condition.
    pub since: Timestamp,
    /// The end of the first of its tasks in a row that failed and did not stay up.
    pub fails_since: Option<Timestamp>,
    /// The time at which it was launched.
    pub staged_at: Option<Timestamp>,
    /// The time at which it was first running.
    pub started_at: Option<Timestamp>,
}

impl Times {
    /// Of an instance that waits from now on.
    pub(super) fn scheduled(now: Timestamp) -> Times {
        Times { since: now, fails_since: None, staged_at: None, started_at: None }
    }
}
