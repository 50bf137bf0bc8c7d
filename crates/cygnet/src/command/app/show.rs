//! Apps, as people read them.

use std::process::ExitCode;

use comfy_table::Cell;
use serde_json::Value;

use crate::api::{Api, encoded};
use crate::command::age::since;
use crate::command::kind::Kind;
use crate::command::table::{items, table, text};
use crate::command::task::{Checks, named, tasks_table};
use crate::output::line;

pub(super) async fn list(api: &Api, id: Option<&str>, label: Option<&str>) -> anyhow::Result<ExitCode> {
    let filters = [("id", id), ("label", label)];
    let filters = filters.iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded((*value)?))));
    let apps = api.get(&format!("/v2/apps?{}", filters.collect::<Vec<_>>().join("&"))).await?;
    if api.json {
        line(apps);
    } else if items(&apps["apps"]).is_empty() && id.is_none() && label.is_none() {
        line("there are no apps: `cygnet app run FILE` makes some");
    } else {
        line(apps_table(items(&apps["apps"])));
    }
    Ok(ExitCode::SUCCESS)
}

/// One line for each app.
pub(crate) fn apps_table(apps: &[Value]) -> comfy_table::Table {
    let mut table = table(&["app", "wanted", "running", "healthy", "unhealthy", "deploying", "command"]);
    for app in apps {
        let checked = !items(&app["healthChecks"]).is_empty();
        let health = |name: &str| if checked { text(&app[name]) } else { "-".to_owned() };
        let deploying = if items(&app["deployments"]).is_empty() { "" } else { "yes" };
        table.add_row(
            [
                text(&app["id"]),
                text(&app["instances"]),
                text(&app["tasksRunning"]),
                health("tasksHealthy"),
                health("tasksUnhealthy"),
                deploying.to_owned(),
                command(app),
            ]
            .map(Cell::new),
        );
    }
    table
}

/// The program it runs: a command, arguments, or an image.
fn command(app: &Value) -> String {
    let arguments = || items(&app["args"]).iter().map(text).collect::<Vec<_>>().join(" ");
    let parts = [text(&app["cmd"]), arguments(), text(&app["container"]["docker"]["image"])];
    parts.into_iter().find(|part| !part.is_empty()).unwrap_or_default()
}

pub(super) async fn one(api: &Api, id: &str, version: Option<&str>) -> anyhow::Result<ExitCode> {
    if let Some(version) = version {
        return Kind::App.show_version(api, id, version).await;
    }
    // A server that does not know this has no brake, and leaves it out.
    let app = api.get(&(Kind::App.path(id) + "?embed=apps.brake")).await?["app"].take();
    if api.json {
        line(app);
    } else {
        summary(&app).iter().for_each(line);
        let checks = Checks::of(std::slice::from_ref(&app));
        items(&app["healthChecks"]).iter().for_each(|check| line(named(check)));
        line(tasks_table(items(&app["tasks"]), &checks));
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(app: &Value) -> Vec<String> {
    let count = |name: &str| text(&app[name]);
    let mut lines = vec![format!("{} version {}", text(&app["id"]), text(&app["version"]))];
    let mut counts = format!("{} of {} running", count("tasksRunning"), count("instances"));
    if !items(&app["healthChecks"]).is_empty() {
        counts.push_str(&format!(", {} healthy, {} unhealthy", count("tasksHealthy"), count("tasksUnhealthy")));
    }
    lines.push(counts);
    lines.extend(brake(app));
    for deployment in items(&app["deployments"]) {
        lines.push(format!("deploying: `cygnet deployment watch {}` follows it", text(&deployment["id"])));
    }
    let failure = &app["lastTaskFailure"];
    if failure.is_object() {
        let [state, message, at] = ["state", "message", "timestamp"].map(|name| text(&failure[name]));
        lines.push(format!("last failure, {} ago: {state}: {message}", since(&at)));
    }
    lines
}

/// The limit of kills for health, where that is special, and the number of those not killed because of it.
fn brake(app: &Value) -> Vec<String> {
    let own = &app["brake"];
    let field = |name: &str, before: &str, after: &str| {
        (!own[name].is_null()).then(|| format!("{before}{}{after}", text(&own[name])))
    };
    let parts = [
        field("share", "a share of ", ""),
        field("least", "", " in any case"),
        field("windowSeconds", "within ", "s"),
        (own["enabled"] == false).then(|| "off".to_owned()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let limits = (!parts.is_empty()).then(|| format!("brake on kills for health: {}", parts.join(", ")));
    let held = app["tasksHeldUnhealthy"].as_u64().filter(|held| *held > 0);
    let held = held.map(|held| format!("{held} unhealthy and not killed for now, because many were"));
    limits.into_iter().chain(held).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_app_without_checks_has_no_health() {
        let plain = json!({"id": "/a", "instances": 2, "tasksRunning": 1, "tasksHealthy": 0});
        assert_eq!(summary(&plain)[1], "1 of 2 running");
        let checked =
            json!({"instances": 2, "tasksRunning": 2, "tasksHealthy": 1, "tasksUnhealthy": 1, "healthChecks": [{}]});
        assert_eq!(summary(&checked)[1], "2 of 2 running, 1 healthy, 1 unhealthy");
    }

    #[test]
    fn a_brake_is_shown_where_it_is_special_or_holds() {
        assert_eq!(brake(&json!({"tasksHeldUnhealthy": 0})), Vec::<String>::new());
        assert_eq!(
            brake(&json!({"brake": {"share": 0.1, "windowSeconds": 300}, "tasksHeldUnhealthy": 2})),
            [
                "brake on kills for health: a share of 0.1, within 300s",
                "2 unhealthy and not killed for now, because many were"
            ]
        );
        assert_eq!(brake(&json!({"brake": {"enabled": false}})), ["brake on kills for health: off"]);
    }

    #[test]
    fn whatever_an_app_runs_is_shown() {
        assert_eq!(command(&json!({"cmd": null, "args": ["sleep", "1"]})), "sleep 1");
        assert_eq!(command(&json!({"container": {"docker": {"image": "nginx"}}})), "nginx");
    }
}
