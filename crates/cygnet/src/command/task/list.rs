//! Tasks in a table: those that there are and, if wanted, those that ended.

use serde_json::{Value, json};

use super::ids::HEALTH;
use super::members::Whole;
use super::pods;
use crate::api::Api;
use crate::command::age::since;
use crate::command::ids::Names;
use crate::command::table::{Table, items, print, state, table, text};
use crate::command::why::{causes, health, how_it_ended};
use crate::output::json_line;

/// The tasks of all apps and pods, or of one, with those that ended if wanted.
pub(super) async fn list(api: &Api, whole: Option<&str>, all: bool) -> anyhow::Result<()> {
    let apps = match whole {
        Some(id) => {
            let whole = Whole::meant(api, id).await?.unwrap_or_else(|| Whole::App(id.to_owned()));
            vec![whole.explained(api).await?]
        }
        None => {
            [items(&api.get(&format!("{HEALTH}&embed=apps.checkers")).await?["apps"]), &pods::all(api).await?].concat()
        }
    };
    let each = |list: &str| -> Vec<&Value> { apps.iter().flat_map(|app| items(&app[list])).collect() };
    if api.json {
        let mut answer = json!({"tasks": each("tasks")});
        if all {
            answer["ended"] = json!(each("ended"));
        }
        json_line(answer);
        return Ok(());
    }
    let names = Names::of(&apps);
    let mut table = listed(&apps, &names);
    if all {
        each("ended").into_iter().for_each(|ended| table.add_row(ended_row(ended, &names)));
    }
    print(&table);
    Ok(())
}

/// A table of tasks with their apps.
fn listed(apps: &[Value], names: &Names) -> Table {
    let columns = ["task", "app", "state", "health", "host", "ports", "up", "why"];
    let mut table = table(&columns).cutting(&["why"]).sparing(&["ports", "host", "up"]);
    for (app, task) in tasks(apps) {
        let [id, host] = ["id", "host"].map(|name| text(&task[name]));
        table.add_row([
            names.short(&id),
            text(&app["id"]),
            state(&task["state"]),
            word(app, task),
            host,
            ports(task),
            up(task),
            why(task),
        ]);
    }
    table
}

/// A table of the tasks of one app, old and new ones told apart.
pub(crate) fn tasks_table(apps: &[Value], names: &Names) -> Table {
    let columns = ["task", "state", "health", "version", "host", "ports", "up", "why"];
    let mut table = table(&columns).cutting(&["why"]).sparing(&["ports", "host", "up"]);
    for (app, task) in tasks(apps) {
        let [id, host] = ["id", "host"].map(|name| text(&task[name]));
        let version = version(app, task);
        table.add_row([
            names.short(&id),
            state(&task["state"]),
            word(app, task),
            version,
            host,
            ports(task),
            up(task),
            why(task),
        ]);
    }
    table
}

fn tasks(apps: &[Value]) -> impl Iterator<Item = (&Value, &Value)> {
    apps.iter().flat_map(|app| items(&app["tasks"]).iter().map(move |task| (app, task)))
}

fn word(app: &Value, task: &Value) -> String {
    health(task, items(&app["healthChecks"]).len()).to_owned()
}

/// New is what runs with the app's configuration of now.
pub(super) fn version(app: &Value, task: &Value) -> String {
    let (now, own) = (&app["versionInfo"]["lastConfigChangeAt"], &task["version"]);
    if now.is_null() || now == own { "new".to_owned() } else { format!("old, of {}", text(own)) }
}

fn ended_row(ended: &Value, names: &Names) -> [String; 8] {
    let [id, app, host, at] = ["taskId", "app", "host", "endedAt"].map(|name| text(&ended[name]));
    let said = ended["lastErrors"].as_str().and_then(|said| said.lines().rev().find(|line| !line.trim().is_empty()));
    let said = said.map_or_else(String::new, |said| format!(": {said}"));
    let why = format!("ended {} ago: {}{said}", since(&at), how_it_ended(ended));
    [names.short(&id), app, state(&ended["state"]), "-".to_owned(), host, String::new(), String::new(), why]
}

fn up(task: &Value) -> String {
    since(&text(&task["startedAt"]))
}

/// The progress of its launch, or the check that fails and why, or the next thing that is done.
fn why(task: &Value) -> String {
    let told = &task["health"];
    let causes = Some(causes(task)).filter(|causes| !causes.is_empty());
    progress(task).or(causes).unwrap_or_else(|| text(&told["nextAction"]["text"]))
}

/// The progress of a task's launch, while it is launched.
pub(crate) fn progress(task: &Value) -> Option<String> {
    task["message"].as_str().map(str::to_owned)
}

/// The ports of a task.
pub(crate) fn ports(task: &Value) -> String {
    items(&task["ports"]).iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::command::table::lines;

    fn app() -> Value {
        let checks = json!([{"name": "front", "verdict": "unhealthy", "lastFailureCause": "connection refused by 127.0.0.1:31000"}]);
        let task = |uuid: &str, version: &str| {
            json!({"id": format!("shop_front_web.instance-{uuid}-bd0a-4466-916c-0c56de5bbb17._app.12"), "host": "10.20.30.40",
                "state": "TASK_RUNNING", "ports": [31000, 31001], "startedAt": "2000-01-01T00:00:00Z", "version": version,
                "health": {"verdict": "unhealthy", "checksPausedUntil": null, "checks": checks, "nextAction": {"kind": "kill", "text": "is killed"}}})
        };
        json!({"id": "/shop/front/web", "versionInfo": {"lastConfigChangeAt": "V2"}, "healthChecks": [{}],
            "tasks": [task("e64126b4", "V1"), task("0c56de5b", "V2")]})
    }

    #[test]
    fn a_task_is_one_line_with_its_whole_id_at_any_width() {
        let apps = [app()];
        let names = Names::of(&apps);
        for room in [60, 80, 120] {
            for table in [listed(&apps, &names), tasks_table(&apps, &names)] {
                let lines = lines(&table, Some(room));
                assert!(lines.len() == 4 && lines.iter().all(|line| line.width() <= room), "{lines:#?}");
                assert!(lines[2].starts_with("e64126b4.12 ") && lines[2].contains(" unhealthy "), "{lines:#?}");
                assert!(lines[2].contains("front: conn"), "{lines:#?}");
            }
        }
        let whole = lines(&listed(&apps, &names), None);
        assert!(whole.iter().all(|line| line.width() < 140), "{whole:#?}");
        assert!(
            whole[2].contains("/shop/front/web") && whole[2].ends_with("front: connection refused by 127.0.0.1:31000")
        );
    }

    #[test]
    fn old_tasks_are_told_apart_and_those_that_ended_say_why() {
        let apps = [app()];
        let table = tasks_table(&apps, &Names::of(&apps)).to_string();
        assert!(table.contains("old, of V1") && table.contains("  new  "), "{table}");
        let ended = json!({"taskId": "web.instance-0123456789._app.2", "app": "/web", "state": "TASK_FAILED",
            "message": "exited with status 127", "exitStatus": 127, "lastErrors": "serve: not found\n", "endedAt": "2000-01-01T00:00:00Z"});
        let row = ended_row(&ended, &Names::of(&[]));
        assert_eq!((row[0].as_str(), row[2].as_str()), ("01234567.2", "failed"));
        assert!(row[7].ends_with(" ago: exited with status 127: serve: not found"), "{}", row[7]);
    }
}
