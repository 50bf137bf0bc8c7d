//! The state of all apps at one moment, as it is shown. Pure: the JSON of the scheduler's API in, rows out.

use serde_json::Value;

use crate::command::table::text;
use crate::command::task::{causes, judged, ports, progress};

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
    pub last_failure: String,
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
        format!("{}: {} unhealthy and not killed for now, because many were", self.app, self.tasks)
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
    let waits =
        || Row { app: text(&app["id"]), state: "waiting".into(), health: "-", instances: waiting, ..Row::default() };
    tasks.iter().map(|task| row(app, task)).chain((waiting > 0).then(waits)).collect()
}

fn row(app: &Value, task: &Value) -> Row {
    let results = task["healthCheckResults"].as_array().map_or(&[][..], Vec::as_slice);
    let defined = app["healthChecks"].as_array().map_or(0, Vec::len);
    Row {
        app: text(&app["id"]),
        task: text(&task["id"]),
        state: text(&task["state"]).trim_start_matches("TASK_").to_lowercase(),
        health: judged(results, defined),
        checks: (results.iter().filter(|result| result["alive"] == true).count(), defined),
        last_failure: progress(task).unwrap_or_else(|| causes(results)),
        ports: ports(task),
        started_at: text(&task["startedAt"]),
        instances: 1,
    }
}

fn held(app: &Value) -> Option<Held> {
    let tasks = app["tasksHeldUnhealthy"].as_u64().filter(|&tasks| tasks > 0)?;
    Some(Held { app: text(&app["id"]), tasks })
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
            Snapshot::of(&json!({"apps": [app]})).held
        };
        assert_eq!((held(0), held(3)), (Vec::new(), vec![Held { app: "/web".into(), tasks: 3 }]));
    }

    #[test]
    fn instances_without_a_task_wait() {
        let mut app = app(0, json!([]));
        app["instances"] = json!(3);
        let rows = Snapshot::of(&json!({"apps": [app]})).rows;
        assert_eq!((rows.len(), rows[1].state.as_str(), rows[1].instances), (2, "waiting", 2));
    }

    #[test]
    fn what_is_not_an_answer_is_empty() {
        for answer in [json!(null), json!({"apps": 7}), json!({"apps": [{}]}), json!({"apps": [null]})] {
            assert_eq!(Snapshot::of(&answer), Snapshot::default(), "{answer}");
        }
    }
}
