//! Answers that are not about apps: who we are, who leads, whether we are there.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mesos::build::Build;
use mesos::server::{ConnectionCounts, Exposition, Form, by_liking};
use serde_json::{Map, json};

use super::Api;
use super::answer::{Answer, Query, Rejected, json_answer, message, shown};
use crate::MARATHON_VERSION;
use crate::view::Metrics;

pub(super) async fn info(State(api): State<Api>) -> Answer {
    let framework_id = api.ask(|view, _| view.link.framework_id().map(str::to_owned)).await?;
    let standing = *api.standing.borrow();
    let mut info = json!({
        "name": api.name, "version": MARATHON_VERSION, "buildref": format!("cygnet-{}", Build::current().version),
        "elected": standing.is_acting(), "leader": api.authority,
        "frameworkId": framework_id, "marathon_config": api.options, "zookeeper_config": {},
        "http_config": {"http_port": api.port, "https_port": null},
    });
    if let Some(endpoints) = &api.callbacks {
        info["event_subscriber"] = json!({"type": "http_callback", "http_endpoints": endpoints});
    }
    if let Some((_, why)) = standing.refusal() {
        info["notActing"] = json!(why);
    }
    shown(&info)
}

pub(super) async fn leader(State(api): State<Api>) -> Answer {
    shown(&json!({"leader": api.authority}))
}

/// As what the client accepts; with nothing to somebody who accepts neither text nor JSON.
pub(super) async fn ping(request: Request<Body>) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let text = |kind: &'static str| ([(header::CONTENT_TYPE, kind)], "pong").into_response();
    let answer = |kind: &str| match kind {
        "text/plain" | "text/*" | "*/*" => Some(text("text/plain; charset=utf-8")),
        "text/html" => Some(text("text/html; charset=utf-8")),
        "application/json" | "application/*" => Some(json_answer(200, &json!("pong"))),
        _ => None,
    };
    by_liking(accept).into_iter().find_map(answer).unwrap_or_else(|| StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /v2/leader`. There is no other candidate, so what follows is what follows an election: the subscription at the
/// master is made anew, and all tasks are reconciled.
pub(super) async fn abdicate(State(api): State<Api>, request: Request<Body>) -> Response {
    let query = Query::of(&request);
    if let Some(name) = ["backup", "restore"].into_iter().find(|name| query.get(name).is_some()) {
        let instead = "copy scheduler.redb from the work directory while the scheduler is stopped";
        return message(400, format!("{name} is not supported: {instead}"));
    }
    api.abdication.notify_one();
    message(200, "Leadership abdicated")
}

/// `/metrics`: JSON, or the text form of Prometheus for who asks for text.
pub(super) async fn metrics(
    State(api): State<Api>,
    connections: Option<Extension<ConnectionCounts>>,
    request: Request<Body>,
) -> Answer {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.starts_with("text/plain") || accept.contains("openmetrics") {
        return prometheus(State(api), connections, request.headers().clone()).await;
    }
    let Metrics { gauges, counters } = measured(&api, connections).await?;
    let gauges: Map<_, _> = gauges.into_iter().map(|(name, value)| (name.into(), json!({"value": value}))).collect();
    let counters: Map<_, _> = counters.into_iter().map(|(name, count)| (name, json!({"count": count}))).collect();
    let empty = json!({});
    shown(
        &json!({"version": "4.0.0", "gauges": gauges, "counters": counters, "histograms": empty, "meters": empty, "timers": empty}),
    )
}

/// `/metrics/prometheus`.
pub(super) async fn prometheus(
    State(api): State<Api>,
    connections: Option<Extension<ConnectionCounts>>,
    headers: HeaderMap,
) -> Answer {
    let mut page = Exposition::new(Form::of(&headers));
    measured(&api, connections).await?.tell(&mut page);
    Ok(page.into_response())
}

/// The metrics of the core, and those of the listener.
async fn measured(api: &Api, connections: Option<Extension<ConnectionCounts>>) -> Result<Metrics, Rejected> {
    let mut metrics = api.ask(|view, now| view.metrics(now)).await?;
    let connections = connections.iter().flat_map(|counts| counts.named());
    metrics.counters.extend(connections.map(|(name, count)| (format!("cygnet.connections.{name}.count"), count)));
    Ok(metrics)
}

/// `/v2/openapi.json`: what all this is, for machines. A test holds it against the answers.
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

/// There are none, ever: Marathon's plugins are Java classes.
pub(super) async fn no_plugins() -> Response {
    json_answer(200, &json!({"plugins": []}))
}

/// Marathon answers 500 here; 404 is what it means.
pub(super) async fn not_found() -> Response {
    message(404, "URI not found")
}

pub(super) async fn not_allowed() -> Response {
    message(405, "Method Not Allowed")
}
