//! `/v2/groups`: trees of apps, changed as one.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Method, Request};
use axum::response::Response;

use super::Api;
use super::answer::{Answer, Query, Rejected, begun, changed_at, not_allowed, read, shown, timestamp};
use super::envelope::origin;
use crate::definition::GroupUpdate;
use crate::ids::AppId;
use crate::view::{Embed, GroupEmbed};

const BASE: &str = "/v2/groups";

pub(super) async fn root(State(api): State<Api>, request: Request<Body>) -> Answer {
    group(api, AppId::root(), request).await
}

/// The methods of `/v2/groups`, and of a path below it.
pub(super) fn methods(path: &str) -> Vec<&'static str> {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        [.., "versions" | "apps"] | [.., "versions", _] => vec!["GET"],
        _ => vec!["GET", "POST", "PUT", "PATCH", "DELETE"],
    }
}

/// Everything below `/v2/groups/`: a group's id may have slashes in it, so the end of the path says what is meant.
pub(super) async fn one(State(api): State<Api>, Path(path): Path<String>, request: Request<Body>) -> Answer {
    let parts: Vec<&str> = path.split('/').collect();
    let id = |parts: &[&str]| AppId::new(&parts.join("/"));
    let only_read = matches!(parts.as_slice(), [.., "apps" | "versions"] | [.., "versions", _]);
    if only_read && request.method() != Method::GET {
        return not_allowed();
    }
    match parts.as_slice() {
        [group @ .., "apps"] => apps(api, id(group), &Query::of(&request)).await,
        [group @ .., "versions"] => versions(api, id(group)).await,
        [group @ .., "versions", version] => one_version(api, id(group), version).await,
        parts => group(api, id(parts), request).await,
    }
}

async fn group(api: Api, id: AppId, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let (terms, origin) = (query.terms()?, origin(&request));
    match request.method().as_str() {
        "GET" => {
            let embed = GroupEmbed::of(query.all("embed"));
            api.looked_for(&embed.app).await;
            shown(&api.ask(move |view, now| view.group_json(&id, &embed, now)).await??)
        }
        "POST" | "PUT" => {
            let (create, dry) = (request.method() == "POST", query.is_dry());
            let update: GroupUpdate = read(request).await?;
            if dry && !create {
                let whole = query.all("embed").any(|name| name == "plan");
                return shown(&api.ask(move |view, now| view.group_dry_run(&id, update, (terms, whole), now)).await??);
            }
            let changed = api.change(origin, move |core, now| match create {
                true => core.create_group(&id, update, terms, now),
                false => core.put_group(&id, update, terms, now),
            });
            let accepted = changed.await??;
            Ok(changed_at(BASE, &accepted, &begun(&accepted)))
        }
        "PATCH" => patch(api, id, request).await,
        "DELETE" => {
            let removed = api.change(origin, move |core, now| core.remove_group(&id, terms.force, now));
            let accepted = removed.await??;
            Ok(changed_at(BASE, &accepted, &begun(&accepted)))
        }
        _ => not_allowed(),
    }
}

/// Only `enforceRole` can be changed so.
async fn patch(api: Api, id: AppId, request: Request<Body>) -> Answer {
    let update: GroupUpdate = read(request).await?;
    if update != (GroupUpdate { enforce_role: update.enforce_role, ..GroupUpdate::default() }) {
        return Err(Rejected::new(422, "only enforceRole can be patched: use PUT"));
    }
    let enforce = update.enforce_role.unwrap_or(false);
    api.change(None, move |core, now| core.enforce_role(&id, enforce, now)).await??;
    Ok(Response::default())
}

async fn apps(api: Api, id: AppId, query: &Query) -> Answer {
    let embed = query.embed(Embed::default());
    api.looked_for(&embed).await;
    shown(&api.ask(move |view, now| view.apps_of_group(&id, &embed, now)).await??)
}

async fn versions(api: Api, id: AppId) -> Answer {
    shown(&api.ask(move |view, _| view.group_versions(&id)).await??)
}

async fn one_version(api: Api, id: AppId, version: &str) -> Answer {
    let version = timestamp(version)?;
    shown(&api.ask(move |view, now| view.group_in_version(&id, version, now)).await??)
}
