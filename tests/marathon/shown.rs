//! The command line when somebody looks: what is not well and why, and the same things wherever one looks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::command_line::{Shell, sleeper};

/// The time that a thing may take to show.
const SOON: Duration = Duration::from_secs(60);

/// An app with a check that fails, and that is forgiven for now.
fn failing(id: &str) -> Value {
    let mut app = sleeper(id, 1);
    app["healthChecks"] = json!([{"name": "luck", "protocol": "COMMAND", "command": {"value": "echo no such luck; exit 4"},
        "delaySeconds": 0, "intervalSeconds": 1, "gracePeriodSeconds": 600, "maxConsecutiveFailures": 3}]);
    app
}

/// The text that a command prints, once it says all this.
#[track_caller]
fn said(shell: &Shell, line: &str, all: &[&str]) -> String {
    let found = || {
        let text = shell.text(line);
        all.iter().all(|part| text.contains(part)).then_some(text)
    };
    harness::wait::until(&format!("{all:?} in `cygnet {line}`"), SOON, found)
}

#[test]
fn one_look_says_what_is_not_well_and_why() {
    let shell = Shell::start();
    assert!(shell.text("status").contains("there are no apps"));
    shell.text(&format!("app run {}", shell.file("well.json", &sleeper("/well", 1))));
    said(&shell, "status", &["the one app is well since 20"]);
    assert_eq!(shell.run("status --exit-code").status.code(), Some(0));

    shell.text(&format!("app run --detach {}", shell.file("web.json", &failing("/shop/web"))));
    let mut crashes = sleeper("/crashes", 1);
    crashes["cmd"] = json!("echo cannot find my shoes >&2; exit 3");
    shell.text(&format!("app run --detach {}", shell.file("crashes.json", &crashes)));
    let text = said(
        &shell,
        "status",
        &[
            "2 of 3 apps are not well",
            "runs and has not passed its health checks yet",
            "luck: exit status 4",
            "failures count after its grace period",
            "fails again and again",
            "cannot find my shoes",
            "is launched again after",
        ],
    );
    assert!(text.lines().any(|line| line.starts_with("/shop ")), "totals by group: {text}");
    let text = shell.text("status shop");
    assert!(text.contains("/shop/web") && !text.contains("/crashes"), "{text}");
    assert!(shell.text("status -n 1").contains("more: `cygnet status -n"));
    assert_eq!(shell.run("status --exit-code").status.code(), Some(4));
    assert_eq!(shell.json("status")[0]["total"]["apps"]["notWell"], 2);
    assert!(shell.complaint("status nothing").contains("nothing"));
}

#[test]
fn an_app_says_what_it_is_and_why_it_is_not_well() {
    let shell = Shell::start();
    shell.text(&format!("app run --detach {}", shell.file("web.json", &failing("/shop/web"))));
    let text = said(&shell, "app show shop/web", &["): not known yet, within its grace", "attempt   exit status 4, "]);
    for part in [
        "/shop/web: 1 of 1 running, 0 healthy",
        "command   exec sleep 100000",
        "each has  0.01 cpus, 4 MiB of memory",
        "check     luck (COMMAND echo no such luck; exit 4): every 1 s by the executor, of at most 20 s",
        "failures count after a success or 600 s; kills at failure 3 in a row",
        "upgrade   at least 100 %",
        "attempt   exit status 4, ",
        "| no such luck",
        "next      failures count after its grace period",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(shell.json("app show shop/web")[0]["tasks"][0]["health"]["checks"][0]["name"], "luck");
    let short = text.lines().find_map(|line| line.split_once(" running, unknown for ")).expect("an instance").0;
    let text = shell.text(&format!("task show {short}"));
    for part in
        ["health    unknown", "check luck: not known yet", "asks      run `echo", "| no such luck", "next      "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn dead_tasks_are_listed_and_shown_with_what_they_said_last() {
    let shell = Shell::start();
    let mut crashes = sleeper("/crashes", 1);
    crashes["cmd"] = json!("echo cannot find my shoes >&2; exit 3");
    shell.text(&format!("app run --detach {}", shell.file("crashes.json", &crashes)));
    let list = said(&shell, "task list --all", &["failed", "exited with status 3: cannot find my shoes"]);
    let line = list.lines().find(|line| line.contains(" failed ")).expect("a task that failed");
    let short = line.split_whitespace().next().expect("an id").to_owned();
    let text = shell.text(&format!("task show {short}"));
    assert!(text.contains("Command exited with status 3\n  | cannot find my shoes"), "{text}");
    assert_eq!(shell.json(&format!("task show {short}"))[0]["exitStatus"], 3);
    assert!(
        said(&shell, "app show crashes", &["| cannot find my shoes", "is launched again after"]).contains(" failed ")
    );
    assert!(list.lines().all(|line| line.chars().count() < 200), "nothing is padded: {list}");
}

#[test]
fn a_task_of_which_one_of_two_checks_has_answered_is_not_known_to_be_healthy() {
    let shell = Shell::start();
    let mut both = failing("/both");
    let well = json!({"name": "well", "protocol": "COMMAND", "command": {"value": "true"}, "delaySeconds": 0, "intervalSeconds": 1});
    both["healthChecks"].as_array_mut().expect("checks").push(well);
    shell.text(&format!("app run --detach {}", shell.file("both.json", &both)));
    let answered = || (shell.0.app("both")["tasks"][0]["healthCheckResults"][0]["alive"] == true).then_some(());
    harness::wait::until("a result of one check", SOON, answered);
    let list = shell.text("task list both");
    assert!(list.lines().any(|line| line.contains(" running  unknown ")), "{list}");
    assert_eq!(shell.0.app("both")["tasksHealthy"], 0);
}

#[test]
fn things_are_named_by_as_little_as_tells_them_apart() {
    let shell = Shell::start();
    for id in ["/web", "/well"] {
        shell.text(&format!("app run {}", shell.file("app.json", &sleeper(id, 1))));
    }
    assert!(shell.text("app show wel").contains("/well: 1 of 1 running"));
    let told = shell.complaint("app show we");
    assert!(told.contains("any of these apps:\n  /web\n  /well"), "{told}");
    assert!(shell.complaint("app show wbe").contains("did you mean /web?"));
    shell.text("app scale wel 2");
    assert_eq!(shell.0.app("well")["instances"], 2);
    assert!(shell.complaint("app rm wel").contains("/wel"), "what is removed is named in full");
    let mut large = sleeper("/large", 1);
    large["mem"] = json!(10_000_000);
    shell.text(&format!("app run --detach {}", shell.file("large.json", &large)));
    let id = shell.json("deployment list")[0][0]["id"].as_str().expect("an id").to_owned();
    assert!(shell.text(&format!("deployment show {}", &id[..8])).starts_with(&id));
    assert!(shell.text(&format!("deployment cancel {} --force", &id[..8])).contains(&id));
}

#[test]
fn machines_are_shown_with_what_of_them_is_used() {
    let shell = Shell::start();
    shell.text(&format!("app run {}", shell.file("web.json", &sleeper("/web", 2))));
    let list = said(&shell, "node list", &["in use", "127.0.0.1"]);
    assert!(list.lines().next().is_some_and(|headings| headings.starts_with("node")), "{list}");
    let nodes = shell.json("node list");
    let node = &nodes[0]["agents"][0];
    assert_eq!((&node["hostname"], &node["tasks"]["TASK_RUNNING"]), (&json!("127.0.0.1"), &json!(2)), "{nodes:?}");
    let text = shell.text("node show 127.0.0.1");
    assert!(text.contains("/web") && text.contains("cpus"), "{text}");
    assert_ne!(shell.run("node show elsewhere").status.code(), Some(0));
}
