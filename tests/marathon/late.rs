//! Checkers that do not check: what is said of their tasks while somebody looks, and that nothing is done about it.

use std::net::SocketAddr;
use std::process::Command;

use harness::apps::{ids, started};
use harness::cluster::{Dev, Pair, START, binary};
use harness::{http, process, wait};
use rustix::process::Signal;
use serde_json::Value;

use crate::history::{hourly, scheduler_of};

/// The answer of `cygnet`, and whether it left with 0.
fn cygnet(api: SocketAddr, arguments: &[&str]) -> (String, bool) {
    let output = Command::new(binary()).args(arguments).args(["--api", &api.to_string()]).output().expect("a command");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

fn executors(dev: &Dev) -> Vec<i32> {
    dev.others().into_iter().filter(|&pid| process::command_line(pid).contains(" executor --pool")).collect()
}

/// The kinds of what is not well.
fn kinds(api: SocketAddr) -> Vec<Value> {
    let overview = http::get(api, "/v2/overview").expect("an answer").json();
    overview["notWell"].as_array().into_iter().flatten().map(|entry| entry["kind"].clone()).collect()
}

#[test]
fn healthy_tasks_whose_checker_is_stopped_say_so_wherever_one_looks_and_nothing_is_killed() {
    let dev = started(2, &[]);
    let before = dev.app("web");
    let (status, is_well) = cygnet(dev.api, &["status", "--exit-code"]);
    assert!(is_well && status.starts_with("the one app is well since "), "{status}");

    let stopped = executors(&dev);
    assert!(!stopped.is_empty(), "an executor");
    stopped.iter().for_each(|pid| _ = process::signal(*pid, Signal::STOP));
    wait::until("both tasks among what is not well", START, || {
        (kinds(dev.api) == ["unchecked", "unchecked"]).then_some(())
    });
    let (status, is_well) = cygnet(dev.api, &["status", "--exit-code"]);
    assert!(!is_well && status.starts_with("1 of 1 app is not well"), "{status}");
    assert!(
        status.contains("is healthy, but not checked for") && status.contains("its checker answers nothing"),
        "{status}"
    );
    let task = ids(&before)[0].clone();
    for arguments in [vec!["app", "show", "/web"], vec!["task", "list"], vec!["task", "show", &task]] {
        let (shown, _) = cygnet(dev.api, &arguments);
        assert!(shown.contains("healthy, not checked"), "{arguments:?}: {shown}");
    }
    let now = dev.app("web");
    assert_eq!((ids(&now), &now["tasksHealthy"]), (ids(&before), &before["tasksHealthy"]), "no task is blamed");

    stopped.iter().for_each(|pid| _ = process::signal(*pid, Signal::CONT));
    wait::until("all well again", START, || kinds(dev.api).is_empty().then_some(()));
    let after = dev.app("web");
    assert_eq!((ids(&after), &after["tasksHealthy"]), (ids(&before), &before["tasksHealthy"]), "nothing was killed");
}

#[test]
fn an_agent_that_is_stopped_is_told_of_itself_and_not_each_of_its_tasks() {
    let mut pair = Pair::start();
    let (api, _running) = scheduler_of(&pair);
    assert_eq!(http::send(api, "POST", "/v2/apps", &hourly()).expect("an answer").status, 201);
    let healthy = || (http::get(api, "/v2/apps/asked")?.json()["app"]["tasksHealthy"] == 1).then_some(());
    wait::until("a healthy task", START, healthy);
    let as_of = || http::get(api, "/v2/overview?embed=checkers").expect("an answer").json()["checkersAsOf"].clone();
    assert!(as_of().is_string() && kinds(api).is_empty());
    pair.agent_process().signal(Signal::STOP);
    wait::until("the agent among what is not well", 2 * START, || (kinds(api) == ["untelling"]).then_some(()));
    let (status, _) = cygnet(api, &["status"]);
    assert!(status.contains("does not tell whether its tasks are checked"), "{status}");
    pair.agent_process().signal(Signal::CONT);
    wait::until("all well again", START, || kinds(api).is_empty().then_some(()));
}
