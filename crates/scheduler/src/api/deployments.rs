//! Deployments and the launch queue.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse;

use super::Api;
use super::answer::{Answer, Query, Rejected, begun, changed, shown};
use crate::core::View;
use crate::ids::AppId;

/// `?embed=deployments.progress` adds to each action how far it is and what it waits for.
pub(super) async fn list(State(api): State<Api>, request: Request<Body>) -> Answer {
    let progress = Query::of(&request).all("embed").any(|name| name.trim_start_matches("deployments.") == "progress");
    shown(&api.ask(move |view, now| view.deployments_json(progress, now)).await?)
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

/// `?embed=lastUnusedOffers` adds the last offers that were of no use, and all that each of them lacked; `?embed=launching`
/// those that were launched and still wait for their images, which is not one of Marathon's.
pub(super) async fn queue(State(api): State<Api>, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let [offers, launching] =
        ["lastUnusedOffers", "launching"].map(|wanted| query.all("embed").any(|name| name == wanted));
    let look = move |view: View<'_>, now| {
        let mut queue = view.queue_json(offers, now);
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
