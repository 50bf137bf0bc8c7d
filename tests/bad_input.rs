//! Bad input gets a clear error that names the field, and changes nothing.

use std::io::Write;
use std::net::TcpStream;

use harness::cluster::Dev;
use harness::http;
use serde_json::{Value, json};

/// The body that is sent, the status that must be answered, and texts the answer must have.
type Case = (Value, u16, &'static [&'static str]);

fn cases() -> Vec<Case> {
    let check = |check: Value| json!({"id": "/a", "cmd": "sleep 1", "healthChecks": [check]});
    vec![
        (json!({"id": 7, "cmd": "sleep 1"}), 422, &["Invalid JSON", "/id", "error.expected.jsstring"]),
        (json!({"id": "/a", "cmd": "sleep 1", "instances": "many"}), 422, &["/instances", "error.expected.jsnumber"]),
        (json!({"id": "/a", "cmd": "sleep 1", "cpus": "much"}), 422, &["/cpus"]),
        (json!({"id": "/a", "cmd": "sleep 1", "env": []}), 422, &["/env"]),
        (json!({"cmd": "sleep 1"}), 422, &["/id"]),
        (json!({"id": "/UPPER", "cmd": "sleep 1"}), 422, &["/id", "must fully match regular expression"]),
        (json!({"id": "/a"}), 422, &["AppDefinition must either contain one of 'cmd' or 'args'"]),
        (
            json!({"id": "/a", "cmd": "sleep 1", "args": ["x"]}),
            422,
            &["AppDefinition must either contain one of 'cmd' or 'args'"],
        ),
        (json!({"id": "/a", "cmd": "sleep 1", "instances": -1}), 422, &["/instances"]),
        (json!({"id": "/a", "cmd": "sleep 1", "cpus": -1}), 422, &["/cpus"]),
        (
            json!({"id": "/a", "cmd": "sleep 1", "portDefinitions": [{"port": 70000}]}),
            422,
            &["/portDefinitions(0)/port"],
        ),
        (
            check(json!({"protocol": "MESOS_HTTP", "portIndex": 5})),
            422,
            &["/healthChecks(0)", "must address an element of the ports array"],
        ),
        (
            check(json!({"protocol": "MESOS_HTTP", "port": 80, "portIndex": 0})),
            422,
            &["must specify either a port or a portIndex"],
        ),
        (check(json!({"protocol": "GOPHER"})), 422, &["/healthChecks(0)/protocol", "error.unknown.enum.literal"]),
        (
            check(json!({"protocol": "HTTP", "intervalSeconds": "often"})),
            422,
            &["/healthChecks(0)/intervalSeconds", "error.expected.jsnumber"],
        ),
        (json!({"id": "/a", "cmd": "sleep 1", "residency": {}, "noSuchField": 1}), 422, &["noSuchField"]),
    ]
}

#[test]
fn bad_input_names_the_field_and_changes_nothing() {
    let mut dev = Dev::new();
    dev.start(&[]);
    let good = json!({"id": "/good", "cmd": "sleep 1000", "cpus": 0.1, "mem": 16});
    assert_eq!(http::send(dev.api, "POST", "/v2/apps", &good).expect("an answer").status, 201);
    dev.wait_app("good", "a running task", |app| app["tasksRunning"] == 1);
    let before = dev.app("good");

    for (definition, status, texts) in cases() {
        let answer = http::send(dev.api, "POST", "/v2/apps", &definition).expect("an answer");
        assert_eq!(answer.status, status, "{definition}: {}", answer.text());
        for text in texts {
            assert!(answer.text().contains(text), "{definition}: {text} in {}", answer.text());
        }
        assert!(answer.json()["message"].is_string());
    }
    not_json(&dev);
    oversized(&dev);
    half_sent(&dev);
    not_there(&dev);

    let apps = http::get(dev.api, "/v2/apps").expect("an answer").json();
    assert_eq!(apps["apps"].as_array().map(Vec::len), Some(1), "{apps}");
    let after = dev.app("good");
    assert_eq!((&after["version"], &after["tasks"][0]["id"]), (&before["version"], &before["tasks"][0]["id"]));
    assert!(dev.process().exited().is_none());
}

fn not_json(dev: &Dev) {
    for body in [&b"{"[..], b"not json", b"\xff\xfe", b"{\"id\": \"/a\",}"] {
        let json = [("content-type", "application/json")];
        let answer = http::request(dev.api, "POST", "/v2/apps", &json, body).expect("an answer");
        assert_eq!((answer.status, answer.json()["message"].clone()), (400, json!("Invalid JSON")));
    }
    let answer = http::request(dev.api, "POST", "/v2/apps", &[("content-type", "application/json")], b"");
    assert_eq!(answer.expect("an answer").status, 400);
}

fn oversized(dev: &Dev) {
    let app = json!({"id": "/huge", "cmd": "x".repeat(64 * 1024 * 1024)});
    // The server may answer before it was sent everything, and cut the line.
    let answer = http::send(dev.api, "POST", "/v2/apps", &app);
    assert!(answer.is_none_or(|answer| answer.status == 413));
    for address in [dev.master, dev.agent] {
        let path = if address == dev.master { "/api/v1/scheduler" } else { "/api/v1/executor" };
        let answer = http::send(address, "POST", path, &app);
        assert!(answer.is_none_or(|answer| answer.status == 413 || answer.status == 400));
    }
}

fn half_sent(dev: &Dev) {
    for address in [dev.api, dev.master, dev.agent] {
        let mut stream = TcpStream::connect(address).expect("a connection");
        let head = "POST /v2/apps HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"id\":";
        stream.write_all(head.as_bytes()).expect("sent");
        drop(stream);
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(b"\x16\x03\x01 this is no HTTP at all\r\n\r\n").expect("sent");
    }
}

fn not_there(dev: &Dev) {
    for (method, path, status) in [
        ("GET", "/v2/apps/none", 404),
        ("DELETE", "/v2/apps/none", 404),
        ("POST", "/v2/apps/none/restart", 404),
        ("DELETE", "/v2/deployments/none", 404),
        ("GET", "/v2/events", 405),
        ("GET", "/v2/nonsense", 404),
    ] {
        let answer = http::request(dev.api, method, path, &[], b"").expect("an answer");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
    assert_eq!(http::get(dev.api, "/v2/apps/none").expect("an answer").json()["message"], "App '/none' does not exist");
}
