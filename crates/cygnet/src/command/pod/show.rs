//! Pods, as people read them.

use std::process::ExitCode;

use serde_json::Value;

use crate::api::Api;
use crate::command::age::since;
use crate::command::kind::Kind;
use crate::command::table::{Table, items, print, table, text};
use crate::output::{json_line, line};

pub(super) async fn list(api: &Api) -> anyhow::Result<ExitCode> {
    let pods = api.get("/v2/pods::status").await?;
    match items(&pods) {
        _ if api.json => json_line(pods),
        [] => line("there are no pods: `cygnet pod run FILE` makes some"),
        pods => print(&pods_table(pods)),
    }
    Ok(ExitCode::SUCCESS)
}

/// One line for each pod.
fn pods_table(pods: &[Value]) -> Table {
    let mut table = table(&["pod", "status", "wanted", "stable", "containers"]);
    for pod in pods {
        let stable = items(&pod["instances"]).iter().filter(|one| one["status"] == "STABLE").count();
        let names = items(&pod["spec"]["containers"]).iter().map(|one| text(&one["name"]));
        let names = names.collect::<Vec<_>>().join(", ");
        let wanted = text(&pod["spec"]["scaling"]["instances"]);
        table.add_row([text(&pod["id"]), text(&pod["status"]), wanted, stable.to_string(), names]);
    }
    table
}

pub(super) async fn one(api: &Api, id: &str, version: Option<&str>) -> anyhow::Result<ExitCode> {
    if let Some(version) = version {
        return Kind::Pod.show_version(api, id, version).await;
    }
    let pod = api.get(&(Kind::Pod.path(id) + "::status")).await?;
    if api.json {
        json_line(pod);
    } else {
        summary(&pod).iter().for_each(line);
        print(&instances_table(items(&pod["instances"])));
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(pod: &Value) -> Vec<String> {
    let mut lines = vec![format!("{} version {}", text(&pod["id"]), text(&pod["spec"]["version"]))];
    let (wanted, there) = (text(&pod["spec"]["scaling"]["instances"]), items(&pod["instances"]));
    let stable = there.iter().filter(|one| one["status"] == "STABLE").count();
    lines.push(format!("{}: {stable} of {wanted} stable", text(&pod["status"])));
    if let Some(last) = items(&pod["terminationHistory"]).first() {
        let ago = since(&text(&last["terminatedAt"]));
        lines.push(format!("last failure, {ago} ago: {}", text(&last["message"])));
        for container in items(&last["containers"]) {
            let [id, state] = ["containerId", "lastKnownState"].map(|name| text(&container[name]));
            lines.push(format!("    {id} {state} {}", text(&container["termination"]["message"])));
        }
    }
    lines
}

/// Instances, and their containers below each.
fn instances_table(instances: &[Value]) -> Table {
    let mut table = table(&["instance, containers", "status", "healthy", "for", "agent", "ports"]);
    for instance in instances {
        let [id, status, agent] = ["id", "status", "agentHostname"].map(|name| text(&instance[name]));
        table.add_row([id, status, String::new(), since(&text(&instance["statusSince"])), agent, String::new()]);
        for container in items(&instance["containers"]) {
            table.add_row(container_row(container));
        }
    }
    table
}

fn container_row(container: &Value) -> [String; 6] {
    let condition = items(&container["conditions"]).iter().find(|condition| condition["name"] == "healthy");
    let healthy = match condition {
        None => "-".to_owned(),
        Some(condition) if condition["reason"] == "health-unreported-by-mesos" => "not known yet".to_owned(),
        Some(condition) => text(&condition["value"]),
    };
    let port = |endpoint: &Value| match endpoint["allocatedHostPort"].as_u64() {
        Some(port) => format!("{} {port}", text(&endpoint["name"])),
        None => text(&endpoint["name"]),
    };
    let ports = items(&container["endpoints"]).iter().map(port).collect::<Vec<_>>().join(", ");
    let age = since(&text(&container["statusSince"]));
    [format!("  {}", text(&container["name"])), text(&container["status"]), healthy, age, String::new(), ports]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Value {
        json!({"id": "/pod", "status": "DEGRADED", "spec": {"version": "v", "scaling": {"instances": 2},
                "containers": [{"name": "web"}, {"name": "log"}]},
            "instances": [{"id": "pod.instance-u", "status": "DEGRADED", "agentHostname": "box", "containers": [
                {"name": "web", "status": "TASK_RUNNING", "endpoints": [{"name": "http", "allocatedHostPort": 31000}],
                    "conditions": [{"name": "healthy", "value": "false", "reason": "health-unreported-by-mesos"}]},
                {"name": "log", "status": "TASK_RUNNING"}]}],
            "terminationHistory": [{"message": "Command exited with status 3", "containers": [
                {"containerId": "pod.instance-u.web.1", "lastKnownState": "TASK_FAILED",
                    "termination": {"exitCode": 3, "message": "Command exited with status 3"}}]}]})
    }

    #[test]
    fn a_pod_is_summed_up() {
        let lines = summary(&pod());
        assert_eq!(lines[..2], ["/pod version v", "DEGRADED: 0 of 2 stable"]);
        assert!(lines[3].ends_with("pod.instance-u.web.1 TASK_FAILED Command exited with status 3"), "{lines:?}");
        let table = pods_table(&[pod()]).to_string();
        assert!(table.contains("web, log"), "{table}");
    }

    #[test]
    fn instances_have_their_containers_below() {
        let table = instances_table(items(&pod()["instances"])).to_string();
        let lines: Vec<_> = table.lines().skip(2).collect();
        assert!(lines[0].contains("pod.instance-u") && lines[0].contains("box"), "{table}");
        assert!(lines[1].contains("web") && lines[1].contains("not known yet") && lines[1].contains("http 31000"));
        assert!(lines[2].contains("log") && lines[2].ends_with(" -"), "{table}");
    }
}
