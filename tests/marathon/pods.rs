//! Pods of two containers with a health check each: how each ended, and its check when somebody asks for it.

use harness::cluster::START;
use harness::{process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::command_line::Shell;
use crate::{deploy, get, send};

/// A container that is checked so often, by a command.
fn container(name: &str, command: &str, check: &str, seconds: u32) -> Value {
    json!({"name": name, "exec": {"command": {"shell": command}}, "resources": {"cpus": 0.01, "mem": 8},
        "healthCheck": {"exec": {"command": {"shell": check}}, "delaySeconds": 0, "intervalSeconds": seconds,
            "gracePeriodSeconds": 0, "maxConsecutiveFailures": 100, "timeoutSeconds": 1}})
}

fn explained(shell: &Shell) -> Value {
    get(&shell.0, "/v2/pods/pair::status?embed=health")
}

/// The container of this name, of the only instance.
fn one<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    status["instances"][0]["containers"].as_array()?.iter().find(|container| container["name"] == name)
}

#[test]
fn of_each_container_that_ended_it_is_told_how_with_its_last_words_and_attempts() {
    let shell = Shell::start();
    let web = container("web", "echo no config >&2; sleep 100001; exit 3", "true", 2);
    let log = container("log", "trap 'echo told to stop >&2; exit 0' TERM; sleep 100002 & wait", "test -e none", 2);
    let slowly = json!({"backoff": {"backoff": 3600, "maxLaunchDelay": 3600}});
    deploy(&shell.0, "POST", "/v2/pods", &json!({"id": "/pair", "containers": [web, log], "scheduling": slowly}));
    let status = wait::until("both checks", START, || {
        let status = explained(&shell);
        let heard = |name: &str| one(&status, name).is_some_and(|one| !one["health"]["lastAttempt"].is_null());
        (heard("web") && heard("log")).then_some(status)
    });
    let id = |name: &str| one(&status, name).expect("a container")["containerId"].as_str().expect("an id").to_owned();
    let (web, log) = (id("web"), id("log"));
    assert!(shell.text("task list pair").contains(".web."), "a container is a task");

    let sleeper = || process::running("sleep 100001", shell.0.directory()).first().copied();
    process::signal(wait::until("the process", START, sleeper), Signal::KILL);
    let ended = wait::until("the end", START, || Some(explained(&shell)["ended"].as_array()?.first()?.clone()));
    assert_eq!((&ended["taskId"], &ended["exitStatus"]), (&json!(web), &json!(3)), "{ended}");
    let of = |name: &str| {
        let all = ended["containers"].as_array().expect("containers");
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} in {ended}")).clone()
    };
    let (first, second) = (of("web"), of("log"));
    let said = first["lastErrors"].as_str().unwrap_or_default();
    assert_eq!((&first["exitStatus"], said.lines().next()), (&json!(3), Some("no config")), "{ended}");
    assert_eq!((&second["state"], &second["lastErrors"]), (&json!("TASK_KILLED"), &json!("told to stop")), "{ended}");
    assert_eq!(first["checks"][0]["attempts"][0]["kind"], "success", "{ended}");
    assert_eq!(second["checks"][0]["attempts"][0]["kind"], "exit-code", "{ended}");

    for (task, kind) in [(&web, "success"), (&log, "exit-code")] {
        let history = get(&shell.0, &format!("/v2/tasks/{task}/history"));
        assert_eq!(
            (&history["checks"][0]["attempts"][0]["kind"], &history["ended"]["taskId"]),
            (&json!(kind), &json!(task))
        );
    }
    let listed = shell.json("task list --all pair")[0]["ended"].clone();
    let ids: Vec<_> =
        listed.as_array().expect("ends").iter().map(|ended| ended["taskId"].as_str().expect("an id")).collect();
    assert_eq!(ids[..2], [web.as_str(), log.as_str()], "first the one that tells how the instance ended");
    for (task, said) in [(&web, "no config"), (&log, "told to stop")] {
        let shown = shell.text(&format!("task show {task}"));
        assert!(shown.contains(&format!("| {said}")) && shown.contains("attempts failed"), "{shown}");
    }
    let shown = shell.text("pod show pair");
    assert!(shown.contains("| no config") && shown.contains("| told to stop"), "{shown}");
}

#[test]
fn each_container_has_its_own_check_made_when_somebody_asks() {
    let shell = Shell::start();
    let containers = [
        container("web", "exec sleep 100003", "test ! -e broken", 3600),
        container("log", "exec sleep 100004", "exit 7", 3600),
    ];
    deploy(&shell.0, "POST", "/v2/pods", &json!({"id": "/pair", "containers": containers}));
    let running = || {
        let status = explained(&shell);
        let id = |name: &str| {
            let one = one(&status, name).filter(|one| !one["health"]["lastAttempt"].is_null())?;
            Some(one["containerId"].as_str()?.to_owned())
        };
        Some((id("web")?, id("log")?))
    };
    let (web, log) = wait::until("both containers and their first attempts", START, running);
    for (task, index, command) in [(&web, 0, "broken"), (&log, 1, "exit 7")] {
        let asked = send(&shell.0, "POST", &format!("/v2/tasks/{task}/checks"), &json!({}));
        assert_eq!(asked.status, 200, "{}", asked.text());
        let asked = asked.json();
        let checks = asked["checks"].as_array().expect("checks");
        assert_eq!(
            (checks.len(), &checks[0]["index"], &asked["appId"]),
            (1, &json!(index), &json!("/pair")),
            "{asked}"
        );
        assert!(checks[0]["name"].as_str().is_some_and(|name| name.contains(command)), "{asked}");
        assert_eq!(asked["nextAction"]["text"], "its one check is made now; a failure counts");
        let history = || {
            let history = get(&shell.0, &format!("/v2/tasks/{task}/history"));
            (history["checks"][0]["attempts"].as_array()?.len() == 2).then_some(())
        };
        wait::until("the attempt", START, history);
    }
    let [found, failed] = [&web, &log].map(|task| shell.run(&format!("task check {task}")));
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(found.status.success() && said(&found).contains("success"), "{}", said(&found));
    assert!(failed.status.code() == Some(1) && said(&failed).contains("exit-code 7"), "{}", said(&failed));
}
