//! The endpoints from before the v1 API that read frameworks, agents and tasks, and the one that tears frameworks down.

use axum::extract::{Query as Parameters, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use mesos::server::{self, OriginalPath, Refusal, is_sent_by_pages, read_body};
use serde_json::json;

use super::Shared;
use super::answer::{self, Texts};
use crate::core::{Depth, NoSuchFramework, Snapshot};
use crate::request;
use crate::view::legacy as view;
use crate::view::pieces::Object;

/// Paths that are answered with JSON from the core's books.
pub(super) const READS: [&str; 6] = ["/state", "/state-summary", "/slaves", "/frameworks", "/tasks", "/roles"];

pub(super) async fn read(
    State(shared): State<Shared>,
    uri: Uri,
    Parameters(parameters): Parameters<Texts>,
) -> Result<Response, Refusal> {
    let parameter = |name: &str| parameters.get(name).cloned();
    let write: Box<dyn FnOnce(Snapshot) -> Object + Send> = match uri.path() {
        "/state" => Box::new(view::state),
        "/state-summary" => Box::new(view::summary),
        "/slaves" => {
            let id = parameter("slave_id");
            Box::new(|snapshot| view::slaves(snapshot, id))
        }
        "/frameworks" => {
            let id = parameter("framework_id");
            Box::new(|snapshot| view::frameworks(snapshot, id))
        }
        "/tasks" => {
            let query = view::TaskQuery::parse(&parameters);
            Box::new(move |snapshot| view::tasks(snapshot, &query))
        }
        "/roles" => Box::new(view::roles),
        _ => return Err(Refusal::not_found()),
    };
    let depth = if matches!(uri.path(), "/slaves" | "/roles") { Depth::WithoutTasks } else { Depth::WithTasks };
    let snapshot = shared.actor.view(move |books, _| books.snapshot(depth)).await?;
    answer::object(&parameters, move || write(snapshot)).await
}

pub(super) async fn flags(
    State(shared): State<Shared>,
    Parameters(parameters): Parameters<Texts>,
) -> Result<Response, Refusal> {
    let flags = shared.actor.view(|books, _| books.core.flags().clone()).await?;
    server::json(&parameters, &json!({ "flags": &*flags }))
}

/// To the leading master, which is this one. There is nothing below it.
pub(super) async fn redirect(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let asked = request.extensions().get::<OriginalPath>().map_or("", |path| path.0.trim_end_matches('/'));
    if !asked.ends_with("/redirect") {
        return Err(Refusal::not_found());
    }
    let location = format!("//{}", shared.authority);
    Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response())
}

pub(super) async fn teardown(State(shared): State<Shared>, request: Request) -> Result<StatusCode, Refusal> {
    if is_sent_by_pages(request.headers(), true) {
        let message = "Expecting 'Content-Type' of application/x-www-form-urlencoded, or none";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = read_body(request.into_body()).await?;
    let id = form_value(&body, "frameworkId")
        .ok_or_else(|| Refusal::bad_request("Missing 'frameworkId' query parameter in the request body"))?;
    let framework = id.into();
    let result = shared.actor.ask(|answer| request::Request::Teardown { framework, answer }).await?;
    result.map_err(|NoSuchFramework| Refusal::bad_request("No framework found with specified ID"))?;
    Ok(StatusCode::OK)
}

/// A value from a form body, the way query strings are read.
fn form_value(body: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(body).ok()?;
    let uri: Uri = format!("/?{}", form.trim()).parse().ok()?;
    let Parameters(mut values) = Parameters::<Texts>::try_from_uri(&uri).ok()?;
    values.remove(name)
}
