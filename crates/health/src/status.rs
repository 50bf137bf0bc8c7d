//! From what an attempt found to what a check reports. Pure.

use checks::{Answer, Failure, Outcome, Reason};
use mesos::v1::{CheckInfo, CheckStatusInfo, check_info, check_status_info};

/// The status a check reports of an attempt. One without a result is the empty status; one that says nothing about the task
/// is not reported at all.
pub fn check_status(check: &CheckInfo, outcome: &Outcome) -> Option<CheckStatusInfo> {
    use check_info::Type;
    // A check reports what it saw; that somebody wants to ignore a status is no reason not to.
    if matches!(outcome, Outcome::Inconclusive(reason) if !matches!(reason, Reason::IgnoredStatus(_))) {
        return None;
    }
    let mut status = check.empty_status();
    match check.r#type() {
        Type::Command => status.command = Some(check_status_info::Command { exit_code: outcome.exit_code() }),
        Type::Http => {
            let status_code = outcome.http_status().map(u32::from);
            status.http = Some(check_status_info::Http { status_code });
        }
        Type::Tcp => status.tcp = Some(check_status_info::Tcp { succeeded: outcome.connected() }),
        Type::Grpc => status.grpc = Some(check_status_info::Grpc { serving: serving(outcome) }),
        Type::Listen => status.listen = Some(check_status_info::Listen { listening: outcome.connected() }),
        Type::Exchange => status.exchange = Some(check_status_info::Exchange { succeeded: expected(outcome) }),
        Type::Unknown => {}
    }
    Some(status)
}

/// True if the server says that it serves, if it says anything.
fn serving(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Success(Answer::Serving) => Some(true),
        Outcome::Failure(Failure::NotServing { .. }) => Some(false),
        _ => None,
    }
}

/// True if the answer was as expected, if there was one.
fn expected(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Success(Answer::Expected) => Some(true),
        Outcome::Failure(Failure::Body { .. }) => Some(false),
        _ => None,
    }
}
