//! The APIs over HTTP: routes, and what all of them share. Each handler reads a request, asks the actor, and answers.
//!
//! Comes in: requests. Goes out: answers and event streams. Owns no task; [`serve`] owns the connections.

mod agent;
mod body;
mod legacy;
mod operator;
mod scheduler;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use mesos::server::{MESOS_STREAM_ID, Refusal, mesos_paths, only_get, only_post};

use crate::actor::{Handle, Stopped};
use crate::ids::StreamId;

/// What handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) actor: Handle,
    /// `host:port`, where others reach this master.
    pub(crate) authority: String,
    /// Events that may wait for a reader.
    pub(crate) event_queue: usize,
}

/// All routes. Paths are forgiving the way Mesos' are: `/master/state`, `/state/` and `/state.json` are all `/state`.
pub(crate) fn router(shared: Shared) -> Router {
    let posts = Router::new()
        .route("/api/v1/scheduler", post(scheduler::call).fallback(only_post))
        .route("/cygnet/v1/agent", post(agent::call).fallback(only_post))
        .route("/api/v1", post(operator::call).fallback(only_post))
        .route("/teardown", post(legacy::teardown).fallback(only_post));
    let gets = Router::new()
        .route("/health", get(legacy::health).fallback(only_get))
        .route("/version", get(legacy::version).fallback(only_get))
        .route("/redirect", get(legacy::redirect).fallback(only_get));
    let reads =
        legacy::READS.iter().fold(gets, |routes, path| routes.route(path, get(legacy::read).fallback(only_get)));
    let mut known = vec!["/api/v1/scheduler", "/cygnet/v1/agent", "/api/v1", "/teardown"];
    known.extend(["/health", "/version", "/redirect"]);
    known.extend(legacy::READS);
    mesos_paths("master", &known, posts.merge(reads).with_state(shared))
}

/// A fresh id for a stream.
fn new_stream_id() -> StreamId {
    StreamId::new(uuid::Uuid::new_v4().to_string())
}

/// The stream a request says it belongs to. What is not text matches no stream.
fn sent_stream_id(headers: &HeaderMap) -> Option<StreamId> {
    headers.get(MESOS_STREAM_ID).map(|value| StreamId::new(String::from_utf8_lossy(value.as_bytes())))
}

impl From<Stopped> for Refusal {
    fn from(Stopped: Stopped) -> Self {
        Refusal::unavailable("The master is shutting down")
    }
}

impl IntoResponse for Stopped {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}
