//! `GET /cygnet/v1/late?framework_id=F`: whose health checks are late, asked of the framework's pool. Comes in: requests. Goes
//! out: JSON: the executors with checks of which no attempt has ended for long, or for how long the pool does not answer. Owns
//! no task.
//!
//! Times are told as ages, so that nobody's clock matters.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use mesos::server::Refusal;
use mesos::v1::cygnet::pool_call::{Late, late::Executor};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::history::PATIENCE;
use super::{Shared, recovered};
use crate::handle;
use crate::late::Asked;

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    framework_id: String,
    within_ms: Option<u64>,
}

/// With `within_ms` it is answered by then.
pub(super) async fn late(
    State(shared): State<Shared>,
    parameters: Result<Query<Parameters>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    recovered(&shared).await?;
    let needed = |_| Refusal::bad_request("'framework_id' is needed, and 'within_ms' is a number of milliseconds");
    let Query(Parameters { framework_id, within_ms }) = parameters.map_err(needed)?;
    let within = within_ms.map_or(PATIENCE, |millis| Duration::from_millis(millis).min(PATIENCE));
    let framework = framework_id.into();
    let mut answering = shared.actor.ask(|answer| handle::Request::Late { framework, answer }).await??;
    let answered = timeout(within, answering.wait_for(|inquiry| inquiry.answer.is_some()));
    let _or_silent = answered.await.is_ok_and(|answered| answered.is_ok());
    let inquiry = answering.borrow().clone();
    let now = shared.actor.view(|_, now| now.elapsed).await?;
    Ok(axum::Json(told(&inquiry, now)).into_response())
}

fn told(inquiry: &Asked, now: Duration) -> Value {
    let age = |at: Duration| u64::try_from(now.saturating_sub(at).as_millis()).unwrap_or(u64::MAX);
    match &inquiry.answer {
        Some(Late { executors, more, .. }) => {
            let late = |one: &Executor| json!({"executor_id": one.executor_id.value, "ago_ms": one.ago_ms});
            json!({"late": executors.iter().map(late).collect::<Vec<_>>(), "more": more.unwrap_or(0)})
        }
        None => json!({"silent_ms": age(inquiry.since), "heard_ms": inquiry.heard.map(age)}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_whose_checks_are_late_or_for_how_long_there_is_none() {
        let seconds = Duration::from_secs;
        let silent = Asked { since: seconds(4), heard: Some(seconds(1)), answer: None };
        assert_eq!(told(&silent, seconds(7)), json!({"silent_ms": 3000, "heard_ms": 6000}));
        let executors = vec![Executor { executor_id: "web.1".into(), ago_ms: 9000 }];
        let answer = Late { executors, more: Some(2), ..Late::default() };
        let answered = Asked { answer: Some(answer), ..silent };
        assert_eq!(told(&answered, seconds(7)), json!({"late": [{"executor_id": "web.1", "ago_ms": 9000}], "more": 2}));
    }
}
