//! The moments after deployments succeeded. An app with checks was waited for until they had their say. One without counts
//! as started as soon as its tasks run: whether it stays is seen only after that.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::crashes::{self, Crash};
use super::ends::Done;
use super::look::look;
use crate::api::Api;
use crate::command::table::items;

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// An app that was started, and when.
#[derive(Debug)]
pub(super) struct Started {
    pub app: String,
    pub since: String,
}

/// The apps of deployments that started instances and cannot say for themselves how they are.
pub(super) async fn unchecked(api: &Api, dones: &[&Done]) -> Vec<Started> {
    let mut found = Vec::new();
    for done in dones {
        for app in &done.apps {
            // An app that cannot be seen is not known to fail.
            let seen = look(api, app).await;
            if seen.is_some_and(|seen| has_no_checks(&seen) && has_new(&seen, &done.version)) {
                found.push(Started { app: app.clone(), since: done.version.clone() });
            }
        }
    }
    found
}

/// Looks on for so long, or until none is left; what did not stay is there by app, also if nobody waits to the end.
pub(super) async fn look_on(api: &Api, started: &[Started], time: Duration, found: &mut BTreeMap<String, Crash>) {
    if time.is_zero() {
        return;
    }
    let looking = async {
        while started.iter().any(|one| !found.contains_key(&one.app)) {
            for one in started {
                if found.contains_key(&one.app) {
                    continue;
                }
                // A scheduler that does not answer says nothing of the app.
                let Some(seen) = look(api, &one.app).await else { continue };
                let crash = crashes::first(&seen, &one.since);
                found.extend(crash.map(|crash| (one.app.clone(), crash)));
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    // The end of the time is what is hoped for.
    let _ = tokio::time::timeout(time, looking).await;
}

fn has_no_checks(app: &Value) -> bool {
    app.is_object() && items(&app["healthChecks"]).is_empty() && app["instances"] != 0
}

/// True if an instance was launched since then, or is about to be.
fn has_new(app: &Value, since: &str) -> bool {
    let is_new = |task: &Value| task["stagedAt"].as_str().is_some_and(|staged| staged >= since);
    items(&app["tasks"]).iter().chain(items(&app["ended"])).any(is_new) || !items(&app["waiting"]).is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_app_with_checks_or_without_instances_is_not_looked_at() {
        for (checks, instances, is_so) in [(json!([]), 1, true), (json!([{}]), 1, false), (json!([]), 0, false)] {
            assert_eq!(has_no_checks(&json!({"healthChecks": checks, "instances": instances})), is_so);
        }
        assert!(!has_no_checks(&Value::Null));
    }

    #[test]
    fn what_runs_already_needs_no_look() {
        let (before, since) = ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z");
        assert!(!has_new(&json!({"tasks": [{"stagedAt": before}], "ended": [{"stagedAt": before}]}), since));
        assert!(has_new(&json!({"tasks": [{"stagedAt": before}, {"stagedAt": since}]}), since));
        assert!(has_new(&json!({"tasks": [], "ended": [{"stagedAt": since}]}), since), "it ended already");
        assert!(has_new(&json!({"tasks": [], "waiting": [{}]}), since));
    }
}
