//! Times as they are on the wire, in seconds. Pure.

use std::time::Duration;

use crate::error::Problem;

pub(crate) fn optional_seconds(field: &'static str, value: Option<f64>) -> Result<Option<Duration>, Problem> {
    value.map(|value| seconds(field, value)).transpose()
}

pub(crate) fn seconds(field: &'static str, value: f64) -> Result<Duration, Problem> {
    mesos::duration::from_seconds(value).ok_or(Problem::Duration { field, value })
}
