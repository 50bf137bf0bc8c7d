//! The definition of an app, as people read it: with what it has by default, too. Pure.

use serde_json::Value;

use crate::command::age::when;
use crate::command::page::Page;
use crate::command::table::{items, joined, text};
use crate::command::task::named;

pub(super) fn show(app: &Value, page: &mut Page) {
    page.fact(1, "command", &command(app));
    page.fact(1, "image", &text(&app["container"]["docker"]["image"]));
    page.fact(1, "each has", &resources(app));
    page.fact(1, "ports", &ports(app));
    let limits = items(&app["constraints"]).iter().map(|one| items(one).iter().map(text).collect::<Vec<_>>().join(" "));
    page.fact(1, "only on", &limits.collect::<Vec<_>>().join("; "));
    page.fact(1, "after", &joined(&app["dependencies"]));
    for check in items(&app["healthChecks"]) {
        page.fact(1, "check", &format!("{}: {}", named(check), schedule(check)));
    }
    page.fact(1, "upgrade", &upgrade(&app["upgradeStrategy"]));
    let version = text(&app["version"]);
    let id = text(&app["id"]);
    page.fact(1, "version", &format!("{version} ({}); `cygnet app versions {id}` lists all", when(&version)));
}

/// The program it runs: a command or arguments.
pub(super) fn command(app: &Value) -> String {
    let arguments = || items(&app["args"]).iter().map(text).collect::<Vec<_>>().join(" ");
    app["cmd"].as_str().map_or_else(arguments, str::to_owned)
}

fn resources(app: &Value) -> String {
    let amount = |name: &str| app[name].as_f64().unwrap_or(0.0);
    let mut all = format!("{} cpus, {} MiB of memory", amount("cpus"), amount("mem"));
    if amount("disk") > 0.0 {
        all.push_str(&format!(", {} MiB of disk", amount("disk")));
    }
    all
}

fn ports(app: &Value) -> String {
    let mapped = items(&app["container"]["portMappings"]);
    let defined = if mapped.is_empty() { items(&app["portDefinitions"]) } else { mapped };
    let one = |port: &Value| {
        let name = port["name"].as_str().map_or_else(String::new, |name| format!("{name} "));
        let inner =
            port["containerPort"].as_u64().filter(|port| *port > 0).map(|port| format!("{port} in its container, "));
        let service = if port["servicePort"].is_null() { &port["port"] } else { &port["servicePort"] };
        format!("{name}({}service port {})", inner.unwrap_or_default(), text(service))
    };
    defined.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// When a check is made, and what its failures mean.
fn schedule(check: &Value) -> String {
    let seconds = |name: &str| format!("{} s", text(&check[name]));
    let by = check["protocol"].as_str().is_none_or(|protocol| !protocol.starts_with("MESOS_") && protocol != "COMMAND");
    let by = if by { "scheduler" } else { "executor" };
    let kill = match check["maxConsecutiveFailures"].as_u64() {
        Some(0) if by == "scheduler" => "never kills".to_owned(),
        Some(0 | 1) => "kills at the first failure".to_owned(),
        most => format!("kills at failure {} in a row", most.unwrap_or(3)),
    };
    format!(
        "every {} by the {by}, of at most {}, from {} on; failures count after a success or {}; {kill}",
        seconds("intervalSeconds"),
        seconds("timeoutSeconds"),
        seconds("delaySeconds"),
        seconds("gracePeriodSeconds"),
    )
}

fn upgrade(strategy: &Value) -> String {
    let percent = |name: &str| (strategy[name].as_f64().unwrap_or(1.0) * 100.0).round();
    let [least, more] = ["minimumHealthCapacity", "maximumOverCapacity"].map(percent);
    format!("at least {least} % of its instances stay healthy, and at most {more} % more are there meanwhile")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_is_told_with_what_it_has_by_default() {
        let app = json!({"id": "/web", "cmd": "serve", "cpus": 0.1, "mem": 16.0, "disk": 0.0, "version": "",
            "constraints": [["hostname", "UNIQUE"]], "portDefinitions": [{"port": 10000, "name": "http"}],
            "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0, "name": "front", "delaySeconds": 15,
                "gracePeriodSeconds": 300, "intervalSeconds": 60, "timeoutSeconds": 20, "maxConsecutiveFailures": 3}],
            "upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0.2}});
        let mut page = Page::of_width(None);
        show(&app, &mut page);
        let lines = page.into_lines();
        assert_eq!(
            lines[..4],
            [
                "  command   serve",
                "  each has  0.1 cpus, 16 MiB of memory",
                "  ports     http (service port 10000)",
                "  only on   hostname UNIQUE"
            ]
        );
        assert_eq!(
            lines[4],
            "  check     front (MESOS_HTTP /health at the port with index 0): every 60 s by the executor, of at \
            most 20 s, from 15 s on; failures count after a success or 300 s; kills at failure 3 in a row"
        );
        assert!(lines[5].contains("at least 50 %") && lines[5].contains("at most 20 %"), "{lines:?}");
    }

    #[test]
    fn what_a_check_never_does_is_said() {
        let kills =
            |protocol: &str, most: u32| schedule(&json!({"protocol": protocol, "maxConsecutiveFailures": most}));
        assert!(kills("HTTP", 0).ends_with("never kills"));
        assert!(kills("COMMAND", 0).ends_with("kills at the first failure"));
    }

    #[test]
    fn whatever_an_app_runs_is_shown() {
        assert_eq!(command(&json!({"cmd": null, "args": ["sleep", "1"]})), "sleep 1");
        assert_eq!(
            ports(&json!({"container": {"portMappings": [{"containerPort": 80, "servicePort": 10001}]}})),
            "(80 in its container, service port 10001)"
        );
    }
}
