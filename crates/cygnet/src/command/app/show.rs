//! Apps, as people read them: all of them in a table, and one with why it is not well.

use std::process::ExitCode;

use serde_json::Value;

use super::definition;
use crate::api::{Api, encoded};
use crate::command::age::since;
use crate::command::ids::Names;
use crate::command::kind::Kind;
use crate::command::page::Page;
use crate::command::table::{Table, items, print, table, text};
use crate::command::task::{progress, tasks_table};
use crate::command::why::{Style, needs_words, next, show_end, show_instance, show_waiting};
use crate::output::{json_line, line};

/// Everything there is to know of an app. A server that does not know one of them leaves it out.
const EMBED: &str = "?embed=apps.health&embed=apps.brake&embed=apps.checkers";

/// The most instances that are told of, and the most ends.
const TROUBLED: usize = 10;
const ENDS: usize = 3;

/// The most apps that are named in a line.
const NAMED: usize = 3;

pub(super) async fn list(api: &Api, id: Option<&str>, label: Option<&str>) -> anyhow::Result<ExitCode> {
    let filters = [("id", id), ("label", label)];
    let filters = filters.iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded((*value)?))));
    let apps = api.get(&format!("/v2/apps?{}", filters.collect::<Vec<_>>().join("&"))).await?;
    if api.json {
        json_line(apps);
    } else if items(&apps["apps"]).is_empty() && id.is_none() && label.is_none() {
        line("there are no apps: `cygnet app run FILE` makes some");
    } else {
        print(&apps_table(items(&apps["apps"])));
    }
    Ok(ExitCode::SUCCESS)
}

/// One line for each app. Of those that are wanted some wait for an offer or a launch, some start, and some run; of those
/// that run, with checks, nothing is known of some.
fn apps_table(apps: &[Value]) -> Table {
    let columns =
        ["app", "wanted", "waiting", "starting", "running", "healthy", "unhealthy", "unknown", "deploying", "runs"];
    let mut table = table(&columns).cutting(&["runs"]).sparing(&["deploying", "starting", "unknown", "waiting"]);
    for app in apps {
        let count = |name: &str| app[name].as_u64().unwrap_or(0);
        let (wanted, starting, running) = (count("instances"), count("tasksStaged"), count("tasksRunning"));
        let waiting = wanted.saturating_sub(starting + running);
        let (healthy, unhealthy) = (count("tasksHealthy"), count("tasksUnhealthy"));
        let checked = !items(&app["healthChecks"]).is_empty();
        let verdicts = [healthy, unhealthy, running.saturating_sub(healthy + unhealthy)];
        let verdicts = verdicts.map(|count| if checked { count.to_string() } else { "-".to_owned() });
        let deploying = if items(&app["deployments"]).is_empty() { "" } else { "yes" };
        let counts = [wanted, waiting, starting, running].map(|count| count.to_string());
        let row = [text(&app["id"])].into_iter().chain(counts).chain(verdicts);
        table.add_row(row.chain([deploying.to_owned(), runs(app)]));
    }
    table
}

/// The program it runs: a command, arguments, or an image.
fn runs(app: &Value) -> String {
    let parts = [definition::command(app), text(&app["container"]["docker"]["image"])];
    parts.into_iter().find(|part| !part.is_empty()).unwrap_or_default()
}

pub(super) async fn one(api: &Api, id: &str, version: Option<&str>) -> anyhow::Result<ExitCode> {
    if let Some(version) = version {
        return Kind::App.show_version(api, id, version).await;
    }
    let app = api.get(&(Kind::App.path(id) + EMBED)).await?["app"].take();
    if api.json {
        json_line(app);
        return Ok(ExitCode::SUCCESS);
    }
    let under_way = match items(&app["deployments"]) {
        [] => Value::Null,
        _ => api.get("/v2/deployments").await?,
    };
    shown(&app, items(&under_way), Page::of_stdout()).print();
    Ok(ExitCode::SUCCESS)
}

/// In: the app, and all deployments that are under way if it has one.
fn shown(app: &Value, under_way: &[Value], mut page: Page) -> Page {
    page.text(&headline(app));
    definition::show(app, &mut page);
    for deployment in items(&app["deployments"]) {
        page.fact(1, "changes", &format!("`cygnet deployment watch {}` follows it", text(&deployment["id"])));
        let found = under_way.iter().find(|found| found["id"] == deployment["id"]);
        found.and_then(|found| turn(app, found)).iter().for_each(|told| page.fact(1, "waits", told));
    }
    halted(&app["halted"], &mut page);
    brake(app).iter().for_each(|told| page.fact(1, "brake", told));
    starting(app).iter().for_each(|told| page.fact(1, "starting", told));
    let names = Names::of(std::slice::from_ref(app));
    troubled(app, &names, &mut page);
    if !items(&app["tasks"]).is_empty() {
        page.gap();
        page.table(&tasks_table(std::slice::from_ref(app), &names));
    }
    ends(app, &names, &mut page);
    page
}

fn headline(app: &Value) -> String {
    let count = |name: &str| text(&app[name]);
    let mut counts = format!("{}: {} of {} running", count("id"), count("tasksRunning"), count("instances"));
    if !items(&app["healthChecks"]).is_empty() {
        counts.push_str(&format!(", {} healthy, {} unhealthy", count("tasksHealthy"), count("tasksUnhealthy")));
    }
    counts
}

/// The apps that are changed before this one, whose turn in a deployment has not come.
fn turn(app: &Value, deployment: &Value) -> Option<String> {
    let step = deployment["currentStep"].as_u64()?;
    let is_among = |actions: &Value| items(actions).iter().any(|action| action["app"] == app["id"]);
    let later = items(&deployment["steps"]).iter().skip(usize::try_from(step).ok()?);
    let comes_later = later.map(|step| &step["actions"]).any(is_among) && !is_among(&deployment["currentActions"]);
    let others =
        few(&items(&deployment["currentActions"]).iter().map(|action| text(&action["app"])).collect::<Vec<_>>());
    comes_later.then(|| format!("for {others}, by the deployment's step {step} of {}", text(&deployment["totalSteps"])))
}

/// The first of them by name.
fn few(apps: &[String]) -> String {
    let named = apps.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match apps.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// An app that was left on its way.
fn halted(halted: &Value, page: &mut Page) {
    if halted.is_object() {
        page.fact(1, "halted", &format!("{} for {}", text(&halted["text"]), since(&text(&halted["since"]))));
        page.fact(1, "why", &text(&halted["why"]));
        page.fact(1, "next", &next(&halted["nextAction"], Style::Left));
    }
}

/// The instances that are not well, those that are unhealthy first.
fn troubled(app: &Value, names: &Names, page: &mut Page) {
    let mut tasks: Vec<&Value> = items(&app["tasks"]).iter().filter(|task| needs_words(task)).collect();
    tasks.sort_by_key(|task| task["health"]["verdict"] != "unhealthy");
    let waiting = items(&app["waiting"]);
    let count = tasks.len() + waiting.len();
    for task in tasks.iter().take(TROUBLED) {
        page.gap();
        show_instance(&names.short(&text(&task["id"])), task, page);
    }
    for instance in waiting.iter().take(TROUBLED.saturating_sub(tasks.len())) {
        page.gap();
        show_waiting(&names.instance(instance), instance, page);
        if instance["nextAction"]["kind"] == "offer" {
            page.fact(
                1,
                "offers",
                &format!("`cygnet queue offers {}` lists the last ones and what they lacked", text(&app["id"])),
            );
        }
    }
    if count > TROUBLED {
        page.gap();
        page.text(&format!(
            "and {} more: `cygnet status -n 1000 {}` lists those that are not well",
            count - TROUBLED,
            text(&app["id"])
        ));
    }
}

/// The last ends that nobody asked for.
fn ends(app: &Value, names: &Names, page: &mut Page) {
    let ended = items(&app["ended"]);
    for end in ended.iter().take(ENDS) {
        page.gap();
        show_end(&names.short(&text(&end["taskId"])), end, page);
    }
    if ended.len() > ENDS {
        page.gap();
        page.text(&format!(
            "and {} more that ended: `cygnet task list --all {}`",
            ended.len() - ENDS,
            text(&app["id"])
        ));
    }
    let failure = &app["lastTaskFailure"];
    if ended.is_empty() && failure.is_object() {
        let [state, message, at] = ["state", "message", "timestamp"].map(|name| text(&failure[name]));
        page.gap();
        page.text(&format!("last failure, {} ago: {state}: {message}", since(&at)));
    }
}

/// The things that tasks which start still wait for, as their agents tell it.
fn starting(app: &Value) -> Vec<String> {
    let mut told: Vec<String> = items(&app["tasks"]).iter().filter_map(progress).collect();
    told.sort_unstable();
    told.dedup();
    told
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
    let limits = (!parts.is_empty()).then(|| format!("on kills for health: {}", parts.join(", ")));
    let held = app["tasksHeldUnhealthy"].as_u64().filter(|held| *held > 0);
    let held = held.map(|held| format!("{held} unhealthy and not killed for now, because many were"));
    limits.into_iter().chain(held).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn an_app_without_checks_has_no_health() {
        let plain = json!({"id": "/a", "instances": 2, "tasksRunning": 1, "tasksHealthy": 0});
        assert_eq!(headline(&plain), "/a: 1 of 2 running");
        let checked = json!({"id": "/a", "instances": 2, "tasksRunning": 2, "tasksHealthy": 1, "tasksUnhealthy": 1, "healthChecks": [{}]});
        assert_eq!(headline(&checked), "/a: 2 of 2 running, 1 healthy, 1 unhealthy");
    }

    #[test]
    fn a_brake_is_shown_where_it_is_special_or_holds() {
        assert_eq!(brake(&json!({"tasksHeldUnhealthy": 0})), Vec::<String>::new());
        assert_eq!(
            brake(&json!({"brake": {"share": 0.1, "windowSeconds": 300}, "tasksHeldUnhealthy": 2})),
            [
                "on kills for health: a share of 0.1, within 300s",
                "2 unhealthy and not killed for now, because many were"
            ]
        );
        assert_eq!(brake(&json!({"brake": {"enabled": false}})), ["on kills for health: off"]);
    }

    #[test]
    fn an_app_says_for_whom_it_waits_in_a_deployment() {
        let web = json!({"id": "/shop/web", "instances": 1, "tasksRunning": 0, "deployments": [{"id": "d"}]});
        let actions = |apps: &[&str]| apps.iter().map(|app| json!({"app": app})).collect::<Vec<_>>();
        let deployment = |now: &[&str], later: &[&str]| {
            let steps = json!([{"actions": actions(now)}, {"actions": actions(later)}]);
            json!({"id": "d", "currentStep": 1, "totalSteps": 2, "currentActions": actions(now), "steps": steps})
        };
        let waiting = deployment(&["/shop/db"], &["/shop/web"]);
        let lines = shown(&web, &[waiting], Page::of_width(None)).into_lines();
        assert!(lines.iter().any(|line| line.ends_with("for /shop/db, by the deployment's step 1 of 2")), "{lines:#?}");
        assert_eq!(turn(&web, &deployment(&["/shop/db", "/shop/web"], &[])), None);
        assert_eq!(turn(&web, &deployment(&["/shop/db"], &["/shop/other"])), None, "its turn is over");
        let many = turn(&web, &deployment(&["/a", "/b", "/c", "/d"], &["/shop/web"])).unwrap();
        assert!(many.starts_with("for /a, /b, /c and 1 more,"), "{many}");
    }

    #[test]
    fn the_numbers_of_an_app_add_up() {
        let app = json!({"id": "/a", "instances": 7, "tasksStaged": 1, "tasksRunning": 4, "tasksHealthy": 1,
            "tasksUnhealthy": 1, "healthChecks": [{}]});
        let words = |app: &Value| {
            let rows = crate::command::table::lines(&apps_table(std::slice::from_ref(app)), None);
            rows[2].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(words(&app), ["/a", "7", "2", "1", "4", "1", "1", "2"]);
        let plain = json!({"id": "/a", "instances": 1, "tasksStaged": 0, "tasksRunning": 1});
        assert_eq!(words(&plain), ["/a", "1", "0", "0", "1", "-", "-", "-"]);
    }

    #[test]
    fn a_long_command_is_cut_and_breaks_no_line() {
        let app = json!({"id": "/web", "cmd": "one\ntwo ".repeat(60), "instances": 1});
        for room in [60, 80, 120] {
            let lines = crate::command::table::lines(&apps_table(std::slice::from_ref(&app)), Some(room));
            assert!(lines.len() == 3 && lines.iter().all(|line| line.width() <= room), "{lines:#?}");
            assert!(lines[2].contains("/web ") && lines[2].contains("one two"), "{lines:#?}");
        }
        assert_eq!(runs(&json!({"container": {"docker": {"image": "nginx"}}})), "nginx");
    }

    #[test]
    fn an_app_says_why_it_is_not_well_at_any_width() {
        let waiting = json!({"instance": "web.instance-0123456789", "incarnation": 3, "since": "2000-01-01T00:00:00Z",
            "restarts": 2, "nextAction": {"kind": "launch", "text": "is launched again after 2 failures", "at": null}});
        let ended = json!({"taskId": "web.instance-0123456789._app.2", "state": "TASK_FAILED", "message": "exited with status 127",
            "exitStatus": 127, "endedAt": "2000-01-01T00:00:00Z", "startedAt": null, "lastErrors": "sh: 1: serve: not found"});
        let app = json!({"id": "/web", "cmd": "serve", "instances": 12, "tasksRunning": 0, "waiting": vec![waiting; 12],
            "ended": vec![ended; 10]});
        for room in [60, 80, 120] {
            let lines = shown(&app, &[], Page::of_width(Some(room))).into_lines();
            assert!(lines.iter().all(|line| line.width() <= room), "{lines:#?}");
            let whole = lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [
                "01234567.3 has no task for",
                "is launched again after 2 failures",
                "and 2 more: `cygnet status",
                "01234567.2 failed",
                "| sh: 1: serve: not found",
                "and 7 more that ended",
            ] {
                assert!(whole.contains(part), "{part}: {lines:#?}");
            }
        }
    }
}
