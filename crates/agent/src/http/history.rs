//! `GET /cygnet/v1/history?framework_id=F&task_id=T`: the past attempts of a running task's health checks, asked of its
//! executor. `POST /cygnet/v1/checks` with a `CheckNow`: the same, and it makes all of them at once. Comes in: requests.
//! Goes out: a `TaskHistory` in the form that the request accepts. Owns no task.

use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mesos::server::{self, Refusal};
use mesos::v1::cygnet::{CheckNow, TaskHistory};
use serde::Deserialize;
use tokio::time::timeout;

use super::{Shared, recovered};
use crate::core::{Inquiry, Unasked};
use crate::handle;
use crate::ids::TaskKey;

/// The longest wait for an executor's answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    framework_id: String,
    task_id: String,
}

pub(super) async fn history(
    State(shared): State<Shared>,
    headers: HeaderMap,
    parameters: Result<Query<Parameters>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    recovered(&shared).await?;
    let codec = server::accept(&headers)?;
    let Query(asked) = parameters.map_err(|_| Refusal::bad_request("'framework_id' and 'task_id' are needed"))?;
    let task = TaskKey { framework: asked.framework_id.into(), task: asked.task_id.into() };
    Ok(server::reply(codec, &asked_of(&shared, task, Inquiry::Past, PATIENCE).await?))
}

pub(super) async fn check_now(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    recovered(&shared).await?;
    let (parts, body) = request.into_parts();
    let codec = server::accept(&parts.headers)?;
    let (_, CheckNow { framework_id, task_id }) = server::decode_call(&parts.headers, &server::read_body(body).await?)?;
    let task = TaskKey { framework: framework_id, task: task_id };
    Ok(server::reply(codec, &asked_of(&shared, task, Inquiry::Now, PATIENCE).await?))
}

/// The answer of a task's executor, if it comes in time.
pub(super) async fn asked_of(
    shared: &Shared,
    task: TaskKey,
    inquiry: Inquiry,
    within: Duration,
) -> Result<TaskHistory, Refusal> {
    let answer = shared.actor.ask(|answer| handle::Request::History { task, inquiry, answer });
    let late = |_| Refusal::new(StatusCode::GATEWAY_TIMEOUT, "The executor of the task does not answer");
    Ok(timeout(within, answer).await.map_err(late)???)
}

impl From<Unasked> for Refusal {
    fn from(unasked: Unasked) -> Refusal {
        let status = match unasked {
            Unasked::TooMany => StatusCode::SERVICE_UNAVAILABLE,
            Unasked::UnknownTask
            | Unasked::NotRunning
            | Unasked::NotSubscribed
            | Unasked::Foreign
            | Unasked::NoPool
            | Unasked::Deaf => StatusCode::NOT_FOUND,
        };
        Refusal::new(status, unasked.to_string())
    }
}
