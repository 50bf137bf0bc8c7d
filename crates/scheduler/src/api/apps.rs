//! `/v2/apps`: definitions, their versions, and the tasks of one app.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Method, Request};
use serde_json::json;

use super::Api;
use super::answer::{
    Answer, Query, Rejected, changed, changed_at, gone, json_text, not_allowed, read, read_list, shown, timestamp,
};
use super::dry_run::dry_run;
use super::envelope::origin;
use super::history::add_times;
use super::tasks;
use crate::core::{Manner, Proposed};
use crate::definition::AppUpdate;
use crate::ids::AppId;
use crate::refusal::Refusal;
use crate::selector::Selector;
use crate::view::{AppFilter, AppText, Embed};

pub(super) async fn list(State(api): State<Api>, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let selector = |text| {
        let malformed = || Rejected::new(400, format!("Can't parse label selector expression: {text}"));
        Selector::parse(text).ok_or_else(malformed)
    };
    let label = query.get("label").map(selector).transpose()?;
    let filter = AppFilter { id: query.get("id").map(str::to_owned), cmd: query.get("cmd").map(str::to_owned), label };
    let embed = query.embed(Embed::counts_and_deployments());
    api.looked_for(&embed).await;
    let apps = api.actor.apps(filter, embed).await.ok_or_else(gone)?;
    Ok(json_text(200, AppText::list(&apps)))
}

pub(super) async fn create(State(api): State<Api>, request: Request<Body>) -> Answer {
    let (query, origin) = (Query::of(&request), origin(&request));
    let force = query.flag("force", false);
    let update: AppUpdate = read(request).await?;
    if query.is_dry() {
        return dry_run(&api, Proposed::CreateApp(update), force).await;
    }
    let created = api.change(origin, move |core, now| {
        let accepted = core.create(update, force, now)?;
        let mut body = core.view().app_json(&accepted.app, &Embed::counts_and_deployments(), now).unwrap_or_default();
        body["tasks"] = json!([]);
        Ok::<_, Refusal>(changed_at("/v2/apps", &accepted, &body))
    });
    Ok(created.await??)
}

/// The manner in which a `PUT` or a `PATCH` changes what it names.
fn manner(request: &Request<Body>) -> Result<Manner, Rejected> {
    let (query, put) = (Query::of(request), request.method() == Method::PUT);
    Ok(Manner { partial: !put || query.flag("partialUpdate", true), create: put, terms: query.terms()? })
}

/// `PUT` and `PATCH /v2/apps`: several at once, all or none checked first.
pub(super) async fn change_many(State(api): State<Api>, request: Request<Body>) -> Answer {
    let (manner, origin, is_dry) = (manner(&request)?, origin(&request), Query::of(&request).is_dry());
    let updates: Vec<AppUpdate> = read_list(request).await?;
    if is_dry {
        return dry_run(&api, Proposed::ChangeApps(updates, manner), manner.terms.force).await;
    }
    changed(&api.change(origin, move |core, now| core.change_many(updates, manner, now)).await??)
}

/// The methods of a path below `/v2/apps/`.
pub(super) fn methods(path: &str) -> Vec<&'static str> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["v2", "apps", _, .., "restart"] => vec!["POST"],
        ["v2", "apps", _, .., "versions"] | ["v2", "apps", _, .., "versions", _] => vec!["GET"],
        [.., "*"] | [.., "*", "tasks"] => vec!["GET"],
        ["v2", "apps", _, .., "tasks"] => vec!["GET", "DELETE"],
        ["v2", "apps", _, .., "tasks", _] => vec!["DELETE"],
        _ => vec!["GET", "PUT", "PATCH", "DELETE"],
    }
}

/// Everything below `/v2/apps/`: an app's id may have slashes in it, so the end of the path says what is meant.
pub(super) async fn one(State(api): State<Api>, Path(path): Path<String>, request: Request<Body>) -> Answer {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let only_read = matches!(parts.as_slice(), [_, .., "versions"] | [_, .., "versions", _] | [.., "*"]);
    if only_read && request.method() != Method::GET {
        return not_allowed();
    }
    match parts.as_slice() {
        [id @ .., "restart"] if !id.is_empty() => restart(api, app(id), request).await,
        [id @ .., "versions"] if !id.is_empty() => versions(api, app(id), &Query::of(&request)).await,
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

async fn definition(api: Api, id: AppId, request: Request<Body>) -> Answer {
    match request.method().as_str() {
        "GET" => show(api, id, &Query::of(&request)).await,
        "PUT" | "PATCH" => change(api, id, request).await,
        "DELETE" => {
            let force = Query::of(&request).flag("force", true);
            changed(&api.change(origin(&request), move |core, now| core.remove(&id, force, now)).await??)
        }
        _ => not_allowed(),
    }
}

async fn show(api: Api, id: AppId, query: &Query) -> Answer {
    let (embed, missing) = (query.embed(Embed::single()), Refusal::NoApp(id.clone()));
    api.looked_for(&embed).await;
    let (has_health, of_app) = (embed.health, id.clone());
    let app = api.ask(move |view, now| view.app_json(&id, &embed, now)).await?;
    let mut app = app.ok_or(missing)?;
    if has_health {
        add_times(&api, of_app, &mut app).await?;
    }
    shown(&json!({"app": app}))
}

/// `GET /v2/apps/{group}/*`: all apps in a group.
async fn of_group(api: Api, id: AppId, query: &Query) -> Answer {
    let embed = query.embed(Embed::single());
    api.looked_for(&embed).await;
    let apps = api.ask(move |view, now| view.apps_of_group(&id, &embed, now)).await??;
    shown(&json!({"*": apps}))
}

async fn change(api: Api, id: AppId, request: Request<Body>) -> Answer {
    let (manner, origin, is_dry) = (manner(&request)?, origin(&request), Query::of(&request).is_dry());
    let update: AppUpdate = read(request).await?;
    if is_dry {
        return dry_run(&api, Proposed::ChangeApp(id, update, manner), manner.terms.force).await;
    }
    changed(&api.change(origin, move |core, now| core.change_app(&id, update, manner, now)).await??)
}

async fn restart(api: Api, id: AppId, request: Request<Body>) -> Answer {
    if request.method() != Method::POST {
        return not_allowed();
    }
    let force = Query::of(&request).flag("force", false);
    changed(&api.change(origin(&request), move |core, now| core.restart(&id, force, now)).await??)
}

/// `?embed=diff` adds what each version changed, which is not one of Marathon's.
async fn versions(api: Api, id: AppId, query: &Query) -> Answer {
    let (missing, diff) = (Refusal::NoApp(id.clone()), query.all("embed").any(|name| name == "diff"));
    let versions = api.ask(move |view, _| {
        let mut versions = view.versions_json(&id)?;
        if diff {
            versions["changes"] = view.version_changes_json(&id)?;
        }
        Some(versions)
    });
    shown(&versions.await?.ok_or(missing)?)
}

async fn one_version(api: Api, id: AppId, version: &str) -> Answer {
    let version = timestamp(version)?;
    let missing = Refusal::NoAppVersion(id.clone(), version);
    shown(&api.ask(move |view, _| view.version_json(&id, version)).await?.ok_or(missing)?)
}
