//! Tasks: listed, and killed.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::answer::{Query, changed, gone, json_answer, message, refused};
use super::apps::read;
use crate::core::{Accepted, Core, Kill, Refusal};
use crate::ids::{self, AppId, InstanceId};
use crate::instance::{Condition, Instance};
use crate::time::Timestamp;

fn kill_of(query: &Query) -> Result<Kill, Box<Response>> {
    let (scale, wipe) = (query.flag("scale", false), query.flag("wipe", false));
    if scale && wipe {
        return Err(Box::new(message(400, "You cannot use scale and wipe at the same time.")));
    }
    Ok(Kill { scale, wipe, force: query.flag("force", false) })
}

pub(super) async fn list(State(api): State<Api>, request: Request<Body>) -> Response {
    let query = Query::of(&request);
    let wanted = conditions(query.all("status").chain(query.all("status[]")));
    let keep = move |instance: &Instance| wanted.is_empty() || wanted.contains(&instance.condition);
    if wants_text(&request) {
        let lines = api.actor.ask(|core, _| core.endpoints()).await;
        return lines.map_or_else(gone, IntoResponse::into_response);
    }
    let tasks = api.actor.ask(move |core, _| core.tasks_json(keep)).await;
    tasks.map_or_else(gone, |tasks| json_answer(200, &json!({"tasks": tasks})))
}

/// Those that `status` names; other words mean nothing, as in Marathon.
fn conditions<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Condition> {
    let condition = |name: &str| match name.to_ascii_lowercase().as_str() {
        "running" => Some(Condition::Running),
        "staging" => Some(Condition::Staging),
        _ => None,
    };
    names.filter_map(condition).collect()
}

/// Whether lines of text are wanted, and JSON is not.
fn wants_text(request: &Request<Body>) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/plain") && !accept.contains("json") && !accept.contains("*/*")
}

#[derive(Deserialize)]
struct Ids {
    ids: Vec<String>,
}

/// `POST /v2/tasks/delete`: unknown ids are passed over.
pub(super) async fn kill(State(api): State<Api>, request: Request<Body>) -> Response {
    let kill = match kill_of(&Query::of(&request)) {
        Ok(kill) => kill,
        Err(response) => return *response,
    };
    let ids = match read::<Ids>(request).await {
        Ok(ids) => ids.ids,
        Err(response) => return *response,
    };
    if let Some(bad) = ids.iter().find(|id| !ids::is_task_id(id)) {
        return message(400, format!("Invalid task id '{bad}'"));
    }
    let result = api.actor.change(move |core, now| {
        let found: Vec<_> = ids.iter().filter_map(|id| core.find(id)).map(|found| found.id.clone()).collect();
        kill_all(core, found, kill, now)
    });
    result.await.map_or_else(gone, |result| killed(result, |tasks| json!({"tasks": tasks})))
}

/// `GET` and `DELETE /v2/apps/{id}/tasks`.
pub(super) async fn of_app(api: Api, id: AppId, request: Request<Body>) -> Response {
    match *request.method() {
        Method::GET if wants_text(&request) => {
            let lines = api.actor.ask(move |core, _| core.endpoints_of(&id)).await;
            lines.map_or_else(gone, |lines| lines.map_or_else(|refusal| refused(&refusal), IntoResponse::into_response))
        }
        Method::GET => listed(api.actor.ask(move |core, _| core.wanted_tasks(&id)).await),
        Method::DELETE => kill_of_app(api, id, request).await,
        _ => message(405, "Method Not Allowed"),
    }
}

/// `GET /v2/apps/{group}/*/tasks`: of all apps in a group.
pub(super) async fn of_group(api: Api, id: AppId) -> Response {
    listed(api.actor.ask(move |core, _| core.tasks_of_group(&id)).await)
}

fn listed(tasks: Option<Result<Vec<Value>, Refusal>>) -> Response {
    match tasks {
        None => gone(),
        Some(Ok(tasks)) => json_answer(200, &json!({"tasks": tasks})),
        Some(Err(refusal)) => refused(&refusal),
    }
}

async fn kill_of_app(api: Api, id: AppId, request: Request<Body>) -> Response {
    let query = Query::of(&request);
    let kill = match kill_of(&query) {
        Ok(kill) => kill,
        Err(response) => return *response,
    };
    let host = query.get("host").map(str::to_owned);
    let result = api.actor.change(move |core, now| {
        let on_host =
            |found: &&Instance| host.as_ref().is_none_or(|host| host == "*" || found.host.as_ref() == Some(host));
        let found = core.tasks_of(&id)?.into_iter().filter(on_host).map(|found| found.id.clone()).collect::<Vec<_>>();
        kill_all(core, found, kill, now)
    });
    result.await.map_or_else(gone, |result| killed(result, |tasks| json!({"tasks": tasks})))
}

/// `DELETE /v2/apps/{id}/tasks/{task}`.
pub(super) async fn kill_one(api: Api, id: AppId, task: String, request: Request<Body>) -> Response {
    if request.method() != Method::DELETE {
        return message(405, "Method Not Allowed");
    }
    let kill = match kill_of(&Query::of(&request)) {
        Ok(kill) => kill,
        Err(response) => return *response,
    };
    let result = api.actor.change(move |core, now| {
        core.tasks_of(&id)?;
        let found = core.find(&task).filter(|found| found.app == id).map(|found| found.id.clone());
        let found = found.ok_or_else(|| Refusal::new(404, format!("Task '{task}' does not exist")))?;
        kill_all(core, [found], kill, now)
    });
    result.await.map_or_else(gone, |result| killed(result, |mut tasks| json!({"task": tasks.pop()})))
}

/// What was killed, and the deployment if apps are scaled by it.
type Killed = Result<(Vec<Value>, Option<Accepted>), Refusal>;

/// Each of them once, in the order in which they are listed elsewhere, too.
fn kill_all(core: &mut Core, ids: impl IntoIterator<Item = InstanceId>, kill: Kill, now: Timestamp) -> Killed {
    let ids: Vec<_> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let tasks = core.tasks_named(&ids);
    Ok((tasks, core.kill_tasks(&ids, kill, now)?))
}

fn killed(result: Killed, show: impl FnOnce(Vec<Value>) -> Value) -> Response {
    match result {
        Err(refusal) => refused(&refusal),
        Ok((_, Some(scaled))) => changed(Ok(scaled)),
        Ok((tasks, None)) => json_answer(200, &show(tasks)),
    }
}
