//! One task, or container of a pod: what each of its checks is and found, the last attempts, what changed, and what is done
//! next. Those that ended are shown as long as their app remembers them.

use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::ids::HEALTH;
use super::list::{ports, progress, version};
use super::{pods, whereabouts};
use crate::api::{Api, path};
use crate::command::age::{since, when};
use crate::command::ids::{Kind, each};
use crate::command::page::Page;
use crate::command::table::{items, text};
use crate::command::why::{Style, attempt, found, health, heard, next, show_end, unchecked};
use crate::output::json_line;

/// The most attempts of a check, and the most changes.
const ATTEMPTS: usize = 60;
const CHANGES: usize = 10;

/// The longest wait for a line about the place.
const PATIENCE: Duration = Duration::from_secs(2);

/// A task with its app.
enum Found {
    Here {
        app: Value,
        task: Value,
        /// Its container and its sandbox. Of a master that asks who we are, nothing is said here.
        place: Option<String>,
    },
    Ended(Value),
}

pub(super) async fn show(api: &Api, id: &str) -> anyhow::Result<()> {
    let found = find(api, id).await?;
    match (&found, api.json) {
        (Found::Here { task, .. }, true) => json_line(task),
        (Found::Ended(ended), true) => json_line(ended),
        (found, false) => shown(found, Page::of_stdout()).print(),
    }
    Ok(())
}

async fn find(api: &Api, short: &str) -> anyhow::Result<Found> {
    let tasks = api.get(Kind::Task.path()).await?;
    let running = each(&tasks["tasks"], "id");
    let Some(id) = Kind::Task.meant(&running, short)? else { return other(api, short, running).await };
    let task = items(&tasks["tasks"]).iter().find(|task| task["id"] == id.as_str());
    let [app, agent] = ["appId", "slaveId"].map(|name| task.map(|task| text(&task[name])).unwrap_or_default());
    let health = format!("{}?embed=apps.health&embed=apps.checkers", path("apps", &app));
    let (app, place) = tokio::join!(api.get(&health), place(api, &id, &agent));
    let app = app?["app"].take();
    match items(&app["tasks"]).iter().find(|task| task["id"] == id.as_str()).cloned() {
        Some(task) => Ok(Found::Here { app, task, place }),
        None => bail!("the task {id} ended a moment ago: `cygnet task list --all` lists it"),
    }
}

/// Its place in a line, if master and agent tell it in time.
async fn place(api: &Api, task: &str, agent: &str) -> Option<String> {
    if api.json {
        return None;
    }
    let told = async { Some(whereabouts::at_agent(api, task, agent).await.ok()?.line().await) };
    tokio::time::timeout(PATIENCE, told).await.ok().flatten()
}

/// A container of a pod, or a task that ended.
async fn other(api: &Api, short: &str, mut known: Vec<String>) -> anyhow::Result<Found> {
    let mut all = pods::all(api).await?;
    if let Some((app, task)) = one_of(&all, "tasks", "id", short)? {
        let place = place(api, &text(&task["id"]), &text(&task["slaveId"])).await;
        return Ok(Found::Here { app, task, place });
    }
    known.extend(all.iter().flat_map(|pod| each(&pod["tasks"], "id")));
    all.extend(items(&api.get(HEALTH).await?["apps"]).iter().cloned());
    match one_of(&all, "ended", "taskId", short)? {
        Some((_, ended)) => Ok(Found::Ended(ended)),
        None => {
            known.extend(all.iter().flat_map(|app| each(&app["ended"], "taskId")));
            Err(Kind::Task.unknown(&known, short))
        }
    }
}

/// The one that is meant, of those in a list of each of these apps, with its app.
fn one_of(apps: &[Value], list: &str, id: &str, short: &str) -> anyhow::Result<Option<(Value, Value)>> {
    let all = || apps.iter().flat_map(|app| items(&app[list]).iter().map(move |one| (app, one)));
    let ids: Vec<String> = all().map(|(_, one)| text(&one[id])).collect();
    let Some(meant) = Kind::Task.meant(&ids, short)? else { return Ok(None) };
    let found = all().find(|(_, one)| one[id] == meant.as_str());
    Ok(found.map(|(app, one)| (app.clone(), one.clone())))
}

fn shown(found: &Found, mut page: Page) -> Page {
    match found {
        Found::Here { app, task, place } => show_task(app, task, place.as_deref(), &mut page),
        Found::Ended(ended) => show_ended(ended, &mut page),
    }
    page
}

fn show_task(app: &Value, task: &Value, place: Option<&str>, page: &mut Page) {
    let told = &task["health"];
    let checks = items(&told["checks"]);
    page.text(&text(&task["id"]));
    let state = crate::command::table::state(&task["state"]);
    page.fact(1, "state", &format!("{state} for {}", since(&text(&told["since"]))));
    page.fact(1, "health", health(task, checks.len().max(items(&app["healthChecks"]).len())));
    let kind = if app["isPod"] == true { "pod" } else { "app" };
    page.fact(1, kind, &format!("{}, version {}", text(&app["id"]), whole_version(app, task)));
    let [host, agent, started] = ["host", "slaveId", "startedAt"].map(|name| text(&task[name]));
    page.fact(1, "at", &format!("{host} (agent {agent})"));
    page.fact(1, "place", place.unwrap_or_default());
    page.fact(1, "ports", &ports(task));
    page.fact(1, "started", [started.clone(), when(&started)].join(", ").trim_end_matches(", "));
    page.fact(1, "restarts", &text(&told["restarts"]));
    page.fact(1, "launch", &progress(task).unwrap_or_default());
    page.fact(
        1,
        "paused",
        &told["checksPausedUntil"].as_str().map_or_else(String::new, |until| format!("its checks, until {until}")),
    );
    page.fact(1, "checker", &unchecked(told));
    page.fact(1, "next", &next(&told["nextAction"], Style::Left));
    for check in checks {
        page.gap();
        show_check(check, page);
    }
    changes(told, page);
}

fn whole_version(app: &Value, task: &Value) -> String {
    match version(app, task).as_str() {
        "new" if app["isPod"] == true => text(&task["version"]),
        "new" => format!("{}, the present one", text(&task["version"])),
        old => old.to_owned(),
    }
}

fn show_check(check: &Value, page: &mut Page) {
    let [name, asks, by] = ["name", "asks", "madeBy"].map(|name| text(&check[name]));
    page.text(&format!("check {name}: {}", found(check)));
    let every = text(&check["intervalSeconds"]);
    page.fact(1, "asks", &format!("{asks} ({}, every {every} s, by the {by})", text(&check["protocol"])));
    page.fact(1, "heard", &heard(check));
    page.fact(1, "attempt", &attempt(check));
    page.quote(6, check["lastAttempt"]["excerpt"].as_str().unwrap_or_default());
}

/// The last changes of verdicts, the newest first.
fn changes(told: &Value, page: &mut Page) {
    let (all, checks) = (items(&told["changes"]), items(&told["checks"]));
    if all.is_empty() {
        return;
    }
    page.gap();
    page.text("changes, the newest first");
    for change in all.iter().take(CHANGES) {
        let check = checks.iter().find(|check| check["index"] == change["check"]).map(|check| text(&check["name"]));
        let cause = change["cause"].as_str().map_or_else(String::new, |cause| format!(": {cause}"));
        let of = format!("{} became {}", check.unwrap_or_default(), text(&change["verdict"]));
        page.fact(1, &when(&text(&change["at"])), &format!("{}{cause}", of.trim_start()));
    }
    if all.len() > CHANGES {
        page.text(&format!("and {} more", all.len() - CHANGES));
    }
}

fn show_ended(ended: &Value, page: &mut Page) {
    show_end(&text(&ended["taskId"]), ended, page);
    page.fact(1, "app", &format!("{}, version {}", text(&ended["app"]), text(&ended["version"])));
    page.fact(1, "agent", &text(&ended["agentId"]));
    for check in items(&ended["checks"]) {
        page.fact(1, "check", &format!("{}: {}", text(&check["name"]), attempts(items(&check["attempts"]))));
    }
}

/// The last attempts in a few words: how many there were, those that failed, and why.
fn attempts(all: &[Value]) -> String {
    let last = &all[all.len().saturating_sub(ATTEMPTS)..];
    let failed: Vec<&Value> = last.iter().filter(|attempt| attempt["kind"] != "success").collect();
    let bar: String = last.iter().map(|attempt| if attempt["kind"] == "success" { '.' } else { 'x' }).collect();
    let kind = failed.last().map_or_else(String::new, |attempt| format!(", the last one: {}", text(&attempt["kind"])));
    format!("{} of the last {} attempts failed{kind} {bar}", failed.len(), last.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn here() -> Found {
        let checks = json!([
            {"index": 0, "name": "front", "asks": "GET / at port 1", "verdict": "healthy", "protocol": "MESOS_HTTP", "madeBy": "executor", "intervalSeconds": 2},
            {"index": 1, "name": "luck", "asks": "run `luck`", "verdict": "unknown", "protocol": "COMMAND", "madeBy": "executor",
                "intervalSeconds": 0.5, "lastAttempt": {"kind": "exit-code", "cause": "exit status 4", "excerpt": "no such luck, not today and not here and not for anybody at all"}}]);
        let change = json!({"at": "2000-01-01T00:00:00Z", "check": 0, "verdict": "healthy", "cause": null});
        let task = json!({"id": "web.instance-0123._app.3", "state": "TASK_RUNNING", "host": "box", "slaveId": "S0", "version": "V1",
            "ports": [31000], "startedAt": "2000-01-01T00:00:00Z", "health": {"verdict": "unknown", "checks": checks, "changes": [change],
            "restarts": 2, "since": "2000-01-01T00:00:00Z", "nextAction": {"kind": "grace", "text": "failures count after its grace period", "at": null}}});
        Found::Here { app: json!({"id": "/web", "versionInfo": {"lastConfigChangeAt": "V2"}}), task, place: None }
    }

    #[test]
    fn a_task_is_shown_with_each_check_by_name_and_what_changed() {
        let lines = shown(&here(), Page::of_width(None)).into_lines();
        for part in [
            "  health    unknown",
            "  app       /web, version old, of V1",
            "  ports     31000",
            "  restarts  2",
            "  next      failures count after its grace period",
            "check front: healthy",
            "check luck: not known yet: exit status 4",
            "  asks      run `luck` (COMMAND, every 0.5 s, by the executor)",
        ] {
            assert!(lines.iter().any(|line| line == part), "{part}: {lines:#?}");
        }
        assert!(lines.last().is_some_and(|line| line.ends_with(" ago  front became healthy")), "{lines:#?}");
        for room in [60, 80, 120] {
            let lines = shown(&here(), Page::of_width(Some(room))).into_lines();
            assert!(lines.iter().all(|line| line.width() <= room), "{lines:#?}");
        }
    }

    #[test]
    fn one_that_ended_has_its_last_attempts() {
        let attempt = |kind: &str| json!({"startedMs": 1, "durationUs": 1, "kind": kind});
        let ended = json!({"taskId": "web.instance-0123._app.3", "state": "TASK_FAILED", "app": "/web", "message": "killed",
            "checks": [{"name": "front", "attempts": [attempt("success"), attempt("success"), attempt("refused")]}]});
        let lines = shown(&Found::Ended(ended), Page::of_width(None)).into_lines();
        assert!(
            lines.contains(&"  check     front: 1 of the last 3 attempts failed, the last one: refused ..x".to_owned()),
            "{lines:#?}"
        );
    }
}
