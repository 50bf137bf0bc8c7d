//! Pods whose containers are tasks: in, the status of a pod with its reasons; out, the same in the shape of an app with
//! `embed=apps.health`, a task for each container, and an end for each that ended. Pure, but for [`all`].

use serde_json::{Value, json};

use crate::api::{Api, path};
use crate::command::table::{items, text};
use crate::command::why::each_end;

/// The status of all pods, with the reasons.
pub(super) const STATUS: &str = "/v2/pods::status?embed=health";

/// All pods as apps.
pub(super) async fn all(api: &Api) -> anyhow::Result<Vec<Value>> {
    Ok(items(&api.get(STATUS).await?).iter().map(as_app).collect())
}

/// One of them.
pub(super) async fn one(api: &Api, id: &str) -> anyhow::Result<Value> {
    Ok(as_app(&api.get(&(path("pods", id) + "::status?embed=health")).await?))
}

/// A pod as an app.
pub(super) fn as_app(status: &Value) -> Value {
    let tasks: Vec<Value> = items(&status["instances"]).iter().flat_map(|one| tasks(&status["id"], one)).collect();
    let ended: Vec<Value> = items(&status["ended"]).iter().flat_map(each_end).collect();
    json!({"id": status["id"], "isPod": true, "tasks": tasks, "waiting": status["waiting"], "ended": ended})
}

/// The containers of an instance that are not over.
fn tasks(pod: &Value, instance: &Value) -> Vec<Value> {
    let open = items(&instance["containers"]).iter().filter(|container| container["termination"].is_null());
    open.map(|container| task(pod, instance, container)).collect()
}

fn task(pod: &Value, instance: &Value, container: &Value) -> Value {
    let ports = items(&container["endpoints"]).iter().map(|endpoint| &endpoint["allocatedHostPort"]);
    let ports: Vec<&Value> = ports.filter(|port| !port.is_null()).collect();
    let mut task = json!({
        "id": container["containerId"], "appId": pod, "state": container["status"], "ports": ports,
        "host": instance["agentHostname"], "slaveId": instance["agentId"], "health": health(instance, container),
    });
    let is = |state: &str| container["status"] == state;
    if is("TASK_RUNNING") {
        task["startedAt"] = container["statusSince"].clone();
    }
    if is("TASK_STAGING") {
        task["message"] = container["message"].clone();
    }
    if let Some((_, version)) = text(&instance["specReference"]).rsplit_once('/') {
        task["version"] = json!(version);
    }
    task
}

/// The health of its instance, with its own check alone.
fn health(instance: &Value, container: &Value) -> Value {
    let (mut health, own) = (instance["health"].clone(), &container["health"]);
    let is_own = |change: &&Value| !own.is_null() && change["check"] == own["index"];
    let changes: Vec<Value> = items(&health["changes"]).iter().filter(is_own).cloned().collect();
    let checks: Vec<&Value> = Some(own).filter(|own| !own.is_null()).into_iter().collect();
    let verdict = own["verdict"].as_str().unwrap_or("unknown").to_owned();
    let since = container["statusSince"].clone();
    health["checks"] = json!(checks);
    (health["changes"], health["verdict"], health["since"]) = (json!(changes), json!(verdict), since);
    health
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Value {
        let check = |index: u64, verdict: &str| json!({"index": index, "name": "front", "verdict": verdict});
        let container = |name: &str, health: Value| {
            json!({"name": name, "containerId": format!("p.instance-0123456789.{name}.2"), "status": "TASK_RUNNING",
                "statusSince": "2026-01-01T00:00:00.000Z", "health": health, "endpoints": [{"name": "http", "allocatedHostPort": 31000}]})
        };
        let change = |check: u64| json!({"check": check, "verdict": "healthy", "at": "2026-01-01T00:00:00.000Z"});
        let mut over = container("init", Value::Null);
        over["termination"] = json!({"message": "done"});
        let containers = [container("web", check(0, "unhealthy")), container("log", Value::Null), over];
        let end = |name: &str, said: &str| {
            json!({"name": name, "taskId": format!("p.instance-0123456789.{name}.1"), "state": "TASK_FAILED", "lastErrors": said,
                "message": "", "killedForHealth": false, "endedAt": "2026-01-01T00:00:00.000Z", "checks": []})
        };
        json!({"id": "/p", "waiting": [], "instances": [{"agentHostname": "box", "agentId": "S0", "containers": containers,
            "specReference": "/v2/pods/p::versions/V1",
            "health": {"checks": [check(0, "unhealthy"), check(1, "healthy")], "changes": [change(0), change(1)], "verdict": "unhealthy"}}],
            "ended": [{"taskId": "p.instance-0123456789.web.1", "app": "/p", "host": "box", "exitStatus": 3, "unhealthyCause": "503",
                "containers": [end("web", "oh"), end("log", "so")]}]})
    }

    #[test]
    fn each_container_is_a_task_with_its_own_check() {
        let app = as_app(&status());
        let tasks = items(&app["tasks"]);
        assert_eq!(tasks.len(), 2, "what is over is none");
        let [web, log] = [&tasks[0], &tasks[1]];
        assert_eq!((&web["id"], &web["ports"]), (&json!("p.instance-0123456789.web.2"), &json!([31000])));
        assert_eq!((&web["health"]["verdict"], &log["health"]["verdict"]), (&json!("unhealthy"), &json!("unknown")));
        assert_eq!([web, log].map(|task| items(&task["health"]["checks"]).len()), [1, 0]);
        assert_eq!([web, log].map(|task| items(&task["health"]["changes"]).len()), [1, 0]);
        assert_eq!((&web["version"], &web["host"]), (&json!("V1"), &json!("box")));
    }

    #[test]
    fn each_container_that_ended_is_an_end_of_its_own() {
        let app = as_app(&status());
        let ended = items(&app["ended"]);
        assert_eq!(ended.len(), 2);
        assert_eq!(
            (&ended[1]["lastErrors"], &ended[1]["app"], &ended[1]["host"]),
            (&json!("so"), &json!("/p"), &json!("box"))
        );
        assert_eq!(ended[1]["taskId"], "p.instance-0123456789.log.1");
        assert!(
            ended[1]["exitStatus"].is_null() && ended[1]["unhealthyCause"].is_null(),
            "those of another: {}",
            ended[1]
        );
    }
}
