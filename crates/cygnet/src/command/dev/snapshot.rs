//! The state of all apps at one moment, as it is shown. Pure: the JSON of the scheduler's API in, rows out.

use serde_json::Value;

use super::why::of_task;
use crate::command::table::{items, state, text};
use crate::command::task::{causes, judged, ports, progress};
use crate::command::why::{self, Style, next};

/// All apps at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Snapshot {
    pub rows: Vec<Row>,
    pub failures: Vec<Failure>,
    pub held: Vec<Held>,
}

/// An app whose unhealthy tasks are not killed for now, because too many are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    pub app: String,
    pub tasks: u64,
    /// The part of what may be killed that is used up, where that is known.
    pub used: Option<(u64, u64)>,
}

/// One task, or the instances of an app that have none yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub app: String,
    /// Empty for instances that wait.
    pub task: String,
    pub state: String,
    pub health: &'static str,
    /// The number of its checks that pass, and of all of them.
    pub checks: (usize, usize),
    /// The checks that fail, with their causes.
    pub last_failure: String,
    /// The same with what is next and when: it changes from moment to moment.
    pub why: String,
    pub ports: String,
    pub started_at: String,
    /// 1, but for instances that wait.
    pub instances: u64,
}

/// The bad end of the task of an app, the latest one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub app: String,
    pub task: String,
    pub state: String,
    pub message: String,
    pub at: String,
}

impl Held {
    /// In words.
    pub(super) fn text(&self) -> String {
        let used = self.used.map_or_else(String::new, |(used, most)| format!(": {used} of {most} used"));
        format!("{}: held by the brake{used}; {} unhealthy and not killed for now", self.app, self.tasks)
    }
}

impl Row {
    /// True if there is nothing to tell of that is different.
    pub(super) fn is_as(&self, other: &Row) -> bool {
        Row { why: other.why.clone(), ..self.clone() } == *other
    }
}

impl Snapshot {
    /// From `/v2/apps` with tasks and last failures.
    pub(super) fn of(answer: &Value) -> Snapshot {
        let apps = || answer["apps"].as_array().into_iter().flatten();
        Snapshot {
            rows: apps().flat_map(rows).collect(),
            failures: apps().filter_map(failure).collect(),
            held: apps().filter_map(held).collect(),
        }
    }

    pub(super) fn row(&self, like: &Row) -> Option<&Row> {
        self.rows.iter().find(|row| row.app == like.app && row.task == like.task)
    }
}

fn rows(app: &Value) -> Vec<Row> {
    let tasks = app["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    let waiting = app["instances"].as_u64().unwrap_or(0).saturating_sub(tasks.len() as u64);
    let action = items(&app["waiting"]).iter().map(|one| &one["nextAction"]).find(|action| action.is_object());
    let why = action.map(|action| next(action, Style::Clock)).unwrap_or_default();
    let waits = || Row {
        app: text(&app["id"]),
        state: "waiting".into(),
        health: "-",
        why,
        instances: waiting,
        ..Row::default()
    };
    tasks.iter().map(|task| row(app, task)).chain((waiting > 0).then(waits)).collect()
}

fn row(app: &Value, task: &Value) -> Row {
    let results = task["healthCheckResults"].as_array().map_or(&[][..], Vec::as_slice);
    let defined = app["healthChecks"].as_array().map_or(0, Vec::len);
    Row {
        app: text(&app["id"]),
        task: text(&task["id"]),
        state: state(&task["state"]),
        health: judged(results, defined),
        checks: (results.iter().filter(|result| result["alive"] == true).count(), defined),
        last_failure: last_failure(task, results),
        why: of_task(task),
        ports: ports(task),
        started_at: text(&task["startedAt"]),
        instances: 1,
    }
}

/// A scheduler of before tells no reasons.
fn last_failure(task: &Value, results: &[Value]) -> String {
    let causes = || if task["health"].is_object() { why::causes(task) } else { causes(results) };
    progress(task).unwrap_or_else(causes)
}

fn held(app: &Value) -> Option<Held> {
    let tasks = app["tasksHeldUnhealthy"].as_u64().filter(|&tasks| tasks > 0)?;
    let kills = &app["healthKills"];
    Some(Held { app: text(&app["id"]), tasks, used: kills["used"].as_u64().zip(kills["most"].as_u64()) })
}

fn failure(app: &Value) -> Option<Failure> {
    let failure = app["lastTaskFailure"].as_object()?;
    let field = |name: &str| failure.get(name).map(text).unwrap_or_default();
    Some(Failure {
        app: text(&app["id"]),
        task: field("taskId"),
        state: field("state").trim_start_matches("TASK_").to_lowercase(),
        message: field("message"),
        at: field("timestamp"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn app(checks: usize, results: Value) -> Value {
        let checks = vec![json!({}); checks];
        json!({"id": "/web", "instances": 1, "healthChecks": checks, "tasks": [{"id": "web.instance-1._app.1",
            "state": "TASK_RUNNING", "ports": [31000, 31001], "healthCheckResults": results}]})
    }

    fn health_of(checks: usize, results: Value) -> &'static str {
        Snapshot::of(&json!({"apps": [app(checks, results)]})).rows[0].health
    }

    #[test]
    fn every_check_has_a_say() {
        assert_eq!(health_of(0, json!([])), "-");
        assert_eq!(health_of(1, json!([])), "unknown");
        assert_eq!(health_of(1, json!([{"alive": true}])), "healthy");
        assert_eq!(health_of(2, json!([{"alive": true}])), "unknown");
        assert_eq!(health_of(2, json!([{"alive": false}])), "unhealthy");
        assert_eq!(health_of(2, json!([{"alive": true}, {"alive": true}])), "healthy");
    }

    #[test]
    fn a_task_is_a_row() {
        let results = json!([{"alive": false, "lastFailureCause": "connection refused"}]);
        let snapshot = Snapshot::of(&json!({"apps": [app(1, results)]}));
        let row = &snapshot.rows[0];
        assert_eq!((row.state.as_str(), row.ports.as_str(), row.checks), ("running", "31000,31001", (0, 1)));
        assert_eq!((row.last_failure.as_str(), row.instances), ("connection refused", 1));
    }

    #[test]
    fn a_brake_that_holds_is_seen() {
        let held = |tasks: u64| {
            let mut app = app(0, json!([]));
            app["tasksHeldUnhealthy"] = json!(tasks);
            app["healthKills"] = json!({"used": 2, "most": 3});
            Snapshot::of(&json!({"apps": [app]})).held
        };
        assert_eq!((held(0), held(3)[0].used), (Vec::new(), Some((2, 3))));
        assert_eq!(held(3)[0].text(), "/web: held by the brake: 2 of 3 used; 3 unhealthy and not killed for now");
    }

    #[test]
    fn instances_without_a_task_wait_for_something() {
        let mut app = app(0, json!([]));
        app["instances"] = json!(3);
        app["waiting"] = json!([{"nextAction": {"kind": "offer", "text": "waits for an offer"}}]);
        let rows = Snapshot::of(&json!({"apps": [app]})).rows;
        assert_eq!((rows.len(), rows[1].state.as_str(), rows[1].instances), (2, "waiting", 2));
        assert_eq!(rows[1].why, "waits for an offer");
        let other = Row { why: "other".into(), ..rows[1].clone() };
        assert!(rows[1].is_as(&other) && !rows[1].is_as(&Row { instances: 3, ..other.clone() }));
    }

    #[test]
    fn what_is_not_an_answer_is_empty() {
        for answer in [json!(null), json!({"apps": 7}), json!({"apps": [{}]}), json!({"apps": [null]})] {
            assert_eq!(Snapshot::of(&answer), Snapshot::default(), "{answer}");
        }
    }
}
