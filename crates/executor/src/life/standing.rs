//! The standing of one check, in memory and on file. Pure.
//!
//! In: what the engine says of the check. Out: whether that is worth writing down, and where the engine of the next
//! process goes on.

use checks::verdict::Recent;
use checks::{Event, Outcome, Start, Verdict, VerdictState};
use health::Kind;
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use crate::clock::Moment;

/// The state of one check of a task, the only one in this process beside the engine's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    check: u64,
    /// The time at which it began, in whichever process that was.
    began: Moment,
    #[serde(flatten, with = "StateOnFile")]
    state: VerdictState,
    /// Of the last attempt that was reported.
    #[serde(default)]
    finding: Option<Finding>,
    /// Failures that did not count, because it was in its grace period.
    #[serde(default)]
    forgiven_failures: u32,
    #[serde(skip)]
    is_unsaved: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "VerdictState")]
struct StateOnFile {
    initializing: bool,
    consecutive_failures: u32,
    consecutive_successes: u32,
    #[serde(rename = "healthy", with = "health::verdict")]
    verdict: Verdict,
    #[serde(flatten, with = "RecentOnFile")]
    recent: Recent,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Recent")]
struct RecentOnFile {
    #[serde(rename = "recently_failed", default)]
    failed: u64,
    #[serde(rename = "recently_seen", default)]
    seen: u32,
}

impl Standing {
    pub(crate) fn fresh(kind: Kind, now: Moment) -> Standing {
        Standing {
            check: kind.id(),
            began: now,
            state: VerdictState::default(),
            finding: None,
            forgiven_failures: 0,
            is_unsaved: false,
        }
    }

    /// The check it is about.
    pub(crate) fn kind(&self) -> Kind {
        Kind::of(self.check)
    }

    /// The start of a check that an earlier process began.
    pub(crate) fn start(&self, now: Moment) -> Start {
        Start::Recovered { state: self.state, age: now.since(self.began) }
    }

    pub(super) fn state(&self) -> &VerdictState {
        &self.state
    }

    pub(super) fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }

    /// Failures that did not count so far.
    pub(super) fn forgiven_failures(&self) -> u32 {
        self.forgiven_failures
    }

    /// Takes in an attempt: how the check stands by it, the failures that did not count, and what it found, if that is to be
    /// told. Returns whether it is to be reported: always if it is news of the verdict, and if `explained`,
    /// every failure, and whatever is of another kind than what was reported last.
    pub(crate) fn take(&mut self, event: &Event, explained: bool) -> bool {
        let mark = |state: &VerdictState| (state.initializing, state.consecutive_failures, state.verdict);
        let failed = matches!(event.outcome, Outcome::Failure(_));
        let before = std::mem::replace(&mut self.state, event.state);
        self.is_unsaved |= mark(&before) != mark(&event.state);
        if failed && event.state.consecutive_failures == before.consecutive_failures {
            self.forgiven_failures = self.forgiven_failures.saturating_add(1);
        } else if !event.state.initializing {
            self.forgiven_failures = 0;
        }
        let is_told = event.verdict.is_some() || (explained && (failed || self.is_of_another_kind(event)));
        if is_told {
            let known = self.finding.as_ref().filter(|_| before.verdict == event.state.verdict);
            self.finding = Some(Finding::of(event, known.map(|known| known.since)));
            self.is_unsaved = true;
        }
        is_told
    }

    fn is_of_another_kind(&self, event: &Event) -> bool {
        self.finding.as_ref().is_none_or(|finding| finding.kind != event.outcome.kind().as_str())
    }

    /// True if the next process has to know of something that was not saved; from now on it was.
    pub(crate) fn saved(&mut self) -> bool {
        std::mem::take(&mut self.is_unsaved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As written by the first executors, by later ones, and by this one.
    const FILES: [&str; 2] = [
        r#"{"check": 1, "began": {"secs": 5, "nanos": 0}, "initializing": false, "consecutive_failures": 2,
            "consecutive_successes": 0, "healthy": false, "attempts": []}"#,
        r#"{"check": 1, "began": {"secs": 5, "nanos": 0}, "initializing": false, "consecutive_failures": 2,
            "consecutive_successes": 0, "healthy": false, "recently_failed": 3, "recently_seen": 4,
            "finding": {"kind": "refused", "cause": "connection refused", "since": 7.0},
            "attempts": [{"at_ms": 1, "took_us": 2, "success": null, "cause": "x"}]}"#,
    ];

    #[test]
    fn the_file_of_any_executor_is_read_and_keeps_its_shape_but_for_past_attempts() {
        for (file, seen) in FILES.into_iter().zip([0, 4]) {
            let standing: Standing = serde_json::from_str(file).unwrap();
            let state = standing.state();
            assert_eq!((state.verdict, state.consecutive_failures, state.recent.seen), (Verdict::Unhealthy, 2, seen));
            let written = serde_json::to_value(&standing).unwrap();
            let read: serde_json::Value = serde_json::from_str(file).unwrap();
            for (name, value) in read.as_object().unwrap().iter().filter(|(name, _)| *name != "attempts") {
                let is_kept = match value {
                    serde_json::Value::Object(fields) => {
                        fields.iter().all(|(field, value)| written[name][field] == *value)
                    }
                    value => written[name] == *value,
                };
                assert!(is_kept, "{name}: {written}");
            }
        }
    }
}
