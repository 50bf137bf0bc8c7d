//! `/v2/pods`: definitions, their versions, and the status of their instances.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode, header};
use serde_json::Value;

use super::Api;
use super::answer::{Answer, Query, Rejected, changed_at, not_allowed, read, read_list, shown, timestamp};
use super::dry_run::dry_run;
use super::envelope::origin;
use crate::core::{Accepted, Core, Kill, Proposed};
use crate::definition::Pod;
use crate::events::Origin;
use crate::ids::AppId;
use crate::refusal::Refusal;
use crate::time::Now;
use crate::view::Embed;

const BASE: &str = "/v2/pods";

/// `GET /v2/pods`. A `HEAD` of it tells that there are pods at all.
pub(super) async fn all(State(api): State<Api>) -> Answer {
    shown(&api.ask(|view, _| view.pods_json()).await?)
}

/// `POST /v2/pods`.
pub(super) async fn create(State(api): State<Api>, request: Request<Body>) -> Answer {
    let (query, origin) = (Query::of(&request), origin(&request));
    let force = query.flag("force", false);
    let pod: Pod = read(request).await?;
    if query.is_dry() {
        return dry_run(&api, Proposed::CreatePod(pod), force).await;
    }
    begun(api, origin, move |core, now| core.create_pod(pod, force, now)).await
}

/// `/v2/pods::status`.
pub(super) async fn statuses(State(api): State<Api>, request: Request<Body>) -> Answer {
    let is_explained = is_explained(&api, &Query::of(&request)).await;
    shown(&api.ask(move |view, now| view.pod_statuses(is_explained.then_some(now))).await?)
}

/// True for `embed=health`, as for apps: not one of Marathon's.
async fn is_explained(api: &Api, query: &Query) -> bool {
    let embed = query.embed(Embed::default());
    api.looked_for(&embed).await;
    embed.health
}

/// The methods of a path below `/v2/pods/`.
pub(super) fn methods(path: &str) -> Vec<&'static str> {
    match path.rsplit_once("::").map(|(_, what)| what) {
        None => vec!["GET", "PUT", "DELETE"],
        Some(what) if what.starts_with("instances") => vec!["DELETE"],
        Some(_) => vec!["GET"],
    }
}

/// Everything below `/v2/pods/`: after two colons the path says what of the pod is meant.
pub(super) async fn one(State(api): State<Api>, Path(path): Path<String>, request: Request<Body>) -> Answer {
    let (id, what) = path.split_once("::").map_or((path.as_str(), None), |(id, what)| (id, Some(what)));
    let id = AppId::new(id);
    match (request.method().as_str(), what) {
        ("GET", None) => shown(&api.ask(move |view, _| view.pod_json(&id)).await??),
        ("PUT", None) => put(api, id, request).await,
        ("DELETE", None) => {
            let (force, origin) = (Query::of(&request).flag("force", false), origin(&request));
            let accepted = api.change(origin, move |core, now| core.remove_pod(&id, force, now)).await??;
            let mut response = changed_at(BASE, &accepted, &Value::Null);
            (*response.status_mut(), *response.body_mut()) = (StatusCode::ACCEPTED, Body::empty());
            response.headers_mut().remove(header::CONTENT_TYPE);
            Ok(response)
        }
        ("GET", Some("status")) if id.is_root() => statuses(State(api), request).await,
        ("GET", Some("status")) => {
            let is_explained = is_explained(&api, &Query::of(&request)).await;
            shown(&api.ask(move |view, now| view.status_of_pod(&id, is_explained.then_some(now))).await??)
        }
        ("GET", Some("versions")) => shown(&api.ask(move |view, _| view.pod_versions(&id)).await??),
        ("DELETE", Some("instances")) => kill(api, id, None, request).await,
        (method, Some(what)) => match (method, what.split_once('/')) {
            ("GET", Some(("versions", version))) => {
                let version = timestamp(version)?;
                shown(&api.ask(move |view, _| view.pod_in_version(&id, version)).await??)
            }
            ("DELETE", Some(("instances", instance))) => kill(api, id, Some(instance.to_owned()), request).await,
            _ => Err(Rejected::new(404, "URI not found")),
        },
        _ => not_allowed(),
    }
}

async fn put(api: Api, id: AppId, request: Request<Body>) -> Answer {
    let (query, origin) = (Query::of(&request), origin(&request));
    let terms = query.terms()?;
    let pod: Pod = read(request).await?;
    if query.is_dry() {
        return dry_run(&api, Proposed::ChangePod(id, pod, terms), terms.force).await;
    }
    begun(api, origin, move |core, now| core.put_pod(&id, pod, terms, now)).await
}

/// Kills one instance, which is answered with, or several, which are named in the body.
async fn kill(api: Api, id: AppId, instance: Option<String>, request: Request<Body>) -> Answer {
    let wipe = Query::of(&request).flag("wipe", false);
    let single = instance.is_some();
    let instances = match instance {
        Some(instance) => vec![instance],
        None => read_list(request).await?,
    };
    let killed = api.change(None, move |core, now| {
        let ids = core.view().instances_of_pod(&id, &instances)?;
        let shown: Vec<_> = ids.iter().filter_map(|id| core.view().pod_instance(id)).collect();
        core.kill_tasks(&ids, Kill { wipe, ..Kill::default() }, now)?;
        Ok::<_, Refusal>(shown)
    });
    match (single, killed.await??) {
        (true, killed) => shown(killed.first().ok_or(Refusal::NoInstance)?),
        (false, killed) => shown(&Value::Array(killed)),
    }
}

/// Makes a pod what it is to be, and shows it.
async fn begun(
    api: Api,
    origin: Option<Origin>,
    change: impl FnOnce(&mut Core, Now) -> Result<Accepted, Refusal> + Send + 'static,
) -> Answer {
    let changed = api.change(origin, move |core, now| {
        let accepted = change(core, now)?;
        Ok::<_, Refusal>(changed_at(BASE, &accepted, &core.view().pod_json(&accepted.app)?))
    });
    Ok(changed.await??)
}
