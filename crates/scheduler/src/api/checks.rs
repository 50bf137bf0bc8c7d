//! `PUT /v2/tasks/{id}/checks`: the health checks of one task, paused for a while or for good, and resumed. Not one of
//! Marathon's.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::answer::{Answer, read, shown};
use crate::core::Pause;
use crate::refusal::Refusal;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    paused: bool,
    /// For how long; until resumed if absent.
    seconds: Option<u32>,
}

pub(super) async fn change(State(api): State<Api>, Path(task): Path<String>, request: Request<Body>) -> Answer {
    let wish: Wish = read(request).await?;
    let time = wish.seconds.map_or(Pause::Open, |seconds| Pause::For(Duration::from_secs(seconds.into())));
    let pause = wish.paused.then_some(time);
    let missing = Refusal::NoTask(task.clone());
    let paused = api.change(None, move |core, now| {
        let id = core.view().instances.find(&task)?.id.clone();
        core.pause_checks(&id, pause, now);
        core.view().paused_json(&id)
    });
    shown(&json!({"task": paused.await?.ok_or(missing)?}))
}
