//! What is printed of attempts and of their sum, for people and for scripts, and the exit code.

use std::process::ExitCode;

use checks::{Event, Outcome, Verdict};
use serde_json::json;

const HEALTHY: u8 = 0;
const UNHEALTHY: u8 = 1;

/// The command line makes no sense, or names what is not there.
pub(super) const WRONG_USAGE: u8 = 2;

/// The attempts say nothing, or there were none.
pub(super) const NOT_KNOWN: u8 = 3;

/// What the attempts add up to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub attempts: u32,
    failures: u32,
    verdict: Verdict,
}

impl Tally {
    pub(super) fn add(&mut self, event: &Event) {
        self.attempts += 1;
        self.failures += u32::from(matches!(event.outcome, Outcome::Failure(_)));
        self.verdict = event.state.verdict;
    }

    fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Healthy => "healthy",
            Verdict::Unhealthy => "unhealthy",
            Verdict::Unknown => "unknown",
        }
    }

    pub(super) fn text(&self) -> String {
        format!("{}: {} of {} attempts failed", self.word(), self.failures, self.attempts)
    }

    pub(super) fn json(&self) -> String {
        json!({"verdict": self.word(), "attempts": self.attempts, "failures": self.failures}).to_string()
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.verdict {
            Verdict::Healthy => HEALTHY,
            Verdict::Unhealthy => UNHEALTHY,
            Verdict::Unknown => NOT_KNOWN,
        })
    }
}

fn outcome(event: &Event) -> &'static str {
    match event.outcome {
        Outcome::Success(_) => "success",
        Outcome::Failure(_) => "failure",
        Outcome::Inconclusive(_) => "inconclusive",
    }
}

pub(super) fn attempt_text(number: u32, event: &Event) -> String {
    let milliseconds = event.duration.as_secs_f64() * 1000.0;
    let output = output(event).map(|output| format!("\n{}", output.trim_end())).unwrap_or_default();
    format!("{number}. {}: {} ({milliseconds:.1} ms){output}", outcome(event), event.outcome.cause())
}

pub(super) fn attempt_json(event: &Event) -> String {
    json!({"outcome": outcome(event), "cause": event.outcome.cause(), "durationSeconds": event.duration.as_secs_f64(),
        "httpStatus": event.outcome.http_status(), "exitCode": event.outcome.exit_code(),
        "connected": event.outcome.connected(), "output": output(event)})
    .to_string()
}

/// The end of what a command printed before it failed.
fn output(event: &Event) -> Option<&str> {
    match &event.outcome {
        Outcome::Failure(failure) => failure.output(),
        Outcome::Success(_) | Outcome::Inconclusive(_) => None,
    }
}
