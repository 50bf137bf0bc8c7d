//! A definition that is there already, and changes nothing: whether the app is well is to be said all the same. In: an app
//! as the API has it with `embed=apps.health`. Out: the deployment that still makes it so, or why it is not well.

use serde_json::Value;

use super::look::look;
use crate::api::Api;
use crate::command::table::{items, text};
use crate::command::why::{Style, causes, next};

/// The deployment under way that an app is part of.
pub(super) async fn under_way(api: &Api, app: &str) -> Option<String> {
    items(&look(api, app).await?["deployments"]).first().map(|deployment| text(&deployment["id"]))
}

/// The reason why an app or a pod is not well, if it is not. Nothing is known of a group.
pub(super) async fn trouble(api: &Api, app: &str) -> Option<String> {
    trouble_of(&look(api, app).await?)
}

fn trouble_of(app: &Value) -> Option<String> {
    let waiting = items(&app["waiting"]).first().map(|waiting| next(&waiting["nextAction"], Style::Clock));
    let failing = || items(&app["tasks"]).iter().map(causes).find(|causes| !causes.is_empty());
    waiting.or_else(failing)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_waits_or_fails_its_checks_is_not_well() {
        let next =
            json!({"kind": "launch", "text": "is launched again after 7 failures", "at": "2026-01-02T10:20:30.1Z"});
        let waits = json!({"waiting": [{"nextAction": next}], "tasks": []});
        assert_eq!(trouble_of(&waits).unwrap(), "is launched again after 7 failures, at 10:20:30 UTC");
        let task = |verdict: &str| json!({"health": {"checks": [{"name": "front", "verdict": verdict, "lastFailureCause": "timeout"}]}});
        let fails = json!({"tasks": [task("healthy"), task("unhealthy")]});
        assert_eq!(trouble_of(&fails).unwrap(), "front: timeout");
        assert_eq!(trouble_of(&json!({"waiting": [], "tasks": [task("healthy")]})), None);
        assert_eq!(trouble_of(&Value::Null), None);
    }
}
