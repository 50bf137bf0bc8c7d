//! Deployments and the launch queue.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Api;
use super::answer::{Query, changed, gone, json_answer, message, refused};
use crate::ids::AppId;

/// `?embed=deployments.progress` adds to each action how far it is and what it waits for.
pub(super) async fn list(State(api): State<Api>, request: Request<Body>) -> Response {
    let progress = Query::of(&request).all("embed").any(|name| name.trim_start_matches("deployments.") == "progress");
    let all = api.actor.ask(move |core, now| core.deployments_json(progress, now)).await;
    all.map_or_else(gone, |all| json_answer(200, &all))
}

pub(super) async fn cancel(State(api): State<Api>, Path(id): Path<String>, request: Request<Body>) -> Response {
    let force = Query::of(&request).flag("force", false);
    let result = api.actor.change(move |core, now| core.cancel(&id, force, now)).await;
    match result {
        None => gone(),
        Some(Ok(None)) => StatusCode::ACCEPTED.into_response(),
        Some(Ok(Some(accepted))) => changed(Ok(accepted)),
        Some(Err(refusal)) => refused(&refusal),
    }
}

/// `POST /v2/deployments/{id}/continue`: the rest may follow the canaries. Not one of Marathon's.
pub(super) async fn go_on(State(api): State<Api>, Path(id): Path<String>) -> Response {
    match api.actor.change(move |core, now| core.go_on(&id, now)).await {
        None => gone(),
        Some(Ok(body)) => json_answer(200, &body),
        Some(Err(refusal)) => refused(&refusal),
    }
}

/// `?embed=lastUnusedOffers` adds the last offers that were of no use, and all that each of them lacked.
pub(super) async fn queue(State(api): State<Api>, request: Request<Body>) -> Response {
    let offers = Query::of(&request).all("embed").any(|name| name == "lastUnusedOffers");
    let queue = api.actor.ask(move |core, now| core.queue_json(offers, now)).await;
    queue.map_or_else(gone, |queue| json_answer(200, &queue))
}

/// `DELETE /v2/queue/{id}/delay`.
pub(super) async fn reset_delay(State(api): State<Api>, Path(path): Path<String>) -> Response {
    let Some(id) = path.strip_suffix("/delay").map(AppId::new) else { return message(404, "URI not found") };
    match api.actor.change(move |core, _| core.reset_delay(&id)).await {
        None => gone(),
        Some(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Some(Err(refusal)) => refused(&refusal),
    }
}
