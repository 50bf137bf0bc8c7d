//! Deployments and the launch queue.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::Api;
use super::answer::{Answer, Query, Rejected, begun, changed, shown};
use super::envelope::origin;
use crate::core::{Past, View};
use crate::ids::AppId;
use crate::view::QueueEmbed;

/// `?embed=deployments.progress` adds to each action how far it is and what it waits for; with `?embed=past` the list is one
/// field of the answer, and those that are over are another. Neither is one of Marathon's.
pub(super) async fn list(State(api): State<Api>, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let [progress, past] = ["progress", "past"]
        .map(|wanted| query.all("embed").any(|name| name.trim_start_matches("deployments.") == wanted));
    let look = move |view: View<'_>, now| {
        let under_way = view.deployments_json(progress, now);
        if past {
            json!({"deployments": under_way, "past": view.past.all().map(Past::json).collect::<Vec<_>>()})
        } else {
            under_way
        }
    };
    shown(&api.ask(look).await?)
}

pub(super) async fn cancel(State(api): State<Api>, Path(id): Path<String>, request: Request<Body>) -> Answer {
    let force = Query::of(&request).flag("force", false);
    match api.change(None, move |core, now| core.cancel(&id, force, now)).await?? {
        None => Ok(StatusCode::ACCEPTED.into_response()),
        Some(accepted) => changed(&accepted),
    }
}

/// `POST /v2/deployments/{id}/continue`: the rest may follow the canaries. Not one of Marathon's.
pub(super) async fn go_on(State(api): State<Api>, Path(id): Path<String>) -> Answer {
    shown(&begun(&api.change(None, move |core, now| core.go_on(&id, now)).await??))
}

/// `POST /v2/deployments/{id}/undo`: what a deployment that is over changed is led back to what it was before it, in a
/// deployment of its own. Not one of Marathon's.
pub(super) async fn undo(State(api): State<Api>, Path(id): Path<String>, request: Request<Body>) -> Answer {
    let (query, origin) = (Query::of(&request), origin(&request));
    let force = query.flag("force", false);
    if query.is_dry() {
        return shown(&api.ask(move |view, now| view.undo_tried(&id, force, now)).await??);
    }
    changed(&api.change(origin, move |core, now| core.undo(&id, force, now)).await??)
}

/// `?embed=lastUnusedOffers` adds the last offers that were of no use, and all that each of them lacked; `?embed=launching`
/// those that were launched and still wait for their images, which is not one of Marathon's.
pub(super) async fn queue(State(api): State<Api>, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let [offers, launching, why] =
        ["lastUnusedOffers", "launching", "why"].map(|wanted| query.all("embed").any(|name| name == wanted));
    let look = move |view: View<'_>, now| {
        let mut queue = view.queue_json(QueueEmbed { offers, why }, now);
        if launching {
            queue["launching"] = view.launching_json();
        }
        queue
    };
    shown(&api.ask(look).await?)
}

/// `DELETE /v2/queue/{id}/delay`.
pub(super) async fn reset_delay(State(api): State<Api>, Path(path): Path<String>) -> Answer {
    let id = path.strip_suffix("/delay").map(AppId::new).ok_or_else(|| Rejected::new(404, "URI not found"))?;
    api.change(None, move |core, _| core.reset_delay(&id)).await??;
    Ok(StatusCode::NO_CONTENT.into_response())
}
