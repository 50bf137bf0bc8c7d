//! Past attempts of health checks, asked of the executors when somebody wants to know. Not one of Marathon's.
//!
//! `GET /v2/tasks/{id}/history` has those of one task; [`add_times`] adds to an app what they amount to.

use std::time::Duration;

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Api;
use super::answer::{Answer, Rejected, shown};
use crate::agents::Histories;
use crate::core::{Life, Whereabouts};
use crate::health::History;
use crate::ids::AppId;
use crate::refusal::Refusal;

/// The longest wait for the history of one task.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest wait for what is only added to an app.
const HASTE: Duration = Duration::from_millis(500);

/// The most tasks of an app that are asked about.
const MOST: usize = 500;

pub(super) async fn show(State(api): State<Api>, Path(task): Path<String>) -> Answer {
    let missing = Refusal::NoTask(task.clone());
    let task = api.ask(move |view, _| view.whereabouts(&task)).await?.ok_or(missing)?;
    let (checks, ended) = match &task.life {
        Life::Over(Some(ended)) => (ended.end().checks.clone(), json!(ended)),
        Life::Over(None) => return Err(Rejected::new(410, "The task is over, and nobody kept what its checks found")),
        Life::Starting | Life::Running => (present(&api, &task).await?, Value::Null),
    };
    shown(
        &json!({"taskId": task.task_id, "agentId": task.agent_id, "host": task.host, "checks": checks, "ended": ended}),
    )
}

async fn present(api: &Api, task: &Whereabouts) -> Result<Vec<History>, Rejected> {
    let Histories { mut told, faults } = api.agents.histories(std::slice::from_ref(task), PATIENCE).await;
    match (told.remove(&task.task_id), faults.into_iter().next()) {
        (Some(checks), _) => Ok(checks),
        (None, Some(fault)) => Err(fault.into()),
        (None, None) => Err(Rejected::new(502, format!("The agent {} says nothing of the task", task.agent_id))),
    }
}

/// Adds to the checks of an app's tasks when their executors last heard of them, and how long attempts take; and to the app
/// which agents did not tell.
pub(super) async fn add_times(api: &Api, id: AppId, app: &mut Value) -> Result<(), Rejected> {
    let asked = id.clone();
    let mut tasks = api.ask(move |view, _| view.checked_by_executors(&asked)).await?;
    tasks.truncate(MOST);
    let answer = api.agents.histories_of(id, &tasks, HASTE).await;
    let Histories { told, faults } = &*answer;
    for task in app["tasks"].as_array_mut().into_iter().flatten() {
        let history = task["id"].as_str().and_then(|id| told.get(id));
        let checks = task["health"]["checks"].as_array_mut();
        for (check, history) in checks.into_iter().flatten().filter_map(|check| of_check(check, history?)) {
            add(check, history);
        }
    }
    if !faults.is_empty() {
        let fault = |fault: &crate::agents::AgentError| {
            let agent = fault.agent();
            json!({"agentId": agent.id, "host": agent.host, "message": format!("The {fault}")})
        };
        app["untold"] = faults.iter().map(fault).collect();
    }
    Ok(())
}

fn of_check<'a, 'b>(check: &'a mut Value, history: &'b [History]) -> Option<(&'a mut Value, &'b History)> {
    let index = check["index"].to_string();
    let found = history.iter().find(|history| history.id.as_ref() == Some(&index))?;
    Some((check, found))
}

fn add(check: &mut Value, history: &History) {
    if let Some(heard) = history.last_heard() {
        check["lastHeard"] = json!(heard);
    }
    for (name, seconds) in [("p50Seconds", history.p50_seconds), ("p99Seconds", history.p99_seconds)] {
        if let Some(seconds) = seconds {
            check[name] = json!(seconds);
        }
    }
}
