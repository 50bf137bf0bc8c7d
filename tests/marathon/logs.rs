//! The output of tasks through the scheduler: all of it, its end, and followed to the end of the task.

mod apart;
mod crash_loop;
mod places;
mod unbroken;

use std::net::SocketAddr;

use harness::cluster::{Dev, START};
use harness::http::Answer;
use harness::{http, wait};
use serde_json::{Value, json};

use crate::{change, get, started};

fn app(id: &str, cmd: &str) -> Value {
    json!({"id": id, "cmd": cmd, "cpus": 0.1, "mem": 32, "backoffSeconds": 3600, "maxLaunchDelaySeconds": 3600})
}

/// The only task of an app, once it runs.
fn task(dev: &Dev, app: &str) -> String {
    wait::until("a task that runs", START, || {
        let tasks = get(dev, &format!("/v2/apps/{app}/tasks"));
        let task = tasks["tasks"].as_array()?.iter().find(|task| task["state"] == "TASK_RUNNING")?;
        task["id"].as_str().map(str::to_owned)
    })
}

fn ask(dev: &Dev, task: &str, query: &str, accept: &str) -> Answer {
    let path = format!("/v2/tasks/{task}/logs{query}");
    http::request(dev.api, "GET", &path, &[("accept", accept)], b"").expect("an answer")
}

/// The events of a log that is followed.
struct Followed(std::thread::JoinHandle<Vec<(String, Value)>>);

impl Followed {
    fn begin(api: SocketAddr, task: &str, query: &str) -> Followed {
        let path = format!("/v2/tasks/{task}/logs?follow=true{query}");
        let headers = [("accept", "text/event-stream")];
        let (status, _, mut reader) = http::open(api, "GET", &path, &headers, b"").expect("an answer");
        assert_eq!(status, 200);
        Followed(std::thread::spawn(move || {
            let mut text = String::new();
            while let Some(chunk) = http::chunk(&mut reader) {
                text.push_str(&String::from_utf8_lossy(&chunk));
            }
            text.split("\n\n").filter_map(event).collect()
        }))
    }

    /// All of them, once the stream has ended.
    fn end(self) -> Vec<(String, Value)> {
        self.0.join().expect("a reader")
    }
}

fn event(text: &str) -> Option<(String, Value)> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Some((field("event:")?.to_owned(), serde_json::from_str(field("data:")?).expect("JSON")))
}

fn lines(events: &[(String, Value)], stream: &str) -> Vec<String> {
    let lines = events.iter().filter(|(kind, data)| kind == "line" && data["stream"] == stream);
    lines.map(|(_, data)| data["line"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn output_is_read_through_the_scheduler_and_followed_over_rotations_to_the_end_of_the_task() {
    let dev = started();
    let go = dev.directory().join("go");
    let waits = format!("while ! [ -e {} ]; do sleep 0.05; done", go.display());
    let cmd = format!("echo first; echo wrong >&2; seq 1 9; {waits}; seq 10 30000; echo last >&2; exit 3");
    let mut talks = app("/talks", &cmd);
    talks["env"] = json!({"CONTAINER_LOGGER_MAX_STDOUT_SIZE": "64KB",
        "CONTAINER_LOGGER_LOGROTATE_STDOUT_OPTIONS": "rotate 99"});
    change(&dev, "POST", "/v2/apps", &talks);
    let task = task(&dev, "talks");
    wait::until("its first lines", START, || {
        (ask(&dev, &task, "", "text/plain").text() == "first\n1\n2\n3\n4\n5\n6\n7\n8\n9\nwrong\n").then_some(())
    });
    assert_eq!(ask(&dev, &task, "?stream=stderr", "*/*").text(), "wrong\n");
    assert_eq!(ask(&dev, &task, "?stream=stdout&tail=2", "*/*").text(), "8\n9\n");
    let document = ask(&dev, &task, "?tail=1", "application/json").json();
    let line = |stream: &str, line: &str| json!({"stream": stream, "line": line});
    assert_eq!(document["lines"], json!([line("stdout", "9"), line("stderr", "wrong")]), "{document}");
    assert_eq!((&document["taskId"], &document["hasEarlier"]), (&json!(task), &json!(false)));
    let nothing = ask(&dev, &task, "?since=2999-01-01T00:00:00Z", "*/*");
    assert_eq!((nothing.text().as_str(), nothing.header("cygnet-has-earlier")), ("", Some("true")));
    let (all, new) = (Followed::begin(dev.api, &task, ""), Followed::begin(dev.api, &task, "&tail=0"));
    std::fs::write(&go, "").expect("a file");
    let (all, new) = (all.end(), new.end());
    let numbers = |from: usize| (from..=30_000).map(|number| number.to_string()).collect::<Vec<_>>();
    assert!(lines(&all, "stdout")[1..] == numbers(1)[..], "each line once, in order");
    assert!(lines(&new, "stdout") == numbers(10), "only what comes");
    assert_eq!(
        (lines(&all, "stderr"), lines(&new, "stderr")),
        (vec!["wrong".into(), "last".into()], vec!["last".into()])
    );
    let (kind, end) = all.last().expect("an end");
    assert_eq!((kind.as_str(), &end["ended"]["exitStatus"]), ("end", &json!(3)), "{end}");
    let dead = ask(&dev, &task, "?stream=stdout&tail=3", "*/*");
    assert_eq!(dead.text(), "29998\n29999\n30000\n", "also once it is dead, and over its files");
    assert_eq!(ask(&dev, &task, "?stream=stdout&tail=29999", "*/*").text().lines().count(), 29_999);
}

#[test]
fn what_cannot_be_read_is_said_in_words() {
    let mut apart = apart::Apart::start();
    let api = apart.api;
    apart.run(&app("/quiet", "echo hello; exec sleep 1000"));
    let task = apart.task();
    let ask = |query: &str| http::get(api, &format!("/v2/tasks/{task}/logs{query}")).expect("an answer");
    wait::until("its line", START, || (ask("").text() == "hello\n").then_some(()));
    for query in ["?stream=both", "?tail=many", "?since=soon"] {
        assert_eq!(ask(query).status, 400, "{query}");
    }
    assert_eq!(http::get(api, "/v2/tasks/none.instance-1._app.1/logs").expect("an answer").status, 404);
    let followed = Followed::begin(api, &task, "");
    apart.pair.agent_process().kill();
    let refused = ask("");
    assert_eq!(refused.status, 502, "{}", refused.text());
    assert!(refused.message().starts_with("The agent ") && refused.message().contains("cannot connect"));
    apart.pair.start_agent();
    wait::until("the agent back", START, || (ask("").status == 200).then_some(()));
    apart.kill();
    drop(followed);
    apart.start_again();
    wait::until("the same of another scheduler", START, || {
        (http::get(api, &format!("/v2/tasks/{task}/logs"))?.text() == "hello\n").then_some(())
    });
    let followed = Followed::begin(api, &task, "&tail=1");
    assert_eq!(http::request(api, "DELETE", "/v2/apps/quiet", &[], b"").expect("an answer").status, 200);
    let events = followed.end();
    assert_eq!(
        (lines(&events, "stdout"), events.last().expect("an end").0.as_str()),
        (vec!["hello".to_owned()], "end")
    );
}

#[test]
fn a_container_of_a_pod_has_output_of_its_own() {
    let dev = started();
    let container = |name: &str| {
        json!({"name": name, "resources": {"cpus": 0.1, "mem": 32},
            "exec": {"command": {"shell": format!("echo {name}; exec sleep 1000")}}})
    };
    change(&dev, "POST", "/v2/pods", &json!({"id": "/pair", "containers": [container("one"), container("two")]}));
    let status = get(&dev, "/v2/pods/pair::status");
    let containers = status["instances"][0]["containers"].as_array().expect("containers").clone();
    assert_eq!(containers.len(), 2);
    for container in containers {
        let (task, name) =
            (container["containerId"].as_str().expect("an id"), container["name"].as_str().expect("one"));
        wait::until("its line", START, || {
            (ask(&dev, task, "?stream=stdout", "*/*").text() == format!("{name}\n")).then_some(())
        });
    }
}
