//! The report of attempts and of their sum, for people and for scripts, and the exit code.

use std::process::ExitCode;
use std::time::Duration;

use checks::{CheckReport, Event, Outcome, Phases, Verdict};
use serde_json::json;

const HEALTHY: u8 = 0;
const UNHEALTHY: u8 = 1;

/// The command line makes no sense, or names what is not there.
pub(super) const WRONG_USAGE: u8 = 2;

/// The attempts say nothing, or there were none.
pub(super) const NOT_KNOWN: u8 = 3;

/// The sum of the attempts.
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

    /// The time they took is worth saying only of several.
    pub(super) fn text(&self, report: &CheckReport) -> String {
        let sum = format!("{}: {} of {} attempts failed", self.verdict.as_str(), self.failures, self.attempts);
        match (report.p50, report.p99) {
            (Some(p50), Some(p99)) if self.attempts > 1 => {
                format!("{sum}; half of them took up to {:.1} ms, 99 % up to {:.1} ms", ms(p50), ms(p99))
            }
            _ => sum,
        }
    }

    pub(super) fn json(&self, report: &CheckReport) -> String {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        json!({"verdict": self.verdict.as_str(), "attempts": self.attempts, "failures": self.failures,
            "p50Seconds": seconds(report.p50), "p99Seconds": seconds(report.p99)})
        .to_string()
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
    let output = event.words().map(|output| format!("\n{}", output.trim_end())).unwrap_or_default();
    let took = format!("{:.1} ms{}", ms(event.duration), phases(event));
    format!("{number}. {}: {} ({took}){output}", outcome(event), event.outcome.cause())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn phases(event: &Event) -> String {
    let Phases { started, connected, secured, answered, .. } = event.phases;
    let named = [("started", started), ("connected", connected), ("TLS", secured), ("first byte", answered)];
    let reached = named.into_iter().filter_map(|(name, at)| Some(format!(", {name} at {:.1}", ms(at?))));
    reached.collect()
}

pub(super) fn attempt_json(event: &Event) -> String {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    let Phases { started, connected, secured, answered, .. } = event.phases;
    let phases = json!({"startedSeconds": seconds(started), "connectedSeconds": seconds(connected),
        "securedSeconds": seconds(secured), "answeredSeconds": seconds(answered)});
    json!({"outcome": outcome(event), "kind": event.outcome.kind().as_str(), "verdict": event.state.verdict.as_str(),
        "phases": phases, "latenessSeconds": event.lateness.as_secs_f64(), "cause": event.outcome.cause(), "durationSeconds": event.duration.as_secs_f64(),
        "httpStatus": event.outcome.http_status(), "exitCode": event.outcome.exit_code(),
        "connected": event.outcome.connected(), "output": event.words()})
    .to_string()
}
