//! Groups of tasks on the default executor: they live and die together.

use std::collections::BTreeMap;

use harness::cluster::{START, free_address};
use harness::framework::{Framework, task, with_check, with_health_check};
use harness::{process, wait};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{known, started};

const CHECK: &str = "REASON_TASK_CHECK_STATUS_UPDATED";

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

#[test]
fn multiple_tasks_with_checks() {
    let (_pair, framework) = started();
    let check = json!({"type": "TCP", "tcp": {"port": free_address().port()}});
    let tasks = ["a", "b"].map(|id| with_check(task(id, "sleep 1000"), check.clone()));
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
    let healthy = json!({"type": "COMMAND", "command": {"value": format!("test -e {}", flag.display())},
        "consecutive_failures": 1_000_000});
    let checked = with_health_check(task("a", "sleep 1000"), healthy);
    framework.launch_group("e", [checked, task("b", "sleep 1000")]);
    until(&framework, &[("a", "TASK_RUNNING"), ("b", "TASK_RUNNING")]);
    let with = |wanted: &dyn Fn(&str) -> bool| -> Vec<i32> {
        process::marked(pair.directory()).into_iter().filter(|pid| wanted(&process::command_line(*pid))).collect()
    };
    // Each begins as a shell.
    let tasks = wait::until("two tasks to run what they are told", START, || {
        Some(with(&|line| line == "sleep 1000")).filter(|tasks| tasks.len() == 2)
    });
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
