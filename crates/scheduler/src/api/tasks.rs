//! Tasks: listed, and killed.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::answer::{Answer, Query, Rejected, changed, not_allowed, read, shown};
use crate::core::{Accepted, Core, Kill};
use crate::ids::{self, AppId, InstanceId};
use crate::instance::{Condition, Instance};
use crate::refusal::Refusal;
use crate::time::Now;

fn kill_of(query: &Query) -> Result<Kill, Rejected> {
    let (scale, wipe) = (query.flag("scale", false), query.flag("wipe", false));
    if scale && wipe {
        return Err(Rejected::new(400, "You cannot use scale and wipe at the same time."));
    }
    Ok(Kill { scale, wipe, force: query.flag("force", false) })
}

pub(super) async fn list(State(api): State<Api>, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let wanted = conditions(query.all("status").chain(query.all("status[]")));
    let keep = move |instance: &Instance| wanted.is_empty() || wanted.contains(&instance.condition);
    if wants_text(&request) {
        return Ok(api.ask(|view, _| view.endpoints()).await?.into_response());
    }
    shown(&json!({"tasks": api.ask(move |view, _| view.tasks_json(keep)).await?}))
}

/// The conditions that `status` names; other words mean nothing, as in Marathon.
fn conditions<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Condition> {
    let condition = |name: &str| match name.to_ascii_lowercase().as_str() {
        "running" => Some(Condition::Running),
        "staging" => Some(Condition::Staging),
        _ => None,
    };
    names.filter_map(condition).collect()
}

fn wants_text(request: &Request<Body>) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/plain") && !accept.contains("json") && !accept.contains("*/*")
}

#[derive(Deserialize)]
struct Ids {
    ids: Vec<String>,
}

/// `POST /v2/tasks/delete`: unknown ids are passed over.
pub(super) async fn kill(State(api): State<Api>, request: Request<Body>) -> Answer {
    let kill = kill_of(&Query::of(&request))?;
    let Ids { ids } = read(request).await?;
    if let Some(bad) = ids.iter().find(|id| !ids::is_task_id(id)) {
        return Err(Rejected::new(400, format!("Invalid task id '{bad}'")));
    }
    let result = api.change(None, move |core, now| {
        let found: Vec<_> =
            ids.iter().filter_map(|id| core.view().instances.find(id)).map(|found| found.id.clone()).collect();
        kill_all(core, found, kill, now)
    });
    killed(result.await??, |tasks| json!({"tasks": tasks}))
}

/// `GET` and `DELETE /v2/apps/{id}/tasks`.
pub(super) async fn of_app(api: Api, id: AppId, request: Request<Body>) -> Answer {
    match *request.method() {
        Method::GET if wants_text(&request) => {
            Ok(api.ask(move |view, _| view.endpoints_of(&id)).await??.into_response())
        }
        Method::GET => shown(&json!({"tasks": api.ask(move |view, _| view.wanted_tasks(&id)).await??})),
        Method::DELETE => kill_of_app(api, id, request).await,
        _ => not_allowed(),
    }
}

/// `GET /v2/apps/{group}/*/tasks`: of all apps in a group.
pub(super) async fn of_group(api: Api, id: AppId) -> Answer {
    shown(&json!({"tasks": api.ask(move |view, _| view.tasks_of_group(&id)).await??}))
}

async fn kill_of_app(api: Api, id: AppId, request: Request<Body>) -> Answer {
    let query = Query::of(&request);
    let (kill, host) = (kill_of(&query)?, query.get("host").map(str::to_owned));
    let result = api.change(None, move |core, now| {
        let on_host =
            |found: &&Instance| host.as_ref().is_none_or(|host| host == "*" || found.place.host.as_ref() == Some(host));
        let found =
            core.view().tasks_of(&id)?.into_iter().filter(on_host).map(|found| found.id.clone()).collect::<Vec<_>>();
        kill_all(core, found, kill, now)
    });
    killed(result.await??, |tasks| json!({"tasks": tasks}))
}

/// `DELETE /v2/apps/{id}/tasks/{task}`.
pub(super) async fn kill_one(api: Api, id: AppId, task: String, request: Request<Body>) -> Answer {
    if request.method() != Method::DELETE {
        return not_allowed();
    }
    let kill = kill_of(&Query::of(&request))?;
    let result = api.change(None, move |core, now| {
        core.view().tasks_of(&id)?;
        let found = core.view().instances.find(&task).filter(|found| found.app == id).map(|found| found.id.clone());
        let found = found.ok_or_else(|| Refusal::NoTask(task.clone()))?;
        kill_all(core, [found], kill, now)
    });
    killed(result.await??, |mut tasks| json!({"task": tasks.pop()}))
}

/// The killed tasks, and the deployment if apps are scaled by it.
type Killed = (Vec<Value>, Option<Accepted>);

/// Each of them once, in the order in which they are listed elsewhere, too.
fn kill_all(
    core: &mut Core,
    ids: impl IntoIterator<Item = InstanceId>,
    kill: Kill,
    now: Now,
) -> Result<Killed, Refusal> {
    let ids: Vec<_> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let tasks = core.view().tasks_named(&ids);
    Ok((tasks, core.kill_tasks(&ids, kill, now)?))
}

fn killed((tasks, scaled): Killed, show: impl FnOnce(Vec<Value>) -> Value) -> Answer {
    scaled.map_or_else(|| shown(&show(tasks)), |scaled| changed(&scaled))
}
