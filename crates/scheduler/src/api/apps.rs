//! `/v2/apps`: definitions, their versions, and the tasks of one app.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Method, Request};
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Api;
use super::answer::{Query, body, changed, found, gone, json_answer, json_text, message, misshapen, refused};
use super::envelope::origin;
use super::tasks;
use crate::core::{AppFilter, AppText, Embed, Manner, Refusal};
use crate::definition::{AppUpdate, shape};
use crate::ids::AppId;
use crate::selector::Selector;
use crate::time::Timestamp;

pub(super) async fn list(State(api): State<Api>, request: Request<Body>) -> Response {
    let query = Query::of(&request);
    let label = match query.get("label").map(|text| (text, Selector::parse(text))) {
        Some((text, None)) => return message(400, format!("Can't parse label selector expression: {text}")),
        other => other.and_then(|(_, selector)| selector),
    };
    let filter = AppFilter { id: query.get("id").map(str::to_owned), cmd: query.get("cmd").map(str::to_owned), label };
    let mut embed = Embed::counts_and_deployments();
    query.all("embed").for_each(|name| embed.add(name));
    let apps = api.actor.ask(move |core, now| core.app_texts(&filter, &embed, now)).await;
    apps.map_or_else(gone, |apps| json_text(200, AppText::list(&apps)))
}

pub(super) async fn create(State(api): State<Api>, request: Request<Body>) -> Response {
    let (force, origin) = (Query::of(&request).flag("force", false), origin(&request));
    match read::<AppUpdate>(request).await {
        Ok(update) => {
            api.change(origin, move |core, now| core.create(update, force, now)).await.map_or_else(gone, changed)
        }
        Err(response) => *response,
    }
}

/// `PUT` and `PATCH /v2/apps`: several at once, all or none checked first.
pub(super) async fn change_many(State(api): State<Api>, request: Request<Body>) -> Response {
    let query = Query::of(&request);
    let (put, origin) = (request.method() == Method::PUT, origin(&request));
    let partial = !put || query.flag("partialUpdate", true);
    let terms = match query.terms() {
        Ok(terms) => terms,
        Err(response) => return *response,
    };
    let manner = Manner { partial, create: put, terms };
    let updates = match read_list::<AppUpdate>(request).await {
        Ok(updates) => updates,
        Err(response) => return *response,
    };
    let result = api.change(origin, move |core, now| core.change_many(updates, manner, now)).await;
    result.map_or_else(gone, changed)
}

/// Everything below `/v2/apps/`: an app's id may have slashes in it, so the end of the path says what is meant.
pub(super) async fn one(State(api): State<Api>, Path(path): Path<String>, request: Request<Body>) -> Response {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let only_read = matches!(parts.as_slice(), [_, .., "versions"] | [_, .., "versions", _] | [.., "*"]);
    if only_read && request.method() != Method::GET {
        return message(405, "Method Not Allowed");
    }
    match parts.as_slice() {
        [id @ .., "restart"] if !id.is_empty() => restart(api, app(id), request).await,
        [id @ .., "versions"] if !id.is_empty() => versions(api, app(id)).await,
        [id @ .., "versions", version] if !id.is_empty() => one_version(api, app(id), version).await,
        [group @ .., "*", "tasks"] if request.method() == Method::GET => tasks::of_group(api, app(group)).await,
        [id @ .., "tasks"] if !id.is_empty() => tasks::of_app(api, app(id), request).await,
        [group @ .., "*"] => of_group(api, app(group), &Query::of(&request)).await,
        [id @ .., "tasks", task] if !id.is_empty() => tasks::kill_one(api, app(id), (*task).to_owned(), request).await,
        id => definition(api, app(id), request).await,
    }
}

fn app(parts: &[&str]) -> AppId {
    AppId::new(&parts.join("/"))
}

async fn definition(api: Api, id: AppId, request: Request<Body>) -> Response {
    match request.method().as_str() {
        "GET" => show(api, id, &Query::of(&request)).await,
        "PUT" | "PATCH" => change(api, id, request).await,
        "DELETE" => {
            let force = Query::of(&request).flag("force", true);
            let origin = origin(&request);
            api.change(origin, move |core, now| core.remove(&id, force, now)).await.map_or_else(gone, changed)
        }
        _ => message(405, "Method Not Allowed"),
    }
}

async fn show(api: Api, id: AppId, query: &Query) -> Response {
    let mut embed = Embed::single();
    query.all("embed").for_each(|name| embed.add(name));
    let missing = id.clone();
    let shown = api.actor.ask(move |core, now| core.app_json(&id, &embed, now)).await;
    shown.map_or_else(gone, |app| found(app.map(|app| json!({"app": app})), || Refusal::no_app(&missing)))
}

/// `GET /v2/apps/{group}/*`: all apps in a group.
async fn of_group(api: Api, id: AppId, query: &Query) -> Response {
    let mut embed = Embed::single();
    query.all("embed").for_each(|name| embed.add(name));
    let apps = api.actor.ask(move |core, now| core.apps_of_group(&id, &embed, now)).await;
    apps.map_or_else(gone, |apps| match apps {
        Ok(apps) => json_answer(200, &json!({"*": apps})),
        Err(refusal) => refused(&refusal),
    })
}

async fn change(api: Api, id: AppId, request: Request<Body>) -> Response {
    let query = Query::of(&request);
    let put = request.method() == Method::PUT;
    let partial = !put || query.flag("partialUpdate", true);
    let terms = match query.terms() {
        Ok(terms) => terms,
        Err(response) => return *response,
    };
    let manner = Manner { partial, create: put, terms };
    let origin = origin(&request);
    match read::<AppUpdate>(request).await {
        Ok(update) => api
            .change(origin, move |core, now| core.change_app(&id, update, manner, now))
            .await
            .map_or_else(gone, changed),
        Err(response) => *response,
    }
}

async fn restart(api: Api, id: AppId, request: Request<Body>) -> Response {
    if request.method() != Method::POST {
        return message(405, "Method Not Allowed");
    }
    let force = Query::of(&request).flag("force", false);
    let origin = origin(&request);
    api.change(origin, move |core, now| core.restart(&id, force, now)).await.map_or_else(gone, changed)
}

async fn versions(api: Api, id: AppId) -> Response {
    let missing = id.clone();
    let versions = api.actor.ask(move |core, _| core.versions_json(&id)).await;
    versions.map_or_else(gone, |versions| found(versions, || Refusal::no_app(&missing)))
}

async fn one_version(api: Api, id: AppId, version: &str) -> Response {
    let Some(version) = Timestamp::parse(version) else {
        return refused(&Refusal::new(400, format!("Invalid timestamp: {version}")));
    };
    let missing = Refusal::new(404, format!("App '{id}' does not exist in version {version}"));
    let app = api.actor.ask(move |core, _| core.version_json(&id, version)).await;
    app.map_or_else(gone, |app| found(app, || missing))
}

/// Reads an object of this shape, or says what is wrong with it.
pub(super) async fn read<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Box<Response>> {
    shape::read(&body(request).await?).map_err(|error| Box::new(misshapen(&error)))
}

/// Reads a list of such.
pub(super) async fn read_list<T: DeserializeOwned>(request: Request<Body>) -> Result<Vec<T>, Box<Response>> {
    shape::read_list(&body(request).await?).map_err(|error| Box::new(misshapen(&error)))
}
