//! The command line against a scheduler: what people type, what scripts read, and what is said when it goes wrong.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use harness::apps;
use harness::cluster::{Dev, binary};
use serde_json::{Value, json};

use crate::started;
use crate::stream::{event, events};

/// A cluster, and the command line pointed at it.
struct Shell(Dev);

impl Shell {
    fn start() -> Shell {
        Shell(started())
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(binary());
        command.args(line.split_whitespace()).env("CYGNET_API", self.0.api.to_string()).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().expect("it starts")
    }

    /// The text it printed; it has to succeed.
    #[track_caller]
    fn text(&self, line: &str) -> String {
        let output = self.run(line);
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "cygnet {line}: {out}{err}");
        out
    }

    /// The JSON it printed, one document a line.
    #[track_caller]
    fn json(&self, line: &str) -> Vec<Value> {
        let text = self.text(&format!("{line} --json"));
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
            .collect()
    }

    /// The complaint it printed; it has to fail.
    #[track_caller]
    fn complaint(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(!output.status.success(), "cygnet {line} succeeded: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn file(&self, name: &str, definition: &Value) -> String {
        apps::file(&self.0, name, definition)
    }
}

fn sleeper(id: &str, instances: u32) -> Value {
    json!({"id": id, "cmd": "exec sleep 100000", "cpus": 0.01, "mem": 4, "instances": instances})
}

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
fn what_cannot_go_on_says_why_and_what_to_do() {
    let shell = Shell::start();
    let mut large = sleeper("/large", 1);
    large["mem"] = json!(10_000_000);
    let file = shell.file("large.json", &large);
    let late = shell.complaint(&format!("app run {file} --timeout 2s"));
    assert!(late.contains("goes on") && late.contains("cygnet deployment cancel"), "{late}");
    let deployment = shell.json("deployment list")[0][0]["id"].as_str().expect("an id").to_owned();
    assert!(shell.text("deployment list").contains("/large"));
    assert!(shell.text(&format!("deployment show {deployment}")).contains("Application /large"));
    assert!(shell.text("queue list").contains("/large"));
    let offers = || shell.text("queue offers large").contains("InsufficientMemory").then_some(());
    harness::wait::until("an offer that was of no use", Duration::from_secs(60), offers);
    assert_eq!(shell.json("queue offers large")[0][0]["reason"], json!(["InsufficientMemory"]));
    assert!(shell.complaint("queue offers nobody").contains("cygnet queue list"));
    let locked = shell.complaint("app scale large 3");
    assert!(
        locked.contains("App is locked") && locked.contains(&format!("cygnet deployment watch {deployment}")),
        "{locked}"
    );
    shell.text("queue reset large");
    let detached = shell.text("app scale large 3 --force --detach");
    assert!(detached.contains("cygnet deployment watch"), "{detached}");
    let next = shell.json("deployment list")[0][0]["id"].as_str().expect("an id").to_owned();
    shell.text(&format!("deployment cancel {next} --force"));
    assert!(shell.text("deployment list").contains("no deployment"));
    assert!(shell.complaint(&format!("deployment watch {next}")).contains("cygnet deployment list"));

    let bad = shell.file("bad.json", &json!({"id": "/bad", "instances": -1, "cmd": "sleep 1"}));
    assert!(shell.complaint(&format!("app run {bad}")).contains("/instances"));
    assert!(shell.complaint("app update large instances=many").contains("/instances"));
    assert!(shell.complaint("task kill nobody").contains("cygnet task list"));
    let mut elsewhere = shell.command("app list");
    let output = elsewhere.env("CYGNET_API", harness::cluster::free_address().to_string()).output().expect("it starts");
    assert!(String::from_utf8_lossy(&output.stderr).contains("is `cygnet dev` running"));
}

#[test]
fn an_app_that_ends_at_once_is_no_success_and_keeps_no_other_back() {
    let shell = Shell::start();
    let mut crashes = sleeper("/crashes", 1);
    crashes["cmd"] = json!("echo why >&2; exit 3");
    let crashing = shell.file("crashes.json", &crashes);
    assert!(shell.complaint(&format!("app run {crashing}")).contains("status 3"));
    let dead = || shell.text("task list --all").contains("crashes.instance-").then_some(());
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
fn a_task_is_named_by_little_and_its_output_is_followed_to_its_end() {
    let shell = Shell::start();
    let mut talks = sleeper("/talks", 1);
    talks["cmd"] = json!("echo hello; exec sleep 100000");
    shell.text(&format!("app run {}", shell.file("talks.json", &talks)));
    let task = shell.json("task list talks")[0]["tasks"][0].clone();
    let id = task["id"].as_str().expect("an id");
    let short = id.split_once(".instance-").map(|(_, rest)| &rest[..8]).expect("an instance");
    assert!(shell.text(&format!("task show {short}")).contains("version"));
    let mut following = shell.command(&format!("task logs {short} -f --json"));
    let mut following = following.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(following.stdout.take().expect("piped")).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON") };
    assert_eq!(next(), json!({"task": id, "stream": "stdout", "line": "hello"}));
    shell.text(&format!("task kill {short}"));
    assert!(following.wait().expect("its end").success(), "the task has ended");
    assert!(shell.complaint("task show talks.instance-nobody").contains("cygnet task list"));
}

#[test]
fn output_is_followed_across_rotations() {
    let shell = Shell::start();
    let mut talks = sleeper("/counts", 1);
    talks["cmd"] = json!("for i in 1 2 3 4 5 6 7 8 9; do seq 1 20000; sleep 0.1; done; exec sleep 100000");
    talks["env"] = json!({"CONTAINER_LOGGER_MAX_STDOUT_SIZE": "64KB",
        "CONTAINER_LOGGER_LOGROTATE_STDOUT_OPTIONS": "rotate 99"});
    shell.text(&format!("app run {}", shell.file("counts.json", &talks)));
    let task = shell.json("task list counts")[0]["tasks"][0].clone();
    let id = task["id"].as_str().expect("an id").to_owned();
    let mut following = shell.command(&format!("task logs {id} -f"));
    let mut following = following.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(following.stdout.take().expect("piped")).lines();
    for _ in 0..9 {
        for number in 1..=20000 {
            assert_eq!(lines.next().expect("a line").expect("text"), number.to_string());
        }
    }
    let again = shell.text(&format!("task logs {id}"));
    assert_eq!(again.lines().count(), 9 * 20000, "what is in older files comes with it");
    shell.text(&format!("task kill {id}"));
    assert!(following.wait().expect("its end").success(), "the task has ended");
}

#[test]
fn a_deployment_that_is_taken_back_is_no_success() {
    let shell = Shell::start();
    let file = shell.file("web.json", &apps::web(1));
    shell.text(&format!("app run {file}"));
    let mut stuck = shell.command("app update web cmd=exec_sleep_1000 --json");
    let mut stuck = stuck.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(stuck.stdout.take().expect("piped")).lines();
    let first: Value = serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON");
    let id = first["deploymentId"].as_str().expect("an id");
    assert!(shell.text(&format!("deployment cancel {id}")).contains("done"));
    let last: Value = serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON");
    assert_eq!(last, json!({"deploymentId": id, "result": "failed"}));
    assert!(!stuck.wait().expect("its end").success());
}

#[test]
fn a_group_has_canaries_too() {
    let shell = Shell::start();
    let group = |cmd: &str| {
        json!({"id": "/shop", "apps": [
        {"id": "web", "cmd": cmd, "cpus": 0.01, "mem": 4, "instances": 3}]})
    };
    let file = shell.file("one.json", &group("exec sleep 100000"));
    shell.text(&format!("group run {file}"));
    let file = shell.file("two.json", &group("exec sleep 200000"));
    let told = shell.text(&format!("group run {file} --canary 1"));
    assert!(told.contains("the canary is up"), "{told}");
    let shown = |id: &str| shell.text(&format!("deployment show {id}"));
    let id = told.split("continue ").nth(1).and_then(|rest| rest.split('`').next()).expect("an id");
    assert!(shown(id).contains("the canary of 1 is up"), "it came back once the canary was up");
    // The one whose place it takes is told to end once it is up.
    let three = || (shell.json("app show shop/web")[0]["tasksRunning"] == 3).then_some(());
    harness::wait::until("three tasks", Duration::from_secs(60), three);
    shell.text(&format!("deployment continue {id}"));
    harness::wait::until("no deployment", Duration::from_secs(60), || {
        shell.text("deployment list").contains("no deployment").then_some(())
    });
}

#[test]
fn events_are_followed_and_filtered() {
    let shell = Shell::start();
    let attached = events(shell.0.api, "?event_type=event_stream_attached");
    event(&attached, "event_stream_attached");
    let mut listening = shell.command("events --json --type deployment_success --app seen -n 1");
    let listening = listening.stdout(Stdio::piped()).spawn().expect("it starts");
    event(&attached, "event_stream_attached");
    shell.text(&format!("app run {}", shell.file("unseen.json", &sleeper("/unseen", 1))));
    shell.text(&format!("app run {}", shell.file("seen.json", &sleeper("/seen", 1))));
    let output = listening.wait_with_output().expect("its end");
    let event: Value = serde_json::from_slice(&output.stdout).expect("one event");
    assert_eq!(event["plan"]["steps"][0]["actions"][0]["app"], "/seen");
}
