//! Tasks whose container has `tty_info`: a terminal that whoever knows the container attaches to at the agent.

use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::framework::task;
use harness::http;
use serde_json::{Value, json};

use crate::started;

type Stream = BufReader<TcpStream>;

fn with_terminal(id: &str, command: &str) -> Value {
    let mut task = task(id, command);
    task["container"] = json!({"type": "MESOS", "tty_info": {"window_size": {"rows": 24, "columns": 80}}});
    task
}

fn attach_output(agent: SocketAddr, container: &Value) -> (u16, Stream) {
    let call = json!({"type": "ATTACH_CONTAINER_OUTPUT", "attach_container_output": {"container_id": container}});
    let headers = [("Content-Type", "application/json"), ("Accept", "application/recordio")];
    let answer = http::open(agent, "POST", "/api/v1", &headers, call.to_string().as_bytes());
    let (status, _, stream) = answer.expect("an answer");
    (status, stream)
}

/// The output until it holds this text.
fn until_printed(output: &mut Stream, wanted: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(wanted) {
        let record = http::chunk(output).unwrap_or_else(|| panic!("the end, after {seen:?}"));
        let record = String::from_utf8(record).expect("JSON");
        let record: Value = serde_json::from_str(record.split_once('\n').expect("a length").1).expect("a record");
        let data = STANDARD.decode(record["data"]["data"].as_str().unwrap_or_default()).expect("base64");
        seen += &String::from_utf8_lossy(&data);
    }
    seen
}

/// Types a line in a window of this height, and gives the status of the answer.
fn type_in(agent: SocketAddr, container: &Value, rows: u32, line: &str) -> u16 {
    let window = json!({"type": "TTY_INFO", "tty_info": {"window_size": {"rows": rows, "columns": 132}}});
    let data = json!({"type": "STDIN", "data": STANDARD.encode(line)});
    let records = [
        json!({"type": "CONTAINER_ID", "container_id": container}),
        json!({"type": "PROCESS_IO", "process_io": {"type": "CONTROL", "control": window}}),
        json!({"type": "PROCESS_IO", "process_io": {"type": "DATA", "data": data}}),
    ];
    let body = records.map(|record| {
        let call = json!({"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": record}).to_string();
        format!("{}\n{call}", call.len())
    });
    let headers = [("Content-Type", "application/recordio"), ("Message-Content-Type", "application/json")];
    http::request(agent, "POST", "/api/v1", &headers, body.concat().as_bytes()).expect("an answer").status
}

#[track_caller]
fn converse(agent: SocketAddr, running: &Value) {
    let container = &running["container_status"]["container_id"];
    let (status, mut output) = attach_output(agent, container);
    assert_eq!(status, 200);
    assert_eq!(type_in(agent, container, 50, "hello\n"), 200);
    let seen = until_printed(&mut output, "50 132\r\n");
    assert!(seen.contains("got hello\r\n"), "{seen}");
}

const COMMAND: &str = "test -t 0 && test -t 1 && read line && echo got $line && stty size";

#[test]
fn a_command_task_is_attached_to() {
    let (pair, framework) = started();
    let running = framework.run(with_terminal("t", COMMAND));
    converse(pair.agent, &running);
    framework.expect("TASK_FINISHED");
}

#[test]
fn a_task_of_a_group_is_attached_to_and_one_without_a_terminal_is_not() {
    let (pair, framework) = started();
    framework.launch_group("group", [with_terminal("t", &format!("{COMMAND} && sleep 1000"))]);
    framework.expect("TASK_STARTING");
    converse(pair.agent, &framework.expect("TASK_RUNNING"));
    framework.launch_group("other", [task("plain", "sleep 1000")]);
    framework.expect("TASK_STARTING");
    let plain = framework.expect("TASK_RUNNING");
    for container in [&plain["container_status"]["container_id"], &plain["container_status"]["container_id"]["parent"]]
    {
        let call = json!({"type": "ATTACH_CONTAINER_OUTPUT", "attach_container_output": {"container_id": container}});
        let answer = http::send(pair.agent, "POST", "/api/v1", &call).expect("an answer");
        let disabled = "I/O switchboard server was disabled for this container";
        assert_eq!((answer.status, answer.text().as_str()), (500, disabled));
    }
}

#[test]
fn an_executor_of_a_frameworks_own_gets_no_terminal_and_is_told_so() {
    let (_pair, framework) = started();
    let mut own = task("t", "");
    own["command"] = Value::Null;
    let container = with_terminal("t", "")["container"].clone();
    own["executor"] = json!({"type": "CUSTOM", "executor_id": {"value": "own"}, "container": container,
        "command": {"value": "sleep 1000"}});
    framework.launch(own);
    let failed = framework.expect("TASK_FAILED");
    assert!(failed["message"].as_str().is_some_and(|message| message.contains("tty_info")), "{failed}");
}
