//! How much this process logs: `/logging/toggle`, and the operator API's calls for the same.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mesos::server::{LoggingLevel, Refusal};
use mesos::v1::agent::Call;

use super::Shared;
use super::legacy::Parameters;

/// The most talkative level of glog, whose levels these are.
const MAX_LEVEL: u32 = 127;

/// The level now.
pub(super) fn level(shared: &Shared) -> u32 {
    shared.logging.as_ref().map_or(0, LoggingLevel::get)
}

/// SET_LOGGING_LEVEL
pub(super) fn set(shared: &Shared, call: &Call) -> Result<Response, Refusal> {
    let asked = call.set_logging_level.unwrap_or_default();
    let duration = asked.duration.to_duration();
    let duration = duration.ok_or_else(|| Refusal::bad_request("'set_logging_level.duration' is negative"))?;
    change(shared, asked.level, duration)
}

/// The level, or a new one for a while.
pub(super) async fn toggle(
    State(shared): State<Shared>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Refusal> {
    let expecting = |name: &str| Refusal::bad_request(format!("Expecting '{name}=value' in query.\n"));
    match (parameters.get("level"), parameters.get("duration")) {
        (None, None) => Ok(format!("{}\n", level(&shared)).into_response()),
        (None, Some(_)) => Err(expecting("level")),
        (Some(_), None) => Err(expecting("duration")),
        (Some(level), Some(duration)) => {
            let level = level.parse().map_err(|_| Refusal::bad_request(format!("Invalid level '{level}'.\n")))?;
            let duration = mesos::duration::parse(duration)
                .map_err(|error| Refusal::bad_request(format!("Invalid duration: {error}.\n")))?;
            change(&shared, level, duration)
        }
    }
}

fn change(shared: &Shared, level: u32, duration: Duration) -> Result<Response, Refusal> {
    if level > MAX_LEVEL {
        return Err(Refusal::bad_request(format!("Invalid level '{level}'.\n")));
    }
    let logging = shared.logging.as_ref().ok_or_else(|| {
        Refusal::new(StatusCode::NOT_IMPLEMENTED, "What this process logs was fixed when it was started")
    })?;
    logging.set(level, duration);
    Ok(StatusCode::OK.into_response())
}
