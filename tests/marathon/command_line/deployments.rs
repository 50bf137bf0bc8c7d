//! Deployments and events as the command line follows them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::apps;
use rustix::termios::Winsize;
use serde_json::{Value, json};

use super::{Shell, sleeper, terminal};
use crate::stream::{event, events};

/// The output of a command on a terminal of this size.
fn on_a_terminal(command: &mut Command, rows: u16, columns: u16) -> String {
    let (master, other) = terminal();
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&master, size).expect("a size");
    let mut child = command.stdout(other).stderr(Stdio::null()).spawn().expect("it starts");
    // This process must not hold the other end open.
    command.stdout(Stdio::null());
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    // Once nobody has the other end any more, reading is an error.
    while let Ok(count @ 1..) = rustix::io::read(&master, &mut piece) {
        seen.extend_from_slice(&piece[..count]);
    }
    assert!(child.wait().expect("its end").success());
    String::from_utf8(seen).expect("text")
}

#[test]
fn progress_on_a_terminal_fits_it_and_ends_with_what_is_true() {
    let shell = Shell::start();
    let file = shell.file("web.json", &apps::web(3));
    let seen = on_a_terminal(&mut shell.command(&format!("app run {file}")), 12, 60);
    let lines: Vec<&str> = seen.split(['\r', '\n']).map(|line| line.trim_start_matches("\x1b[K")).collect();
    let frames: Vec<&&str> = lines.iter().filter(|line| line.contains(" of 3 ready")).collect();
    assert!(frames.iter().all(|line| line.chars().count() <= 60), "{seen:?}");
    assert!(frames.last().is_some_and(|line| line.contains("3 of 3 ready")), "{seen:?}");
    assert!(lines.iter().any(|line| line.ends_with("done")), "{seen:?}");
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
