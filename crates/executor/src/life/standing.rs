//! The standing of one check, in memory and on file. Pure.
//!
//! In: what the engine says of the check. Out: whether that is worth writing down, and where the engine of the next
//! process goes on.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use checks::verdict::Recent;
use checks::{Event, Outcome, Start, Verdict, VerdictState};
use health::Kind;
use serde::{Deserialize, Serialize};

use crate::clock::Moment;

/// The number of attempts that are remembered.
const REMEMBERED: usize = 32;

/// The state of one check of a task, the only one in this process beside the engine's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    check: u64,
    /// The time at which it began, in whichever process that was.
    began: Moment,
    #[serde(flatten, with = "StateOnFile")]
    state: VerdictState,
    /// As after the last attempt that changed something.
    #[serde(default)]
    finding: Option<Finding>,
    /// Oldest first.
    attempts: VecDeque<Attempt>,
    #[serde(skip)]
    is_unsaved: bool,
}

/// The last finding of a check, and since when its verdict stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub kind: String,
    pub cause: String,
    /// Seconds since 1970.
    pub since: f64,
}

/// One attempt, in few bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Attempt {
    /// The time at which it began, in milliseconds since 1970.
    at_ms: u64,
    /// Its duration, in microseconds.
    took_us: u32,
    /// The verdict of this attempt alone; unknown if it says nothing about the task.
    #[serde(rename = "success", with = "health::verdict")]
    verdict: Verdict,
    /// Why it failed, for people; empty for a success.
    cause: Box<str>,
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
        let (state, attempts) = (VerdictState::default(), VecDeque::new());
        Standing { check: kind.id(), began: now, state, finding: None, attempts, is_unsaved: false }
    }

    /// Which check it is about.
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

    /// Takes in an attempt.
    pub(crate) fn take(&mut self, event: &Event) {
        let mark = |state: &VerdictState| (state.initializing, state.consecutive_failures, state.verdict);
        self.is_unsaved |= mark(&self.state) != mark(&event.state);
        if event.verdict.is_some() {
            let known = self.finding.as_ref().filter(|_| self.state.verdict == event.state.verdict);
            let since = known.map_or_else(|| since_epoch(event.at).as_secs_f64(), |known| known.since);
            let kind = event.outcome.kind().as_str().to_owned();
            self.finding = Some(Finding { kind, cause: event.outcome.cause(), since });
        }
        self.state = event.state;
        if self.attempts.len() >= REMEMBERED {
            self.attempts.pop_front();
        }
        self.attempts.push_back(Attempt::of(event));
    }

    /// True if the next process has to know of something that was not saved; from now on it was.
    pub(crate) fn saved(&mut self) -> bool {
        std::mem::take(&mut self.is_unsaved)
    }
}

impl Attempt {
    fn of(event: &Event) -> Attempt {
        let (verdict, cause) = match &event.outcome {
            Outcome::Success(_) => (Verdict::Healthy, String::new()),
            Outcome::Failure(_) => (Verdict::Unhealthy, event.outcome.cause()),
            Outcome::Inconclusive(_) => (Verdict::Unknown, event.outcome.cause()),
        };
        Attempt {
            at_ms: u64::try_from(since_epoch(event.started).as_millis()).unwrap_or(u64::MAX),
            took_us: u32::try_from(event.duration.as_micros()).unwrap_or(u32::MAX),
            verdict,
            cause: cause.into_boxed_str(),
        }
    }
}

/// A machine whose clock is set to before 1970 is in 1970.
fn since_epoch(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
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
    fn the_file_of_any_executor_is_read_and_keeps_its_shape() {
        for (file, seen) in FILES.into_iter().zip([0, 4]) {
            let standing: Standing = serde_json::from_str(file).unwrap();
            let state = standing.state();
            assert_eq!((state.verdict, state.consecutive_failures, state.recent.seen), (Verdict::Unhealthy, 2, seen));
            let written = serde_json::to_value(&standing).unwrap();
            let read: serde_json::Value = serde_json::from_str(file).unwrap();
            let is_kept = |(name, value): (&String, &serde_json::Value)| written.get(name) == Some(value);
            assert!(read.as_object().unwrap().iter().all(is_kept), "{written}");
        }
    }
}
