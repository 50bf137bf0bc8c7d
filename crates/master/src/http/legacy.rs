//! The endpoints from before the v1 API that read frameworks, agents and tasks, and the one that tears frameworks down.

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use mesos::server::{self, OriginalPath, Refusal, is_sent_by_pages, read_body};
use mesos::v1::master::call::{self, Content};
use serde_json::json;

use super::Shared;
use super::administration::operate;
use super::answer::{self, Reply, Texts};
use crate::core::{Depth, Snapshot};
use crate::view::legacy as view;
use crate::view::pieces::Object;

/// A path that is answered from a snapshot of this depth.
#[derive(Clone, Copy)]
pub(super) struct Read {
    pub(super) path: &'static str,
    depth: Depth,
    write: fn(Snapshot, &Texts) -> Object,
}

impl Read {
    const fn new(path: &'static str, depth: Depth, write: fn(Snapshot, &Texts) -> Object) -> Read {
        Read { path, depth, write }
    }
}

pub(super) const READS: [Read; 6] = [
    Read::new("/state", Depth::WithTasks, |snapshot, _| view::state(snapshot)),
    Read::new("/state-summary", Depth::WithTasks, |snapshot, _| view::summary(snapshot)),
    Read::new("/slaves", Depth::WithoutTasks, |snapshot, of| view::slaves(snapshot, of.get("slave_id").cloned())),
    Read::new("/frameworks", Depth::WithTasks, |snapshot, of| {
        view::frameworks(snapshot, of.get("framework_id").cloned())
    }),
    Read::new("/tasks", Depth::WithTasks, |snapshot, of| view::tasks(snapshot, &view::TaskQuery::parse(of))),
    Read::new("/roles", Depth::WithoutTasks, |snapshot, _| view::roles(snapshot)),
];

pub(super) async fn read(State(shared): State<Shared>, uri: Uri, Query(parameters): Query<Texts>) -> Reply {
    let known = READS.iter().find(|read| read.path == uri.path());
    let &Read { depth, write, .. } = known.ok_or_else(Refusal::not_found)?;
    let snapshot = shared.actor.view(move |books, _| books.core.snapshot(depth)).await?;
    let asked = parameters.clone();
    answer::object(&parameters, move || write(snapshot, &asked)).await
}

pub(super) async fn flags(State(shared): State<Shared>, Query(parameters): Query<Texts>) -> Reply {
    let identity = shared.actor.view(|books, _| books.core.identity().clone()).await?;
    server::json(&parameters, &json!({ "flags": &*identity.flags }))
}

/// To the leading master, which is this one. There is nothing below it.
pub(super) async fn redirect(State(shared): State<Shared>, request: Request) -> Reply {
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
    operate(&shared, Content::Teardown(call::Teardown { framework_id: id.into() })).await?;
    Ok(StatusCode::OK)
}

/// A value from a form body, the way query strings are read.
fn form_value(body: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(body).ok()?;
    let uri: Uri = format!("/?{}", form.trim()).parse().ok()?;
    let Query(mut values) = Query::<Texts>::try_from_uri(&uri).ok()?;
    values.remove(name)
}
