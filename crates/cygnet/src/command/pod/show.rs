//! Pods, as people read them.

use std::process::ExitCode;

use serde_json::Value;

use crate::api::Api;
use crate::command::age::since;
use crate::command::ids::Names;
use crate::command::kind::Kind;
use crate::command::page::Page;
use crate::command::table::{Table, items, print, table, text};
use crate::command::why::{each_end, show_end};
use crate::output::{json_line, line};

/// The most ends of instances that are told of.
const ENDS: usize = 3;

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
    let pod = api.get(&(Kind::Pod.path(id) + "::status?embed=health")).await?;
    match api.json {
        true => json_line(pod),
        false => shown(&pod, Page::of_stdout()).print(),
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(pod: &Value, mut page: Page) -> Page {
    page.text(&format!("{} version {}", text(&pod["id"]), text(&pod["spec"]["version"])));
    let (wanted, there) = (text(&pod["spec"]["scaling"]["instances"]), items(&pod["instances"]));
    let stable = there.iter().filter(|one| one["status"] == "STABLE").count();
    page.text(&format!("{}: {stable} of {wanted} stable", text(&pod["status"])));
    if !there.is_empty() {
        page.gap();
        page.table(&instances_table(there));
    }
    ends(pod, &mut page);
    page
}

/// The last ends that nobody asked for, of every container.
fn ends(pod: &Value, page: &mut Page) {
    let ended = items(&pod["ended"]);
    let names = Names::of(std::slice::from_ref(pod));
    for end in ended.iter().take(ENDS) {
        page.gap();
        each_end(end).iter().for_each(|end| show_end(&names.short(&text(&end["taskId"])), end, page));
    }
    if ended.len() > ENDS {
        page.gap();
        let more = ended.len() - ENDS;
        page.text(&format!("and {more} more that ended: `cygnet task list --all {}`", text(&pod["id"])));
    }
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
            "ended": [{"taskId": "pod.instance-0123456789.web.1", "incarnation": 1, "host": "box", "containers": [
                end("web", "TASK_FAILED", "Command exited with status 3", "no config"),
                end("log", "TASK_KILLED", "", "told to stop")]}]})
    }

    fn end(name: &str, state: &str, message: &str, said: &str) -> Value {
        json!({"name": name, "taskId": format!("pod.instance-0123456789.{name}.1"), "state": state, "message": message,
            "lastErrors": said, "killedForHealth": false, "endedAt": "2000-01-01T00:00:00Z", "checks": []})
    }

    #[test]
    fn a_pod_is_shown_with_how_each_container_ended() {
        let lines = shown(&pod(), Page::of_width(None)).into_lines();
        assert_eq!(lines[..2], ["/pod version v", "DEGRADED: 0 of 2 stable"]);
        let at = lines.iter().position(|line| line.starts_with("01234567.web.1 failed ")).unwrap();
        assert!(lines[at].ends_with("at box: Command exited with status 3"), "{lines:#?}");
        assert_eq!(lines[at + 1], "  | no config");
        assert!(
            lines[at + 2].starts_with("01234567.log.1 killed ") && lines[at + 3] == "  | told to stop",
            "{lines:#?}"
        );
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
