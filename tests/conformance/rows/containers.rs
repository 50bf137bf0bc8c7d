//! 3.8: containers below an executor's, and sessions in them.

use std::io::{BufReader, Read};
use std::net::TcpStream;

use harness::http;
use serde_json::{Value, json};

use super::operator::AGENT;
use crate::row::{Row, both};
use crate::target::Target;
use harness::framework::{Framework, task};
use harness::wire::Form;

type Check = fn(&Parent<'_>);

pub(crate) fn rows() -> Vec<Row> {
    const ROWS: &[(&str, Check)] = &[
        ("LAUNCH, WAIT and REMOVE_NESTED_CONTAINER", |parent| {
            let id = parent.child("c");
            assert_eq!(parent.launch(&id, "exit 3"), 200);
            assert_eq!(parent.waited(&id)["exit_status"], 3 << 8, "a raw wait status");
            assert_eq!(parent.waited(&id)["exit_status"], 3 << 8, "it may be asked again");
            assert_eq!(parent.ask("REMOVE_NESTED_CONTAINER", &id), 200);
            assert_eq!(parent.ask("WAIT_NESTED_CONTAINER", &id), 404);
        }),
        ("LAUNCH_CONTAINER, WAIT_CONTAINER, KILL_CONTAINER, REMOVE_CONTAINER", |parent| {
            let id = parent.child("c");
            let call = json!({"type": "LAUNCH_CONTAINER", "launch_container":
                {"container_id": id, "command": {"value": "exec sleep 1000"}}});
            assert_eq!(AGENT.ask(parent.target, parent.form, &call).status, 200);
            assert_eq!(parent.ask("REMOVE_CONTAINER", &id), 500, "it has not ended");
            assert_eq!(parent.ask("KILL_CONTAINER", &id), 200);
            let call = json!({"type": "WAIT_CONTAINER", "wait_container": {"container_id": id}});
            let response = AGENT.response(parent.target, parent.form, &call);
            assert_eq!(response["wait_container"]["exit_status"], 9, "killed by SIGKILL");
            assert_eq!(parent.ask("REMOVE_CONTAINER", &id), 200);
        }),
        ("LAUNCH_NESTED_CONTAINER: twice", |parent| {
            let id = parent.child("c");
            assert_eq!(parent.launch(&id, "exec sleep 1000"), 200);
            assert_eq!(parent.launch(&id, "exec sleep 1000"), 202);
        }),
        ("KILL_NESTED_CONTAINER: a signal", |parent| {
            let id = parent.child("c");
            // What is signalled before it runs is destroyed.
            let mut session = parent.session(&id, "echo here; exec sleep 1000");
            while !session.next().is_some_and(|io| io["data"]["data"] == "aGVyZQo=") {}
            let call = json!({"type": "KILL_NESTED_CONTAINER", "kill_nested_container":
                {"container_id": id, "signal": 15}});
            assert_eq!(AGENT.ask(parent.target, parent.form, &call).status, 200);
            assert_eq!(parent.waited(&id)["exit_status"], 15);
        }),
        ("nested containers nobody knows", |parent| {
            let id = parent.child("nobody");
            assert_eq!(parent.ask("WAIT_NESTED_CONTAINER", &id), 404);
            assert_eq!(parent.ask("KILL_NESTED_CONTAINER", &id), 404);
            assert_eq!(parent.ask("REMOVE_NESTED_CONTAINER", &id), 200);
            assert_eq!(parent.ask("ATTACH_CONTAINER_OUTPUT", &id), 500);
            let orphan = json!({"value": "c", "parent": {"value": format!("no-such-root-{}", parent.form.name())}});
            assert_eq!(parent.launch(&orphan, "true"), 400);
            assert_eq!(parent.ask("REMOVE_NESTED_CONTAINER", &orphan), 500);
            assert_eq!(parent.ask("ATTACH_CONTAINER_OUTPUT", &orphan), 404);
        }),
        ("ids of containers", |parent| {
            for bad in ["", "a/b", "a.b", "a b", "a\\b", "a\tb", &"x".repeat(243)] {
                assert_eq!(parent.launch(&parent.child(bad), "true"), 400, "{bad}");
            }
        }),
        ("LAUNCH_NESTED_CONTAINER_SESSION: its output, and its end", |parent| {
            let id = parent.child("c");
            let output = parent.session(&id, "echo out; echo err >&2; exit 1").read_all();
            assert_eq!((output.0.as_str(), output.1.as_str()), ("out\n", "err\n"));
            assert_eq!(parent.waited(&id)["exit_status"], 1 << 8);
        }),
        ("LAUNCH_NESTED_CONTAINER_SESSION: destroyed with its connection", |parent| {
            let id = parent.child("c");
            let mut session = parent.session(&id, "echo here; exec sleep 1000");
            while !session.next().is_some_and(|io| io["data"]["data"] == "aGVyZQo=") {}
            drop(session);
            assert_eq!(parent.waited(&id)["exit_status"], 9);
        }),
        ("ATTACH_CONTAINER_INPUT and OUTPUT", |parent| {
            let id = parent.child("c");
            let session = parent.session(&id, "read line; echo \"heard $line\"");
            let data = json!({"type": "DATA", "data": {"type": "STDIN", "data": "aGVsbG8K"}});
            assert_eq!(parent.input(&[
                json!({"type": "CONTAINER_ID", "container_id": id}),
                json!({"type": "PROCESS_IO", "process_io": data}),
                json!({"type": "PROCESS_IO", "process_io": {"type": "DATA", "data": {"type": "STDIN", "data": ""}}}),
            ]), 200);
            assert_eq!(session.read_all().0, "heard hello\n");
        }),
        ("ATTACH_CONTAINER_INPUT: the first record names the container", |parent| {
            let data = json!({"type": "DATA", "data": {"type": "STDIN", "data": "eA=="}});
            assert_eq!(parent.input(&[json!({"type": "PROCESS_IO", "process_io": data})]), 400);
            let nobody = parent.child("nobody");
            assert_eq!(parent.input(&[json!({"type": "CONTAINER_ID", "container_id": nobody})]), 500);
        }),
        ("GET_CONTAINERS: nested ones when asked", |parent| {
            let id = parent.child("c");
            assert_eq!(parent.launch(&id, "exec sleep 1000"), 200);
            let shows = |nested: bool| {
                let call = json!({"type": "GET_CONTAINERS", "get_containers": {"show_nested": nested}});
                let of = |response: &Value| response["get_containers"]["containers"].as_array().cloned();
                let containers = AGENT.response_with(parent.target, parent.form, &call, of);
                // Only here does Mesos name the parent, too.
                containers.iter().any(|container| container["container_status"]["container_id"] == id)
            };
            assert!(shows(true) && !shows(false));
        }),
        ("nested containers end with their executor", |parent| {
            let id = parent.child("c");
            assert_eq!(parent.launch(&id, "exec sleep 1000"), 200);
            parent.framework.kill("t");
            let call = json!({"type": "WAIT_NESTED_CONTAINER", "wait_nested_container": {"container_id": id}});
            let status = AGENT.ask(parent.target, parent.form, &call).status;
            assert!(status == 200 || status == 404, "{status}");
        }),
    ];
    let row = |&(name, check): &(&'static str, Check)| {
        both(format!("3.8 {name}"), move |target, form| check(&Parent::start(target, form)))
    };
    ROWS.iter().flat_map(row).collect()
}

/// A task's container, below which others are launched.
struct Parent<'t> {
    target: &'t Target,
    form: Form,
    framework: Framework,
    id: Value,
}

impl<'t> Parent<'t> {
    fn start(target: &'t Target, form: Form) -> Parent<'t> {
        let framework = Framework::subscribe(target, form);
        let running = framework.run(task("t", "exec sleep 1000"));
        let id = running["container_status"]["container_id"].clone();
        Parent { target, form, framework, id }
    }

    fn child(&self, value: &str) -> Value {
        json!({"value": value, "parent": self.id})
    }

    /// The status of a call that takes only an id.
    #[track_caller]
    fn ask(&self, kind: &str, id: &Value) -> u16 {
        let member = kind.to_lowercase();
        AGENT.ask(self.target, self.form, &json!({"type": kind, member: {"container_id": id}})).status
    }

    #[track_caller]
    fn launch(&self, id: &Value, command: &str) -> u16 {
        let call = json!({"type": "LAUNCH_NESTED_CONTAINER", "launch_nested_container":
            {"container_id": id, "command": {"value": command}}});
        AGENT.ask(self.target, self.form, &call).status
    }

    #[track_caller]
    fn waited(&self, id: &Value) -> Value {
        let call = json!({"type": "WAIT_NESTED_CONTAINER", "wait_nested_container": {"container_id": id}});
        AGENT.response(self.target, self.form, &call)["wait_nested_container"].clone()
    }

    #[track_caller]
    fn session(&self, id: &Value, command: &str) -> Session {
        let call = json!({"type": "LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session":
            {"container_id": id, "command": {"value": command}}});
        let headers = [
            ("content-type", self.form.media_type()),
            ("accept", "application/recordio"),
            ("message-accept", self.form.media_type()),
        ];
        let body = self.form.encode("agent.Call", &call);
        let (status, headers, reader) =
            http::open(self.target.agent(), "POST", "/api/v1", &headers, &body).expect("an answer");
        assert_eq!(status, 200);
        let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(header("content-type"), Some("application/recordio"));
        assert_eq!(header("message-content-type"), Some(self.form.media_type()));
        Session { form: self.form, reader }
    }

    /// ATTACH_CONTAINER_INPUT with these records, and the status of the answer.
    #[track_caller]
    fn input(&self, records: &[Value]) -> u16 {
        let headers = [
            ("content-type", "application/recordio"),
            ("message-content-type", self.form.media_type()),
            ("accept", self.form.media_type()),
        ];
        let mut body = Vec::new();
        for record in records {
            let call = json!({"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": record});
            let record = self.form.encode("agent.Call", &call);
            body.extend(format!("{}\n", record.len()).into_bytes());
            body.extend(record);
        }
        http::request(self.target.agent(), "POST", "/api/v1", &headers, &body).expect("an answer").status
    }
}

/// A stream of ProcessIO.
struct Session {
    form: Form,
    reader: BufReader<TcpStream>,
}

impl Session {
    /// The next piece of output; heartbeats are passed over.
    fn next(&mut self) -> Option<Value> {
        loop {
            let record = http::chunk(&mut self.reader)?;
            let end = record.iter().position(|&byte| byte == b'\n').expect("a record begins with its length");
            let io = self.form.decode("agent.ProcessIO", &record[end + 1..]);
            if io["type"] == "DATA" {
                return Some(io);
            }
        }
    }

    /// Everything printed until the end, on either stream.
    fn read_all(mut self) -> (String, String) {
        use base64::Engine;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        while let Some(io) = self.next() {
            let data = io["data"]["data"].as_str().unwrap_or_default();
            let data = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
            if io["data"]["type"] == "STDERR" { &mut err } else { &mut out }.extend(data);
        }
        let _ = self.reader.read(&mut [0]);
        (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
    }
}
