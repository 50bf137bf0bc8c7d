//! `/v2/groups`: trees of apps, changed as one.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Method, Request};
use axum::response::Response;
use serde_json::Value;

use super::Api;
use super::answer::{Query, changed_at, gone, json_answer, message, refused};
use super::apps::read;
use super::envelope::origin;
use crate::core::{Embed, GroupEmbed, Refusal};
use crate::definition::GroupUpdate;
use crate::ids::AppId;
use crate::time::Timestamp;

const BASE: &str = "/v2/groups";

pub(super) async fn root(State(api): State<Api>, request: Request<Body>) -> Response {
    group(api, AppId::root(), request).await
}

/// Everything below `/v2/groups/`: a group's id may have slashes in it, so the end of the path says what is meant.
pub(super) async fn one(State(api): State<Api>, Path(path): Path<String>, request: Request<Body>) -> Response {
    let parts: Vec<&str> = path.split('/').collect();
    let id = |parts: &[&str]| AppId::new(&parts.join("/"));
    let only_read = matches!(parts.as_slice(), [.., "apps" | "versions"] | [.., "versions", _]);
    if only_read && request.method() != Method::GET {
        return message(405, "Method Not Allowed");
    }
    match parts.as_slice() {
        [group @ .., "apps"] => apps(api, id(group), &Query::of(&request)).await,
        [group @ .., "versions"] => versions(api, id(group)).await,
        [group @ .., "versions", version] => one_version(api, id(group), version).await,
        parts => group(api, id(parts), request).await,
    }
}

async fn group(api: Api, id: AppId, request: Request<Body>) -> Response {
    let query = Query::of(&request);
    let (terms, origin) = (query.terms(), origin(&request));
    let terms = match terms {
        Ok(terms) => terms,
        Err(response) => return *response,
    };
    match request.method().as_str() {
        "GET" => {
            let embed = GroupEmbed::of(query.all("embed"));
            shown(api.actor.ask(move |core, now| core.group_json(&id, &embed, now)).await)
        }
        "POST" | "PUT" => {
            let (create, dry) = (request.method() == "POST", query.flag("dryRun", false));
            let update = match read::<GroupUpdate>(request).await {
                Ok(update) => update,
                Err(response) => return *response,
            };
            if dry && !create {
                return shown(api.actor.ask(move |core, now| core.group_steps(&id, update, now)).await);
            }
            let changed = api.change(origin, move |core, now| match create {
                true => core.create_group(&id, update, terms, now),
                false => core.put_group(&id, update, terms, now),
            });
            changed.await.map_or_else(gone, |result| changed_at(BASE, result))
        }
        "PATCH" => patch(api, id, request).await,
        "DELETE" => {
            let removed = api.change(origin, move |core, now| core.remove_group(&id, terms.force, now)).await;
            removed.map_or_else(gone, |result| changed_at(BASE, result))
        }
        _ => message(405, "Method Not Allowed"),
    }
}

/// Only `enforceRole` can be changed so.
async fn patch(api: Api, id: AppId, request: Request<Body>) -> Response {
    let update = match read::<GroupUpdate>(request).await {
        Ok(update) => update,
        Err(response) => return *response,
    };
    let known = api.actor.change(move |core, now| {
        let only = GroupUpdate { enforce_role: update.enforce_role, ..GroupUpdate::default() };
        if only != update {
            return Err(Refusal::new(422, "only enforceRole can be patched: use PUT"));
        }
        core.enforce_role(&id, update.enforce_role.unwrap_or(false), now)
    });
    match known.await {
        None => gone(),
        Some(Ok(_)) => Response::default(),
        Some(Err(refusal)) => refused(&refusal),
    }
}

async fn apps(api: Api, id: AppId, query: &Query) -> Response {
    let mut embed = Embed::default();
    query.all("embed").for_each(|name| embed.add(name));
    shown(api.actor.ask(move |core, now| core.apps_of_group(&id, &embed, now)).await)
}

async fn versions(api: Api, id: AppId) -> Response {
    shown(api.actor.ask(move |core, _| core.group_versions(&id)).await)
}

async fn one_version(api: Api, id: AppId, version: &str) -> Response {
    let Some(version) = Timestamp::parse(version) else {
        return message(400, format!("Invalid timestamp: {version}"));
    };
    shown(api.actor.ask(move |core, now| core.group_in_version(&id, version, now)).await)
}

fn shown(result: Option<Result<Value, Refusal>>) -> Response {
    match result {
        None => gone(),
        Some(Ok(json)) => json_answer(200, &json),
        Some(Err(refusal)) => refused(&refusal),
    }
}
