//! `PUT /v2/tasks/{id}/checks`: the health checks of one task, paused for a while or for good, and resumed. `POST` there:
//! all of them made now. Neither is one of Marathon's.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use mesos::v1::cygnet::{CheckHistory, TaskHistory};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::answer::{Answer, read, shown};
use crate::core::{CheckedNow, Pause};
use crate::refusal::{Refusal, Uncheckable};
use crate::time::Timestamp;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    paused: bool,
    /// For how long; until resumed if absent.
    seconds: Option<u32>,
}

pub(super) async fn change(State(api): State<Api>, Path(task): Path<String>, request: Request<Body>) -> Answer {
    let wish: Wish = read(request).await?;
    let time = wish.seconds.map_or(Pause::Open, |seconds| Pause::For(Duration::from_secs(seconds.into())));
    let pause = wish.paused.then_some(time);
    let missing = Refusal::NoTask(task.clone());
    let paused = api.change(None, move |core, now| {
        let id = core.view().instances.find(&task)?.id.clone();
        core.pause_checks(&id, pause, now);
        core.view().paused_json(&id)
    });
    shown(&json!({"task": paused.await?.ok_or(missing)?}))
}

/// The longest wait for an agent to say that checks are made; not for what they find.
const PATIENCE: Duration = Duration::from_secs(2);

/// The body of a request to make checks now: nothing can be chosen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct All {}

pub(super) async fn make(State(api): State<Api>, Path(id): Path<String>, request: Request<Body>) -> Answer {
    let All {} = read(request).await?;
    let asked = id.clone();
    let now = api.change(None, move |core, now| core.check_now(&asked, now)).await??;
    let told = match now.by_executor {
        true => api.agents.check_now(&now.task, PATIENCE).await?,
        false => TaskHistory::default(),
    };
    let instance = now.instance.clone();
    let known = api.ask(move |view, now| view.checks_of(&instance, now)).await?;
    let checks: Vec<Value> = by_executor(&known, &told).chain(by_scheduler(&known, now.at)).collect();
    if checks.is_empty() {
        return Err(Refusal::Uncheckable(id, Uncheckable::Unchecked).into());
    }
    answered(&now, &checks)
}

fn answered(now: &CheckedNow, checks: &[Value]) -> Answer {
    let text = match checks.len() {
        1 => "its one check is made now; a failure counts".to_owned(),
        count => format!("all {count} checks of it are made now; a failure counts"),
    };
    let task = &now.task;
    shown(
        &json!({"taskId": task.task_id, "appId": now.instance.app(), "agentId": task.agent_id, "host": task.host, "checks": checks,
        "nextAction": {"kind": "check", "text": text, "at": now.at}}),
    )
}

/// The checks that the executor makes, by its own clock.
fn by_executor<'a>(known: &'a [Value], told: &'a TaskHistory) -> impl Iterator<Item = Value> + 'a {
    let asked = told.asked_ms.and_then(|ms| Some(Timestamp::from_millis(i64::try_from(ms).ok()?)));
    told.checks.iter().map(move |check| {
        let index = index(known, check);
        json!({"index": index, "name": name(known, index, check), "madeBy": "executor",
            "askedAt": asked.filter(|_| !check.paused()), "paused": check.paused()})
    })
}

/// The place of a check of the executor's among those of the app. The only one of a task has no id.
fn index(known: &[Value], check: &CheckHistory) -> Option<u64> {
    match check.id.as_deref() {
        Some(id) => id.parse().ok(),
        None => known.iter().find(|known| known["madeBy"] == "executor")?["index"].as_u64(),
    }
}

fn name(known: &[Value], index: Option<u64>, check: &CheckHistory) -> Value {
    let found = known.iter().find(|known| index.is_some_and(|index| known["index"] == index));
    found.map_or_else(|| json!(check.name), |known| known["name"].clone())
}

fn by_scheduler(known: &[Value], at: Timestamp) -> impl Iterator<Item = Value> {
    let own = known.iter().filter(|check| check["madeBy"] == "scheduler");
    own.map(move |check| {
        json!({"index": check["index"], "name": check["name"], "madeBy": "scheduler", "askedAt": at, "paused": false})
    })
}
