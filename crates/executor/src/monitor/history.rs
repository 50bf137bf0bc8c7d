//! The past attempts of a task's health checks, as the agent and terminal updates have them.
//!
//! In: reports of the engine. Out: [`CheckHistory`], by check. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use checks::{Activity, CheckReport, PastAttempt, Phases};
use mesos::v1::HealthCheck;
use mesos::v1::cygnet::{CheckAttempt, CheckHistory};

use crate::life::finding::phases;

/// The history of a check by what the engine reports of it now.
pub(super) fn history(check: &HealthCheck, report: &CheckReport) -> CheckHistory {
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64());
    CheckHistory {
        id: check.id.clone(),
        name: check.name.clone(),
        attempts: report.attempts.iter().map(|attempt| past(attempt, report.told_at)).collect(),
        p50_seconds: seconds(report.p50),
        p99_seconds: seconds(report.p99),
        paused: (report.activity != Activity::Active).then_some(true),
    }
}

fn past(attempt: &PastAttempt, now: SystemTime) -> CheckAttempt {
    CheckAttempt {
        started_ms: milliseconds(now.checked_sub(attempt.ago).unwrap_or(UNIX_EPOCH)),
        duration_us: u64::try_from(attempt.duration.as_micros()).unwrap_or(u64::MAX),
        kind: attempt.kind.as_str().to_owned(),
        code: (attempt.code > 0).then_some(attempt.code.into()),
        phases: (attempt.phases != Phases::default()).then(|| phases(&attempt.phases)),
    }
}

/// A time of day in milliseconds since 1970.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
