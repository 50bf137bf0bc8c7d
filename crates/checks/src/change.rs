//! The news in the raw result of a general check: Mesos reports it only when it differs from the previous one.
//!
//! In: what an attempt found. Out: the result to report, or nothing. An attempt without a result (it timed out, the
//! command could not start) is an empty result, and the empty result is what everybody starts from; one that says
//! nothing about the task is no result at all. Pure.

use crate::outcome::{Outcome, Reason};
use crate::spec::Probe;

/// The raw result of a general check, empty if the last attempt had none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CheckResult {
    /// Of an HTTP probe.
    Http {
        /// The final status.
        status_code: Option<u16>,
    },
    /// Of a TCP probe.
    Tcp {
        /// True if the port was listened on.
        succeeded: Option<bool>,
    },
    /// Of a command.
    Command {
        /// 0 to 255.
        exit_code: Option<i32>,
    },
}

impl CheckResult {
    /// The result before the first attempt.
    pub fn empty(probe: &Probe) -> CheckResult {
        match probe {
            Probe::Http(_) | Probe::Grpc(_) => CheckResult::Http { status_code: None },
            Probe::Tcp(_) | Probe::Listen(_) | Probe::Exchange(_) => CheckResult::Tcp { succeeded: None },
            Probe::Command(_) => CheckResult::Command { exit_code: None },
            Probe::AnyAddress(probes) => {
                probes.first().map_or(CheckResult::Tcp { succeeded: None }, CheckResult::empty)
            }
        }
    }

    fn updated(self, outcome: &Outcome) -> CheckResult {
        match self {
            CheckResult::Http { .. } => CheckResult::Http { status_code: outcome.http_status() },
            CheckResult::Tcp { .. } => CheckResult::Tcp { succeeded: outcome.connected() },
            CheckResult::Command { .. } => CheckResult::Command { exit_code: outcome.exit_code() },
        }
    }
}

/// The result that was reported last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous(CheckResult);

impl Previous {
    /// Before the first attempt: the empty result, which its owner has reported in its own way.
    pub fn empty(probe: &Probe) -> Previous {
        Previous(CheckResult::empty(probe))
    }

    /// Goes on from a result that was reported earlier.
    pub fn reported(result: CheckResult) -> Previous {
        Previous(result)
    }

    /// The result to report, if it is news.
    pub fn take(&mut self, outcome: &Outcome) -> Option<CheckResult> {
        if matches!(outcome, Outcome::Inconclusive(reason) if !matches!(reason, Reason::IgnoredStatus(_))) {
            return None;
        }
        let result = self.0.updated(outcome);
        let news = result != self.0;
        self.0 = result;
        news.then_some(result)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::{Answer, Failure};
    use crate::spec::HttpProbe;

    fn timed_out() -> Outcome {
        Outcome::Failure(Failure::TimedOut { after: Duration::from_secs(1), output: String::new() })
    }

    #[test]
    fn a_check_that_only_errs_is_silent() {
        let mut previous = Previous::empty(&Probe::Http(HttpProbe::default()));
        let refused = Outcome::Failure(Failure::Refused);
        assert_eq!(previous.take(&refused), None);
        assert_eq!(previous.take(&timed_out()), None);
    }

    #[test]
    fn every_other_status_is_news_and_so_is_its_loss() {
        let mut previous = Previous::empty(&Probe::Http(HttpProbe::default()));
        let status = |code| Some(CheckResult::Http { status_code: code });
        assert_eq!(previous.take(&Outcome::Success(Answer::Status(200))), status(Some(200)));
        assert_eq!(previous.take(&Outcome::Success(Answer::Status(200))), None);
        assert_eq!(previous.take(&Outcome::Success(Answer::Status(202))), status(Some(202)));
        assert_eq!(previous.take(&Outcome::Failure(Failure::Status(500))), status(Some(500)));
        assert_eq!(previous.take(&timed_out()), status(None));
        assert_eq!(previous.take(&timed_out()), None);
    }

    #[test]
    fn a_closed_port_is_said_once_and_a_late_engine_never() {
        let mut previous = Previous::reported(CheckResult::Tcp { succeeded: None });
        let refused = Outcome::Failure(Failure::Refused);
        assert_eq!(previous.take(&refused), Some(CheckResult::Tcp { succeeded: Some(false) }));
        assert_eq!(previous.take(&refused), None);
        let late = Outcome::Inconclusive(Reason::EngineLate { lost: Duration::from_secs(1) });
        assert_eq!(previous.take(&late), None);
        assert_eq!(previous.take(&refused), None);
    }
}
