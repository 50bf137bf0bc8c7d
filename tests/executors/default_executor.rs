//! The default executor: a test for each of Mesos' own, with groups of one task, and what only groups have.

use std::collections::BTreeMap;

use harness::cluster::free_address;
use harness::framework::{Framework, task};
use harness::process;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    CHECK, HEALTH, alternating, check_command, command, known, merge, server, started, with_check, with_health,
};

/// Launches a group of one task and gives its RUNNING status.
#[track_caller]
fn run(framework: &Framework, task: Value) -> Value {
    framework.launch_group("group", [task]);
    framework.expect("TASK_STARTING");
    framework.expect("TASK_RUNNING")
}

/// Takes updates until every task has had the last of its states, and gives the states of each.
#[track_caller]
fn until(framework: &Framework, last: &[(&str, &str)]) -> BTreeMap<String, Vec<Value>> {
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let has = |seen: &BTreeMap<String, Vec<Value>>, (task, state): &(&str, &str)| {
        seen.get(*task).is_some_and(|statuses| statuses.iter().any(|status| status["state"] == *state))
    };
    while !last.iter().all(|one| has(&seen, one)) {
        let status = framework.update();
        let task = status["task_id"]["value"].as_str().expect("an id").to_owned();
        seen.entry(task).or_default().push(status);
    }
    seen
}

fn states(statuses: &[Value]) -> Vec<&str> {
    statuses.iter().map(|status| status["state"].as_str().expect("a state")).collect()
}

// health_check_tests.cpp

#[test]
fn default_executor_command_health_check() {
    let (_pair, framework) = started();
    let mut check = command("exit $STATUS");
    check["command"]["environment"] = json!({"variables": [{"name": "STATUS", "value": "0"}]});
    run(&framework, with_health("t", "sleep 1000", check));
    assert_eq!(framework.expect_reason(HEALTH)["healthy"], true);
}

// check_tests.cpp

#[test]
fn command_check_delivered_and_reconciled() {
    let (_pair, framework) = started();
    let mut check = check_command("exit $STATUS");
    check["command"]["command"]["environment"] = json!({"variables": [{"name": "STATUS", "value": "1"}]});
    let running = run(&framework, with_check("t", "sleep 1000", check));
    assert_eq!(running["check_status"], json!({"type": "COMMAND", "command": {}}));
    assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], 1);
    for tasks in [&["t"][..], &[]] {
        assert_eq!(framework.reconcile(&known(tasks))["check_status"]["command"]["exit_code"], 1);
    }
}

#[test]
fn command_check_status_change() {
    let (_pair, framework) = started();
    run(&framework, with_check("t", "sleep 1000", check_command(&alternating(1))));
    for code in [1, 0, 1] {
        assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], code);
    }
}

#[test]
fn command_check_sees_parents_env_and_shares_work_dir_with_task() {
    let (_pair, framework) = started();
    let check = check_command("test -e made-by-task && exit $ANSWER");
    let mut task = with_check("t", "touch made-by-task; sleep 1000", check);
    task["command"]["environment"] = json!({"variables": [{"name": "ANSWER", "value": "42"}]});
    run(&framework, task);
    let first = framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"].clone();
    if first != 42 {
        assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], 42);
    }
}

#[test]
fn command_check_timeout() {
    let (_pair, framework) = started();
    let mut check = check_command("if [ -e once ]; then sleep 1000; else touch once; exit 1; fi");
    check["timeout_seconds"] = json!(1.0);
    run(&framework, with_check("t", "sleep 1000", check));
    assert_eq!(framework.expect_reason(CHECK)["check_status"]["command"]["exit_code"], 1);
    assert_eq!(framework.expect_reason(CHECK)["check_status"], json!({"type": "COMMAND", "command": {}}));
}

#[test]
fn command_check_and_health_check_no_shadowing() {
    let (_pair, framework) = started();
    let mut task = with_check("t", "sleep 1000", check_command("exit 1"));
    task["health_check"] = command("exit 0");
    merge(&mut task["health_check"], json!({"delay_seconds": 1.0, "interval_seconds": 1000.0}));
    run(&framework, task);
    let checked = framework.expect_reason(CHECK);
    assert_eq!(checked["check_status"]["command"]["exit_code"], 1);
    assert!(checked["healthy"].is_null(), "{checked}");
    let healthy = framework.expect_reason(HEALTH);
    assert_eq!(healthy["healthy"], true);
    assert_eq!(healthy["check_status"]["command"]["exit_code"], 1);
    let status = framework.reconcile(&[]);
    assert_eq!((&status["healthy"], &status["check_status"]["command"]["exit_code"]), (&json!(true), &json!(1)));
}

#[test]
fn multiple_tasks_with_checks() {
    let (_pair, framework) = started();
    let check = json!({"type": "TCP", "tcp": {"port": free_address().port()}});
    let tasks = ["a", "b"].map(|id| with_check(id, "sleep 1000", check.clone()));
    framework.launch_group("group", tasks);
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for _ in 0..6 {
        let status = framework.update();
        seen.entry(status["task_id"]["value"].to_string()).or_default().push(status);
    }
    assert_eq!(seen.len(), 2);
    for statuses in seen.values() {
        assert_eq!(states(statuses), ["TASK_STARTING", "TASK_RUNNING", "TASK_RUNNING"]);
        assert_eq!(statuses[1]["check_status"], json!({"type": "TCP", "tcp": {}}));
        assert_eq!(statuses[2]["reason"], CHECK);
        assert_eq!(statuses[2]["check_status"]["tcp"]["succeeded"], false);
    }
}

#[test]
fn http_check_delivered() {
    let (_pair, framework) = started();
    let port = free_address().port();
    let check = json!({"type": "HTTP", "http": {"port": port, "path": "/health"}});
    let running = run(&framework, with_check("t", &server(port), check));
    assert_eq!(running["check_status"], json!({"type": "HTTP", "http": {}}));
    assert_eq!(framework.expect_reason(CHECK)["check_status"]["http"]["status_code"], 200);
}

#[test]
fn tcp_check_delivered() {
    let (_pair, framework) = started();
    let port = free_address().port();
    let running = run(&framework, with_check("t", &server(port), json!({"type": "TCP", "tcp": {"port": port}})));
    assert_eq!(running["check_status"], json!({"type": "TCP", "tcp": {}}));
    let first = framework.expect_reason(CHECK)["check_status"]["tcp"]["succeeded"].clone();
    if first == false {
        assert_eq!(framework.expect_reason(CHECK)["check_status"]["tcp"]["succeeded"], true);
    }
}

// What only groups have.

#[test]
fn a_group_lives_and_dies_together_and_others_do_not_notice() {
    let (_pair, framework) = started();
    framework.launch_group("e", [task("x", "sleep 1000")]);
    until(&framework, &[("x", "TASK_RUNNING")]);
    framework.launch_group("e", [task("a", "sleep 1000"), task("b", "true"), task("c", "sleep 2; exit 3")]);
    let seen = until(&framework, &[("a", "TASK_KILLED"), ("b", "TASK_FINISHED"), ("c", "TASK_FAILED")]);
    assert_eq!(states(&seen["a"]), ["TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_KILLED"]);
    let parent = |task: &str| seen[task][1]["container_status"]["container_id"]["parent"]["value"].clone();
    assert!(parent("a").is_string() && parent("a") == parent("b"));
    assert!(!seen.contains_key("x"));
    assert_eq!(framework.reconcile(&known(&["x"]))["state"], "TASK_RUNNING");
    framework.kill("x");
    until(&framework, &[("x", "TASK_KILLED")]);
    assert_eq!(framework.stream.event("FAILURE")["failure"]["executor_id"]["value"], "e");
}

#[test]
fn groups_survive_the_death_of_their_agent_and_of_their_executor() {
    let (mut pair, framework) = started();
    let flag = pair.directory().join("flag");
    let healthy = command(&format!("test -e {}", flag.display()));
    let mut checked = with_health("a", "sleep 1000", healthy);
    checked["health_check"]["consecutive_failures"] = json!(1_000_000);
    framework.launch_group("e", [checked, task("b", "sleep 1000")]);
    until(&framework, &[("a", "TASK_RUNNING"), ("b", "TASK_RUNNING")]);
    let with = |wanted: &dyn Fn(&str) -> bool| -> Vec<i32> {
        process::marked(pair.directory()).into_iter().filter(|pid| wanted(&process::command_line(*pid))).collect()
    };
    let tasks = with(&|line| line == "sleep 1000");
    assert_eq!(tasks.len(), 2);
    let pools = with(&|line| line.contains("executor --pool"));
    assert_eq!(pools.len(), 1);

    pair.agent_process().kill();
    pools.into_iter().for_each(|pid| assert!(process::signal(pid, Signal::KILL)));
    std::fs::write(&flag, "").expect("a file");
    pair.start_agent();
    loop {
        let status = framework.update();
        assert_eq!(status["state"], "TASK_RUNNING", "{status}");
        if status["healthy"] == true && status["task_id"]["value"] == "a" {
            break;
        }
    }
    assert!(tasks.iter().all(|pid| process::alive(*pid)));
    framework.kill("b");
    until(&framework, &[("a", "TASK_KILLED"), ("b", "TASK_KILLED")]);
}
