//! The words for what cannot go on, and the hints that fit it.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::{Shell, sleeper};

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
    let offers = || shell.text("queue offers large").contains("had too little memory left").then_some(());
    harness::wait::until("an offer that was of no use", Duration::from_secs(60), offers);
    assert_eq!(shell.json("queue offers large")[0][0]["reason"], json!(["InsufficientMemory"]));
    assert!(shell.text("queue list").contains("offers had too little memory left"));
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
    assert!(String::from_utf8_lossy(&output.stderr).contains("`cygnet dev` starts a scheduler"));
}

#[test]
fn hints_fit_what_was_asked_and_who_answered() {
    let shell = Shell::start();
    shell.text(&format!("app run {}", shell.file("web.json", &sleeper("/web", 1))));
    assert!(shell.complaint("app show wbe").contains("did you mean /web? `cygnet app list`"));
    assert!(shell.complaint("deployment cancel none").contains("`cygnet deployment list`"));
    for (address, name) in [(shell.0.master, "a Mesos master listens at"), (shell.0.agent, "a Mesos agent listens at")]
    {
        let output = shell.command("app list").env("CYGNET_API", address.to_string()).output().expect("it starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(name) && told.contains("--api") && !told.contains("HTTP"), "{told}");
    }
}

#[test]
fn what_earlier_runs_have_left_is_told_at_the_start() {
    let mut shell = Shell::start();
    shell.text(&format!("app run {}", shell.file("web.json", &sleeper("/web", 1))));
    shell.0.process().signal(Signal::INT);
    assert!(shell.0.process().wait(Duration::from_secs(60)).success());
    shell.0.start(&[]);
    let told = || shell.0.output().contains("Runs again from earlier: /web.").then_some(());
    harness::wait::until("what is there", Duration::from_secs(30), told);
}
