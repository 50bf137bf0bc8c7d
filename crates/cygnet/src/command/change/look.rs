//! An app or a pod as it is now, in the shape of an app with `embed=apps.health`: a pod's instances are its tasks, and the
//! checks of its containers are its checks.

use serde_json::{Value, json};

use crate::api::{Api, path};
use crate::command::table::items;

/// Nothing of one that cannot be seen: it is not known to fail.
pub(super) async fn look(api: &Api, id: &str) -> Option<Value> {
    if let Ok(mut answer) = api.get(&(path("apps", id) + "?embed=apps.health")).await {
        return Some(answer["app"].take());
    }
    let status = api.get(&(path("pods", id) + "::status?embed=health")).await.ok()?;
    Some(as_app(&status))
}

fn as_app(status: &Value) -> Value {
    let containers = items(&status["spec"]["containers"]);
    let checks: Vec<_> =
        containers.iter().map(|container| &container["healthCheck"]).filter(|one| !one.is_null()).collect();
    let tasks = items(&status["instances"]).iter();
    let tasks: Vec<_> = tasks.map(|one| json!({"stagedAt": one["statusSince"], "health": one["health"]})).collect();
    json!({
        "id": status["id"], "isPod": true, "healthChecks": checks, "instances": status["spec"]["scaling"]["instances"],
        "tasks": tasks, "waiting": status["waiting"], "ended": status["ended"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_seen_as_an_app_is() {
        let status = json!({"id": "/p", "spec": {"containers": [{"name": "a"}, {"name": "b", "healthCheck": {"http": {}}}],
            "scaling": {"kind": "fixed", "instances": 2}}, "instances": [{"statusSince": "2026-01-01T00:00:00.000Z",
            "health": {"checks": []}}], "waiting": [], "ended": [{"taskId": "p.1"}]});
        let seen = as_app(&status);
        assert_eq!((&seen["id"], &seen["instances"], items(&seen["healthChecks"]).len()), (&json!("/p"), &json!(2), 1));
        assert_eq!(seen["tasks"][0]["stagedAt"], "2026-01-01T00:00:00.000Z");
        assert_eq!(seen["ended"][0]["taskId"], "p.1");
    }
}
