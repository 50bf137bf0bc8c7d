//! The finding of the attempt that was last reported, in memory, on file and on the wire. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use checks::{Event, Outcome};
use mesos::v1::cygnet;
use serde::{Deserialize, Serialize};

/// The longest excerpt of an answer or output, in bytes.
const LONGEST_EXCERPT: usize = 1024;

/// The last finding of a check, and since when its verdict stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Finding {
    pub kind: String,
    pub cause: String,
    /// Seconds since 1970.
    pub since: f64,
    /// The end of the attempt, in seconds since 1970.
    pub at: f64,
    pub duration: Duration,
    pub phases: checks::Phases,
    /// The beginning of the answer, or of the output, of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

impl Finding {
    /// The finding of an attempt of a check whose verdict stands since then; since its end if that is not known.
    pub(super) fn of(event: &Event, since: Option<f64>) -> Finding {
        let at = since_epoch(event.at).as_secs_f64();
        let failed = matches!(event.outcome, Outcome::Failure(_));
        Finding {
            kind: event.outcome.kind().as_str().to_owned(),
            cause: event.outcome.cause(),
            since: since.unwrap_or(at),
            at,
            duration: event.duration,
            phases: event.phases,
            excerpt: event.words().filter(|_| failed).map(|words| beginning(&words).to_owned()),
        }
    }

    pub(super) fn phases(&self) -> cygnet::Phases {
        phases(&self.phases)
    }
}

/// The phases of an attempt on the wire.
pub(crate) fn phases(phases: &checks::Phases) -> cygnet::Phases {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    let checks::Phases { started, connected, secured, answered, .. } = *phases;
    cygnet::Phases {
        started: seconds(started),
        connected: seconds(connected),
        secured: seconds(secured),
        answered: seconds(answered),
    }
}

/// As many whole characters as an excerpt may have.
fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST_EXCERPT)).unwrap_or(text)
}

/// A machine whose clock is set to before 1970 is in 1970.
fn since_epoch(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_ends_between_characters() {
        assert_eq!(beginning("short"), "short");
        assert_eq!(beginning(&format!("x{}", "\u{e9}".repeat(600))).len(), 1023);
    }
}
