//! `/v2/pods`: definitions, their versions, and the status of their instances.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, header};
use axum::response::Response;
use serde_json::Value;

use super::Api;
use super::answer::{Query, changed_at, gone, json_answer, message, refused};
use super::apps::{read, read_list};
use super::envelope::origin;
use crate::core::{Accepted, Core, Refusal};
use crate::definition::Pod;
use crate::ids::AppId;
use crate::time::Timestamp;

const BASE: &str = "/v2/pods";

/// `/v2/pods` itself. A `HEAD` of it tells that there are pods at all.
pub(super) async fn all(State(api): State<Api>, request: Request<Body>) -> Response {
    match request.method().as_str() {
        "GET" => shown(api, |core| Ok(core.pods_json())).await,
        "POST" => {
            let (force, origin) = (Query::of(&request).flag("force", false), origin(&request));
            match read::<Pod>(request).await {
                Ok(pod) => begun(api.change(origin, move |core, now| core.create_pod(pod, force, now)).await),
                Err(response) => *response,
            }
        }
        _ => message(405, "Method Not Allowed"),
    }
}

/// `/v2/pods::status`.
pub(super) async fn statuses(State(api): State<Api>) -> Response {
    shown(api, |core| Ok(core.pod_statuses())).await
}

/// Everything below `/v2/pods/`: after two colons the path says what of the pod is meant.
pub(super) async fn one(State(api): State<Api>, Path(path): Path<String>, request: Request<Body>) -> Response {
    let (id, what) = path.split_once("::").map_or((path.as_str(), None), |(id, what)| (id, Some(what)));
    let id = AppId::new(id);
    match (request.method().as_str(), what) {
        ("GET", None) => shown(api, move |core| core.pod_json(&id)).await,
        ("PUT", None) => put(api, id, request).await,
        ("DELETE", None) => {
            let (force, origin) = (Query::of(&request).flag("force", false), origin(&request));
            begun(api.change(origin, move |core, now| core.remove_pod(&id, force, now)).await)
        }
        ("GET", Some("status")) if id.is_root() => statuses(State(api)).await,
        ("GET", Some("status")) => shown(api, move |core| core.status_of_pod(&id)).await,
        ("GET", Some("versions")) => shown(api, move |core| core.pod_versions(&id)).await,
        ("DELETE", Some("instances")) => kill(api, id, None, request).await,
        (method, Some(what)) => match (method, what.split_once('/')) {
            ("GET", Some(("versions", version))) => version_of(api, id, version).await,
            ("DELETE", Some(("instances", instance))) => kill(api, id, Some(instance.to_owned()), request).await,
            _ => message(404, "URI not found"),
        },
        _ => message(405, "Method Not Allowed"),
    }
}

async fn put(api: Api, id: AppId, request: Request<Body>) -> Response {
    let origin = origin(&request);
    let terms = match Query::of(&request).terms() {
        Ok(terms) => terms,
        Err(response) => return *response,
    };
    match read::<Pod>(request).await {
        Ok(pod) => begun(api.change(origin, move |core, now| core.put_pod(&id, pod, terms, now)).await),
        Err(response) => *response,
    }
}

async fn version_of(api: Api, id: AppId, version: &str) -> Response {
    let Some(version) = Timestamp::parse(version) else {
        return message(400, format!("Invalid timestamp: {version}"));
    };
    shown(api, move |core| core.pod_in_version(&id, version)).await
}

/// Kills one instance, which is answered with, or several, which are named in the body.
async fn kill(api: Api, id: AppId, instance: Option<String>, request: Request<Body>) -> Response {
    let wipe = Query::of(&request).flag("wipe", false);
    let single = instance.is_some();
    let instances = match instance {
        Some(instance) => vec![instance],
        None => match read_list::<String>(request).await {
            Ok(instances) => instances,
            Err(response) => return *response,
        },
    };
    let killed = api.actor.change(move |core, now| {
        let killed = core.kill_pod_instances(&id, &instances, wipe, now)?;
        match (single, killed.is_empty()) {
            (true, true) => Err(Refusal::new(404, "Instance does not exist")),
            (true, false) => Ok(killed.into_iter().next().unwrap_or_default()),
            (false, _) => Ok(Value::Array(killed)),
        }
    });
    answer(killed.await)
}

fn begun(result: Option<Result<Accepted, Refusal>>) -> Response {
    let Some(result) = result else { return gone() };
    let empty = result.as_ref().is_ok_and(|accepted| accepted.body.is_null());
    let mut response = changed_at(BASE, result);
    if empty {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}

async fn shown(api: Api, show: impl FnOnce(&Core) -> Result<Value, Refusal> + Send + 'static) -> Response {
    answer(api.actor.ask(move |core, _| show(core)).await)
}

fn answer(result: Option<Result<Value, Refusal>>) -> Response {
    match result {
        None => gone(),
        Some(Ok(json)) => json_answer(200, &json),
        Some(Err(refusal)) => refused(&refusal),
    }
}
