//! The moments after a deployment succeeded. An app without checks counts as started as soon as its tasks run: one that
//! ends at once is seen only after that.

use std::time::Duration;

use serde_json::Value;

use super::ends::Done;
use crate::api::{Api, path};
use crate::command::table::{items, text};

/// The time to look on.
const SETTLE: Duration = Duration::from_secs(1);

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// Looks on for a moment; comes back with why something that was started does not stay.
pub(super) async fn fault(api: &Api, done: &Done) -> Option<String> {
    let looking = async {
        loop {
            for app in &done.apps {
                // An app that cannot be seen is not known to fail.
                if let Some(fault) =
                    api.get(&path("apps", app)).await.ok().and_then(|answer| crash(&answer["app"], done))
                {
                    return fault;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    if unchecked(api, done).await { tokio::time::timeout(SETTLE, looking).await.ok() } else { None }
}

/// True if any of the apps has no checks: all others were waited for until they were healthy.
async fn unchecked(api: &Api, done: &Done) -> bool {
    for app in &done.apps {
        if api.get(&path("apps", app)).await.is_ok_and(|answer| has_no_checks(&answer["app"])) {
            return true;
        }
    }
    false
}

fn has_no_checks(app: &Value) -> bool {
    app.is_object() && items(&app["healthChecks"]).is_empty() && app["instances"] != 0
}

/// A failure since the change, while instances are missing.
fn crash(app: &Value, done: &Done) -> Option<String> {
    let failure = &app["lastTaskFailure"];
    let since_then = text(&failure["timestamp"]) >= done.version;
    let missing = app["tasksRunning"].as_u64() < app["instances"].as_u64();
    let fails = has_no_checks(app) && failure.is_object() && since_then && missing;
    fails.then(|| {
        let [id, task, state, message] =
            [&app["id"], &failure["taskId"], &failure["state"], &failure["message"]].map(text);
        let [state, message] = [state.trim_start_matches("TASK_").to_lowercase(), message.trim().to_owned()];
        format!(
            "{id} started and does not stay: {task} {state}: {message}; `cygnet task logs {task}` prints what it wrote"
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn app(checks: Value, at: &str, running: u64) -> Value {
        json!({"id": "/a", "instances": 1, "tasksRunning": running, "healthChecks": checks, "lastTaskFailure":
            {"taskId": "a.1", "state": "TASK_FAILED", "message": "Command exited with status 3", "timestamp": at}})
    }

    #[test]
    fn only_a_failure_since_the_change_of_an_app_that_misses_instances_is_a_crash() {
        let done = Done { version: "2026-01-02T00:00:00.000Z".to_owned(), apps: Vec::new() };
        let (before, after) = ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.100Z");
        let fault = crash(&app(json!([]), after, 0), &done).unwrap();
        assert!(fault.contains("a.1 failed: Command exited with status 3"), "{fault}");
        assert_eq!(crash(&app(json!([]), before, 0), &done), None);
        assert_eq!(crash(&app(json!([]), after, 1), &done), None);
        assert_eq!(crash(&app(json!([{}]), after, 0), &done), None, "its checks have had their say");
        assert_eq!(crash(&json!(null), &done), None);
    }
}
