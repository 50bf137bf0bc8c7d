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
/// which agents did not tell, and of how many tasks none was asked.
pub(super) async fn add_times(api: &Api, id: AppId, app: &mut Value) -> Result<(), Rejected> {
    let asked = id.clone();
    let tasks = api.ask(move |view, _| view.checked_by_executors(&asked)).await?;
    let (tasks, unasked) = within_bounds(tasks);
    let answer = api.agents.histories_of(id, &tasks, HASTE).await;
    add_all(app, &answer);
    if unasked > 0 {
        app["unasked"] = json!(unasked);
    }
    Ok(())
}

/// The tasks that are asked about, and the number of the others.
fn within_bounds<T>(mut tasks: Vec<T>) -> (Vec<T>, usize) {
    let others = tasks.len().saturating_sub(MOST);
    tasks.truncate(MOST);
    (tasks, others)
}

fn add_all(app: &mut Value, Histories { told, faults }: &Histories) {
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
}

/// The history of a check of the executor's. The only one of a task has no id.
fn of_check<'a, 'b>(check: &'a mut Value, history: &'b [History]) -> Option<(&'a mut Value, &'b History)> {
    let index = check["index"].to_string();
    let is_it = |history: &&History| history.id.as_ref().is_none_or(|id| *id == index);
    let found = history.iter().find(|history| check["madeBy"] == "executor" && is_it(history))?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn app(checks: &[&str]) -> Value {
        let check = |(index, by): (usize, &&str)| json!({"index": index, "madeBy": by});
        let checks: Vec<_> = checks.iter().enumerate().map(check).collect();
        json!({"tasks": [{"id": "t", "health": {"checks": checks}}, {"id": "untold", "health": {"checks": checks}}]})
    }

    fn told(histories: &Value) -> Histories {
        let histories = serde_json::from_value(histories.clone()).unwrap();
        Histories { told: BTreeMap::from([("t".to_owned(), histories)]), faults: Vec::new() }
    }

    /// The half of the attempts of each check of the first task.
    fn halves(mut app: Value, histories: &Value) -> Vec<Value> {
        add_all(&mut app, &told(histories));
        assert!(app["untold"].is_null() && app["tasks"][1]["health"]["checks"][0]["p50Seconds"].is_null());
        app["tasks"][0]["health"]["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| check["p50Seconds"].clone())
            .collect()
    }

    #[test]
    fn each_check_of_an_executor_has_its_times_an_only_one_without_an_id_too() {
        let two = json!([{"id": "2", "p50_seconds": 0.2}, {"id": "0", "p50_seconds": 0.1}]);
        let shown = halves(app(&["executor", "scheduler", "executor"]), &two);
        assert_eq!(shown, [json!(0.1), Value::Null, json!(0.2)]);
        let only = json!([{"p50_seconds": 0.3}]);
        assert_eq!(halves(app(&["executor"]), &only), [json!(0.3)]);
        assert_eq!(halves(app(&["scheduler", "executor"]), &only), [Value::Null, json!(0.3)]);
    }

    #[test]
    fn tasks_that_are_too_many_are_counted() {
        let asked = |tasks: usize| {
            let (asked, unasked) = within_bounds(vec![(); tasks]);
            (asked.len(), unasked)
        };
        assert_eq!([asked(0), asked(MOST), asked(MOST + 3)], [(0, 0), (MOST, 0), (MOST, 3)]);
    }
}
