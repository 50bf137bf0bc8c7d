//! Tasks from the command line: named by little, their output, commands beside them, and what they use.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::cluster::binary;
use harness::wait;
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::{Value, json};

use super::{Shell, sleeper, terminal};
use crate::change;
use crate::images::{IMAGE, with_docker};

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
fn a_terminal_that_was_lent_is_given_back_also_by_one_who_is_told_to_end() {
    let shell = Shell::start();
    shell.text(&format!("app run {}", shell.file("alone.json", &sleeper("/alone", 1))));
    let task = shell.json("task list alone")[0]["tasks"][0]["id"].as_str().expect("an id").to_owned();
    let (_master, ours) = terminal();
    let end = || Stdio::from(ours.try_clone().expect("a terminal"));
    let mut exec = shell.command(&format!("task exec {task} -- sleep 100000"));
    let mut exec = exec.stdin(end()).stdout(end()).stderr(Stdio::null()).spawn().expect("it starts");
    let is_raw = || !tcgetattr(&ours).expect("its modes").local_modes.contains(LocalModes::ICANON);
    wait::until("the terminal is lent", Duration::from_secs(30), || is_raw().then_some(()));
    let pid = Pid::from_child(&exec);
    wait::until("it has ended", Duration::from_secs(30), || {
        kill_process(pid, Signal::TERM).expect("it is ours");
        exec.try_wait().expect("its end")
    });
    assert!(!is_raw(), "it is given back");
}

#[test]
fn a_command_runs_beside_a_task_and_its_exit_status_is_passed_on() {
    let shell = Shell::start();
    let sleep = |name: &str| json!({"name": name, "exec": {"command": {"shell": "exec sleep 100000"}}, "resources": {"cpus": 0.01, "mem": 8}});
    shell.text(&format!("pod run {}", shell.file("pair.json", &json!({"id": "/pair", "containers": [sleep("one")]}))));
    let mut app = sleeper("/alone", 1);
    app["env"] = json!({"COLOUR": "red"});
    shell.text(&format!("app run {}", shell.file("alone.json", &app)));
    let task = shell.json("task list alone")[0]["tasks"][0]["id"].as_str().expect("an id").to_owned();
    for id in [task.as_str(), "one.1"] {
        let mut command = shell.command(&format!("task exec {id} -- sh -c"));
        let mut child = command
            .arg("read line; echo $line $COLOUR; echo wrong >&2; exit 7")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("piped").write_all(b"typed\n").expect("written");
        let output = child.wait_with_output().expect("its end");
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let colour = if id == task { "typed red\n" } else { "typed\n" };
        assert_eq!((output.status.code(), out.trim_end(), err.as_str()), (Some(7), colour.trim_end(), "wrong\n"));
    }
    let killed = shell.command(&format!("task exec {task} -- sh -c")).arg("kill -9 $$").status().expect("its end");
    assert_eq!(killed.code(), Some(137));
    assert_eq!(shell.run(&format!("task exec {task} -- /no/such/program")).status.code(), Some(255));
    assert_eq!(shell.run("task exec nobody -- true").status.code(), Some(255));
    let shown = shell.text(&format!("task show {task}"));
    let pid = shown.split(", process ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse::<u32>().ok());
    let pid = pid.unwrap_or_else(|| panic!("a process in {shown}"));
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).expect("it runs");
    assert!(shown.contains(", sandbox /") && command.starts_with("sleep"), "{shown}{command}");

    let used = shell.json("task stats");
    let of = |id: &str| used.iter().find(|used| used["task"].as_str().is_some_and(|task| task.contains(id)));
    for id in ["alone.", "pair."] {
        let used = of(id).unwrap_or_else(|| panic!("{id} in {used:?}"));
        assert!(used["memBytes"].as_u64() > Some(0) && used["threads"].as_u64() >= Some(1), "{used}");
    }
    assert!(shell.text(&format!("task stats {task}")).contains("iB"));
}

#[test]
fn a_command_runs_beside_a_task_whose_container_docker_makes() {
    with_docker("a_command_runs_beside_a_task_whose_container_docker_makes", |dev, _| {
        let container = json!({"type": "DOCKER", "docker": {"image": IMAGE}});
        let app = json!({"id": "/web", "cmd": "sleep 100000", "cpus": 0.1, "mem": 32, "env": {"COLOUR": "red"},
            "container": container});
        change(dev, "POST", "/v2/apps", &app);
        let task = dev.app("web")["tasks"][0]["id"].as_str().expect("an id").to_owned();
        let exec = |script: &str| {
            let mut command = Command::new(binary());
            command.args(["task", "exec", &task, "--", "sh", "-c", script]).env("CYGNET_API", dev.api.to_string());
            command
        };
        let mut typing = exec("read line; echo $line $COLOUR; test -e /mnt/mesos/sandbox/stdout && exit 7");
        typing.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = typing.spawn().expect("it starts");
        child.stdin.take().expect("piped").write_all(b"typed\n").expect("written");
        let output = child.wait_with_output().expect("its end");
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(7), b"typed red\n".as_slice()));
        let killed = exec("kill -9 $$").stdin(Stdio::null()).status().expect("its end");
        assert_eq!(killed.code(), Some(137));
    });
}

#[test]
fn what_all_tasks_of_an_app_write_is_followed_with_those_that_join() {
    let shell = Shell::start();
    let mut talks = sleeper("/talks", 1);
    talks["cmd"] = json!("echo hello; echo wrong >&2; exec sleep 100000");
    shell.text(&format!("app run {}", shell.file("talks.json", &talks)));
    let mark = |task: &Value| {
        let id = task["id"].as_str().expect("an id");
        format!("{}.1", &id.split_once(".instance-").expect("an instance").1[..8])
    };
    let first = mark(&shell.json("task list talks")[0]["tasks"][0]);
    let printed = || {
        let output = shell.run("task logs talks");
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        (out == format!("{first} | hello\n") && err == format!("{first} | wrong\n")).then_some(())
    };
    harness::wait::until("both streams, each in its place", Duration::from_secs(30), printed);
    assert!(shell.run("task logs talks --stdout").stderr.is_empty());
    assert!(shell.text("task logs talks --stderr --json").contains("\"stream\":\"stderr\""));
    assert_eq!(shell.text("task logs talks --tail 0"), "");

    let mut following = shell.command("task logs talks -f --stdout");
    let mut following = following.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(following.stdout.take().expect("piped")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    assert_eq!(next(), format!("{first} | hello"));
    shell.text("app scale talks 2");
    let joined = next();
    assert!(joined.ends_with(" | hello") && !joined.starts_with(&first), "{joined}");
    shell.text("app rm talks");
    assert!(following.wait().expect("its end").success(), "the app is gone");
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
