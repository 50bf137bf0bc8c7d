//! Apps, pods and groups from the command line: sent, changed, removed, and what is said of those that do not come up.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use harness::apps;
use serde_json::{Value, json};

use super::{Shell, sleeper};

#[test]
fn an_app_is_run_changed_and_removed_from_the_command_line() {
    let shell = Shell::start();
    assert!(shell.text("app list").contains("no apps"));
    let file = shell.file("web.json", &apps::web(1));
    let told = shell.text(&format!("app run {file}"));
    assert!(told.contains("Application /web") && told.ends_with("done\n"), "{told}");
    assert!(shell.text(&format!("app run {file}")).contains("done"), "the same again");

    shell.text("app scale web 2");
    let list = shell.text("app list");
    assert!(list.lines().any(|line| line.contains("/web") && line.matches(" 2 ").count() >= 3), "{list}");
    let before = shell.json("app show web")[0]["version"].clone();
    let told = shell.json("app update /web env.COLOUR=red cpus=0.05");
    assert_eq!((told.len(), &told[1]["result"]), (2, &json!("success")), "{told:?}");
    assert_eq!(told[0]["deploymentId"], told[1]["deploymentId"]);
    let app = shell.json("app show web")[0].clone();
    assert_eq!((&app["env"], &app["cpus"]), (&json!({"COLOUR": "red"}), &json!(0.05)));
    assert!(shell.text("app versions web").lines().any(|line| before == line));
    shell.text("app rollback web");
    assert_eq!(shell.json("app show web")[0]["env"], json!({}), "back to the version before");

    let task = shell.json("task list web")[0]["tasks"][0]["id"].as_str().expect("a task").to_owned();
    let shown = shell.text(&format!("task show {task}"));
    assert!(shown.lines().any(|line| line.starts_with("check ") && line.contains(": healthy")), "{shown}");
    assert!(shell.text(&format!("task kill {task} --scale")).ends_with("done\n"));
    assert_eq!(shell.json("app show web")[0]["instances"], 1);
    let before = shell.json("task list web")[0]["tasks"][0]["id"].clone();
    let told = shell.text("app kill web");
    assert!(told.contains("is being killed") && told.ends_with("done\n"), "{told}");
    assert_ne!(shell.json("task list web")[0]["tasks"][0]["id"], before, "it came back once the task had ended");
    shell.0.wait_healthy("web", 1);
    shell.text("app restart web");
    shell.text("app rm web");
    assert!(shell.complaint("app show web").contains("App '/web' does not exist"));
}

#[test]
fn a_pod_is_run_shown_changed_and_removed_from_the_command_line() {
    let shell = Shell::start();
    assert!(shell.text("pod list").contains("no pods"));
    let sleep = |name: &str| {
        json!({"name": name, "exec": {"command": {"shell": "exec sleep 100000"}},
        "resources": {"cpus": 0.01, "mem": 4}})
    };
    let mut pod = json!({"id": "/pair", "containers": [sleep("one"), sleep("two")]});
    pod["containers"][0]["check"] =
        json!({"exec": {"command": {"shell": "exit 3"}}, "intervalSeconds": 1, "timeoutSeconds": 1, "delaySeconds": 0});
    pod["containers"][1]["healthCheck"] =
        json!({"exec": {"command": {"shell": "true"}}, "intervalSeconds": 1, "timeoutSeconds": 0.5, "delaySeconds": 0});
    let file = shell.file("pair.json", &pod);
    let told = shell.text(&format!("pod run {file}"));
    assert!(told.contains("Pod /pair") && told.ends_with("done\n"), "{told}");
    let list = shell.text("pod list");
    assert!(list.lines().any(|line| line.contains("/pair") && line.contains("STABLE")), "{list}");
    let version = shell.json("pod versions pair")[0][0].as_str().expect("a version").to_owned();
    shell.text("pod scale pair 2");
    let status = shell.json("pod show pair")[0].clone();
    assert_eq!((&status["status"], status["instances"].as_array().map(Vec::len)), (&json!("STABLE"), Some(2)));
    let found = || {
        let found = shell.json("pod show pair")[0]["instances"][0]["containers"][0]["checkResult"].clone();
        (found == json!({"command": {"exitCode": 3}})).then_some(())
    };
    harness::wait::until("what the check found", Duration::from_secs(60), found);
    let instance = status["instances"][0]["id"].as_str().expect("an id");
    assert!(shell.text(&format!("pod kill pair {instance}")).contains("is being killed"));
    assert!(shell.complaint("pod kill pair nobody").contains("cygnet pod show pair"));
    assert!(shell.text("pod show pair").contains("of 2 stable"));
    shell.text("pod rollback pair --force");
    assert_eq!(shell.json("pod show pair")[0]["spec"]["scaling"]["instances"], 1);
    assert_eq!(shell.json(&format!("pod show pair --at {version}"))[0]["id"], "/pair");
    shell.text("pod rm pair --force");
    assert!(shell.complaint("pod show pair").contains("does not exist"));
}

#[test]
fn an_app_that_ends_at_once_is_no_success_and_keeps_no_other_back() {
    let shell = Shell::start();
    let mut crashes = sleeper("/crashes", 1);
    crashes["cmd"] = json!("echo why >&2; exit 3");
    let crashing = shell.file("crashes.json", &crashes);
    let told = shell.complaint(&format!("app run {crashing}"));
    assert!(told.contains("status 3") && told.contains("\n  | why\n"), "{told}");
    assert!(told.contains("next: is launched again after 1 failure, at ") && told.contains("cygnet app rm"), "{told}");
    let dead = || shell.text("task list --all").contains(" failed ").then_some(());
    harness::wait::until("the task that failed", Duration::from_secs(10), dead);
    let bad = shell.file("bad.json", &json!({"id": "/bad", "instances": -1, "cmd": "sleep 1"}));
    let well = shell.file("well.json", &sleeper("/well", 1));
    shell.text("app rm crashes --force");
    let output = shell.run(&format!("app run {crashing} {bad} {well}"));
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("/well: done"), "{out}");
    assert!(err.contains("/crashes: ") && err.contains("/bad: ") && err.contains("2 of 3"), "{err}");
    assert_eq!(shell.json("app show well")[0]["tasksRunning"], 1);
}

#[test]
fn a_pod_that_does_not_stay_is_told_of_with_its_last_words_however_often_it_is_sent() {
    let shell = Shell::start();
    let container = json!({"name": "one", "resources": {"cpus": 0.01, "mem": 8},
        "exec": {"command": {"shell": "echo cannot find my shoes >&2; exit 3"}}});
    let pod = json!({"id": "/barefoot", "containers": [container], "scaling": {"kind": "fixed", "instances": 1},
        "scheduling": {"backoff": {"backoff": 300}}});
    let file = shell.file("barefoot.json", &pod);
    let told = shell.complaint(&format!("app run {file}"));
    for part in ["/barefoot started and does not stay: ", "  | cannot find my shoes", "`cygnet pod show /barefoot`"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let again = shell.complaint(&format!("app run {file}"));
    assert!(again.contains("is not well: is launched again after 1 failure"), "{again}");
    let mut stays = pod;
    stays["containers"][0]["exec"]["command"]["shell"] = json!("exec sleep 100000");
    let late = "--timeout 500000000000y";
    let told = shell.text(&format!("app run --force --min-healthy 1s {late} {}", shell.file("stays.json", &stays)));
    assert!(told.ends_with("done\n"), "{told}");
}

#[test]
fn a_timeout_while_an_app_without_checks_is_looked_at_is_no_failure_of_its_deployment() {
    let shell = Shell::start();
    let file = shell.file("stays.json", &sleeper("/stays", 1));
    let told = shell.text(&format!("app run --min-healthy 1h --timeout 60s {file}"));
    assert!(told.contains("done; it has run for ") && told.ends_with("s of 3600s (--min-healthy)\n"), "{told}");
}

#[test]
fn what_never_runs_is_given_up_and_scripts_are_told_why() {
    let shell = Shell::start();
    let mut nobody = sleeper("/nobody", 1);
    (nobody["user"], nobody["backoffSeconds"]) = (json!("nobody-by-this-name"), json!(0));
    nobody["healthChecks"] = json!([{"protocol": "MESOS_LISTEN"}]);
    let output = shell.run(&format!("app run {} --json", shell.file("nobody.json", &nobody)));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{out}");
    let last: Value = serde_json::from_str(out.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["result"], &last["crashes"][0]["app"]), (&json!("crashed"), &json!("/nobody")), "{last}");
    assert!(last["crashes"][0]["ended"]["message"].as_str().is_some_and(|text| text.contains("nobody-by-this-name")));
    assert!(String::from_utf8_lossy(&output.stderr).contains("goes on"), "it is still launched again and again");
}

#[test]
fn what_an_app_waits_for_is_said_with_the_field_that_makes_it_wait() {
    let shell = Shell::start();
    let mut sick = sleeper("/sick", 1);
    sick["healthChecks"] = json!([{"protocol": "COMMAND", "command": {"value": "echo away; exit 7"}, "delaySeconds": 0,
        "intervalSeconds": 1, "timeoutSeconds": 1}]);
    let mut running = shell.command(&format!("app run {}", shell.file("sick.json", &sick)));
    let mut running = running.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let lines = BufReader::new(running.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    let told = lines.into_iter().find(|line| line.contains("grace")).expect("why it waits");
    assert!(told.contains("1 failure so far") || told.contains("failures so far"), "{told}");
    assert!(told.contains("), from ") && told.ends_with(" UTC (gracePeriodSeconds 300)"), "{told}");
    running.kill().expect("it can be ended");
    running.wait().expect("its end");
}

#[test]
fn what_a_definition_would_change_is_shown_and_nothing_is_changed() {
    let shell = Shell::start();
    let mut web = sleeper("/web", 2);
    web["healthChecks"] = json!([{"protocol": "MESOS_LISTEN"}]);
    let file = shell.file("web.json", &web);
    let told = shell.text(&format!("app run {file} --dry-run"));
    assert!(told.starts_with("/web: instances: 2 started\n") && told.contains("+ /web is new"), "{told}");
    assert!(told.contains("failures count after 300 s (gracePeriodSeconds)"), "{told}");
    assert!(shell.complaint("app show web").contains("does not exist"), "it is only shown");
    let diff = |file: &str| {
        let output = shell.run(&format!("app diff {file}"));
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(diff(&file).0, Some(1));

    let file = shell.file("plain.json", &sleeper("/plain", 2));
    shell.text(&format!("app run {file}"));
    assert_eq!(diff(&file), (Some(0), String::new()));
    let mut changed = sleeper("/plain", 1);
    changed["env"] = json!({"COLOUR": "red"});
    let file = shell.file("changed.json", &changed);
    let expected = "/plain\n  + /env/COLOUR: \"red\"\n  ~ /instances: 2 -> 1\n";
    assert_eq!(diff(&file), (Some(1), expected.to_owned()));
    let plan = shell.json(&format!("app run {file} --dry-run"))[0]["plan"].clone();
    assert_eq!(plan, json!({"launched": 0, "killed": 1, "restarted": 1, "remain": 0}));
    assert_eq!(diff("nowhere.json").0, Some(2));

    let group = json!({"id": "/shop", "apps": [sleeper("web", 1)]});
    let told = shell.text(&format!("group run {} --dry-run", shell.file("group.json", &group)));
    assert!(told.starts_with("/shop: instances: 1 started\n") && told.contains("+ /shop/web is new"), "{told}");
}
