//! What is not about apps: who we are, who leads, whether we are there.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Api;
use super::answer::{gone, json_answer, message};
use crate::MARATHON_VERSION;

pub(super) async fn info(State(api): State<Api>) -> Response {
    let Some(framework_id) = api.actor.ask(|core, _| core.framework_id().map(str::to_owned)).await else {
        return gone();
    };
    json_answer(
        200,
        &json!({
            "name": api.name, "version": MARATHON_VERSION, "buildref": concat!("cygnet-", env!("CARGO_PKG_VERSION")),
            "elected": true, "leader": api.address.to_string(),
            "frameworkId": framework_id, "marathon_config": api.options, "zookeeper_config": {},
            "http_config": {"http_port": api.address.port(), "https_port": null},
        }),
    )
}

pub(super) async fn leader(State(api): State<Api>) -> Response {
    json_answer(200, &json!({"leader": api.address.to_string()}))
}

pub(super) async fn ping(request: Request<Body>) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    if accept.contains("application/json") { json_answer(200, &json!("pong")) } else { "pong".into_response() }
}

pub(super) async fn metrics(State(api): State<Api>) -> Response {
    let gauges = api.actor.ask(|core, _| core.gauges()).await;
    gauges.map_or_else(gone, |gauges| {
        let empty = json!({});
        let body = json!({"version": "4.0.0", "gauges": gauges, "counters": empty, "histograms": empty, "meters": empty, "timers": empty});
        json_answer(200, &body)
    })
}

/// Marathon answers 500 here; 404 is what it means.
pub(super) async fn not_found() -> Response {
    message(404, "URI not found")
}
