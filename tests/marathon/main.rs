//! The Marathon API from outside: by plain HTTP, by the command line, and by clients that others wrote.

mod api;
mod clients;
mod command_line;
mod containers;
mod examples;
mod graces;
mod history;
mod images;
mod late;
mod logs;
mod named_networks;
mod pods;
mod registries;
mod rows;
mod shown;
mod stream;

use harness::cluster::{Dev, START};
use harness::http::Answer;
use harness::{http, wait};
use serde_json::{Value, json};

fn started() -> Dev {
    let mut dev = Dev::new();
    dev.start(&["--resources", "cpus:8;mem:8192;disk:1000"]);
    dev
}

#[track_caller]
fn send(dev: &Dev, method: &str, path: &str, body: &Value) -> Answer {
    http::send(dev.api, method, path, body).expect("an answer")
}

#[track_caller]
fn get(dev: &Dev, path: &str) -> Value {
    http::get(dev.api, path).expect("an answer").json()
}

/// Sends what is to be accepted.
#[track_caller]
fn deploy(dev: &Dev, method: &str, path: &str, body: &Value) -> Value {
    let answer = send(dev, method, path, body);
    let expected = if method == "POST" && !path.ends_with("/restart") { 201..202 } else { 200..300 };
    assert!(expected.contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
    answer.json()
}

/// Waits until no deployment is under way.
#[track_caller]
fn settled(dev: &Dev) {
    wait::until("no deployment", START, || (http::get(dev.api, "/v2/deployments")?.json() == json!([])).then_some(()));
}

/// Sends what is to be accepted, and waits until it is deployed.
#[track_caller]
fn change(dev: &Dev, method: &str, path: &str, body: &Value) -> Value {
    let answer = deploy(dev, method, path, body);
    settled(dev);
    answer
}
