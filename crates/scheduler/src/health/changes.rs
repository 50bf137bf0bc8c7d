//! The last changes of the verdicts of an instance's checks, of all its incarnations. Pure, and stored with the instance.

use std::collections::VecDeque;

use checks::Verdict;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The number of changes that are remembered.
const KEPT: usize = 50;

/// A check of an instance that became healthy, or unhealthy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub at: Timestamp,
    /// The incarnation whose task it was.
    pub incarnation: u32,
    /// Its place among the app's health checks.
    pub check: usize,
    #[serde(rename = "alive", with = "health::verdict")]
    pub verdict: Verdict,
    /// The cause, if it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// Oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Changes(VecDeque<Change>);

impl Changes {
    pub(crate) fn remember(&mut self, change: Change) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(change);
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_fifty_are_remembered() {
        let mut changes = Changes::default();
        assert!(changes.is_empty());
        for millis in 0..60 {
            let at = Timestamp::from_millis(millis);
            changes.remember(Change { at, incarnation: 1, check: 0, verdict: Verdict::Healthy, cause: None });
        }
        let kept: Vec<_> = changes.all().map(|change| change.at.millis()).collect();
        assert_eq!(kept, (10..60).collect::<Vec<_>>());
    }
}
