//! Containers of the operator API: nested tasks, sessions with their streams, and standalone ones.

mod attached;
mod nested;
mod sessions;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mesos::Codec;
use mesos::client::Client;
use mesos::v1::agent::ProcessIo;
use mesos::v1::executor::event::Type;
use mesos::v1::{ContainerStatus, TaskState, TaskStatus};
use processes::{Confinement, Logged, Logs, Program, Resource, ResourceLimit, Rotations};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::executor::{Executor, status};
use crate::processes::{content, gone, sandbox};
use crate::wait::{soon, until};
use crate::world::World;

const PATH: &str = "/slave(1)/api/v1";

/// A request whose answer's body is read in pieces.
struct Exchange {
    status: u16,
    head: String,
    reader: BufReader<TcpStream>,
}

impl Exchange {
    async fn open(address: SocketAddr, headers: &str, body: &[u8]) -> Exchange {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("POST {PATH} HTTP/1.1\r\nHost: agent\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        Exchange::answered(BufReader::new(stream)).await
    }

    async fn answered(mut reader: BufReader<TcpStream>) -> Exchange {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(soon("an answer", reader.read_line(&mut head)).await.unwrap() > 0, "{head}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Exchange { status, head: head.to_ascii_lowercase(), reader }
    }

    /// The next record of the stream; nothing at its end.
    async fn record(&mut self) -> Option<Value> {
        let mut size = String::new();
        soon("a chunk", self.reader.read_line(&mut size)).await.unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        soon("a chunk", self.reader.read_exact(&mut chunk)).await.unwrap();
        let chunk = String::from_utf8(chunk).unwrap();
        let (_, record) = chunk.trim_end().split_once('\n')?;
        Some(serde_json::from_str(record).unwrap())
    }

    /// Everything that was written to these streams, until the session's end.
    async fn output(&mut self) -> (String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        while let Some(record) = self.record().await {
            if record["type"] == "DATA" {
                let text = text(&record);
                if record["data"]["type"] == "STDOUT" { stdout += &text } else { stderr += &text }
            }
        }
        (stdout, stderr)
    }

    /// Until the output contains this.
    async fn until(&mut self, wanted: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(wanted) {
            let record = self.record().await.unwrap_or_else(|| panic!("the end, after {seen:?}"));
            seen += &text(&record);
        }
        seen
    }
}

fn text(record: &Value) -> String {
    use base64::Engine;
    let data = record["data"]["data"].as_str().unwrap_or_default();
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(data).unwrap()).unwrap()
}

async fn call(world: &World, call: Value) -> (u16, Value) {
    let mut exchange = Exchange::open(world.address(), JSON, call.to_string().as_bytes()).await;
    let length = exchange.head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    exchange.reader.read_exact(&mut body).await.unwrap();
    let text = String::from_utf8(body).unwrap();
    (exchange.status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

const JSON: &str = "Content-Type: application/json\r\n";
const RECORDS: &str = "Content-Type: application/json\r\nAccept: application/recordio\r\n";

async fn session(world: &World, id: &Value, command: Value) -> Exchange {
    let call = json!({"type": "LAUNCH_NESTED_CONTAINER_SESSION",
        "launch_nested_container_session": {"container_id": id, "command": command}});
    Exchange::open(world.address(), RECORDS, call.to_string().as_bytes()).await
}

async fn launch(world: &World, id: &Value, command: &str) -> (u16, Value) {
    let resources = json!([{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}}]);
    let launch = json!({"container_id": id, "command": {"value": command}, "resources": resources});
    order(world, launch).await
}

/// LAUNCH_CONTAINER
async fn order(world: &World, order: Value) -> (u16, Value) {
    call(world, json!({"type": "LAUNCH_CONTAINER", "launch_container": order})).await
}

/// ATTACH_CONTAINER_OUTPUT
async fn watch(world: &World, id: &Value, headers: &str) -> Exchange {
    let call = json!({"type": "ATTACH_CONTAINER_OUTPUT", "attach_container_output": {"container_id": id}});
    Exchange::open(world.address(), headers, call.to_string().as_bytes()).await
}

async fn wait(world: &World, id: &Value) -> (u16, Value) {
    let (status, body) = call(world, json!({"type": "WAIT_CONTAINER", "wait_container": {"container_id": id}})).await;
    (status, body["wait_container"]["exit_status"].clone())
}

async fn remove(world: &World, id: &Value) -> u16 {
    call(world, json!({"type": "REMOVE_CONTAINER", "remove_container": {"container_id": id}})).await.0
}

async fn kill(world: &World, id: &Value, signal: i32) -> u16 {
    let kill = json!({"container_id": id, "signal": signal});
    call(world, json!({"type": "KILL_CONTAINER", "kill_container": kill})).await.0
}

async fn shown(world: &World, nested: bool, standalone: bool) -> Vec<Value> {
    let asked = json!({"type": "GET_CONTAINERS",
        "get_containers": {"show_nested": nested, "show_standalone": standalone}});
    call(world, asked).await.1["get_containers"]["containers"].as_array().cloned().unwrap_or_default()
}

/// An agent with an executor, and the id of a container nested in that.
async fn with_executor() -> (World, Executor, Value) {
    let (world, executor) = World::custom("sleep 1000; true").await;
    // It may have been quicker to subscribe than the agent was to start its process.
    let container = until("its process", async || {
        let container = world.json("/containers").await[0].clone();
        container["status"]["executor_pid"].is_u64().then(|| container["container_id"].clone())
    })
    .await;
    (world, executor, json!({"value": "c1", "parent": {"value": container}}))
}

fn nested_sandbox(world: &World, id: &Value) -> PathBuf {
    sandbox(world).join("containers").join(id["value"].as_str().unwrap())
}

#[tokio::test]
async fn a_standalone_container_needs_nobody() {
    let mut world = World::new().await;
    let id = json!({"value": "alone"});
    fs::write(world.directory.path().join("file"), "fetched\n").unwrap();
    let file = world.directory.path().join("file").display().to_string();
    let command = json!({"value": "cat file; sleep 1000", "uris": [{"value": file}]});
    assert_eq!(order(&world, json!({"container_id": id, "command": command})).await.0, 200);
    let own = world.work_dir().join("containers/alone");
    until("what was fetched", async || fs::read_to_string(own.join("stdout")).ok().filter(|out| out == "fetched\n"))
        .await;
    let stdout = world.json(&format!("/files/read?path={}/stdout&offset=0", own.display())).await;
    assert_eq!(stdout["data"], "fetched\n");
    assert_eq!(shown(&world, false, true).await.len(), 1);
    assert_eq!(shown(&world, true, false).await.len(), 0);
    world.restart().await;
    world.master.subscription(2).await;
    assert_eq!(shown(&world, false, true).await.len(), 1);
    let inner = json!({"value": "inner", "parent": id});
    let mut inside = session(&world, &inner, json!({"value": "pwd"})).await;
    assert_eq!(inside.output().await.0.trim(), own.display().to_string());
    assert_eq!(launch(&world, &json!({"value": "task", "parent": id}), "sleep 1000").await.0, 200);
    world.restart().await;
    world.master.subscription(3).await;
    assert_eq!(shown(&world, true, true).await.len(), 2, "what is nested in it comes back, too");
    assert_eq!(kill(&world, &id, 9).await, 200);
    assert_eq!(wait(&world, &id).await, (200, json!(9)));
    assert_eq!(wait(&world, &json!({"value": "task", "parent": id})).await, (200, json!(9)));
    assert_eq!(remove(&world, &id).await, 200);
    assert_eq!(wait(&world, &json!({"value": "task", "parent": id})).await.0, 404);
}

#[tokio::test]
async fn containers_have_the_capabilities_they_ask_for_and_no_filter_that_is_not_there() {
    let (world, _executor, nested) = with_executor().await;
    let refused =
        |profile: &str| (400, json!(format!("Seccomp profile '{profile}': the agent has no --seccomp_config_dir")));
    let few = json!({"capabilities": ["CHOWN", "KILL"]});
    let linux = json!({"effective_capabilities": few, "bounding_capabilities": few});
    let filtered = json!({"seccomp": {"profile_name": "x"}});
    let asked = |id: &Value, linux: &Value| {
        let container = json!({"type": "MESOS", "linux_info": linux});
        json!({"container_id": id, "command": {"value": "grep CapBnd /proc/self/status"}, "container": container})
    };
    assert_eq!(order(&world, asked(&nested, &filtered)).await, refused("x"));
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED containers_have_the_capabilities_they_ask_for_and_no_filter_that_is_not_there: needs root");
        return;
    }
    assert_eq!(order(&world, asked(&nested, &linux)).await.0, 200);
    assert_eq!(content(&nested_sandbox(&world, &nested).join("stdout")).await, "CapBnd:\t0000000000000021\n");
    let alone = json!({"value": "alone"});
    assert_eq!(order(&world, asked(&alone, &linux)).await.0, 200);
    assert_eq!(content(&world.work_dir().join("containers/alone/stdout")).await, "CapBnd:\t0000000000000021\n");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_in_words() {
    let (world, _executor, id) = with_executor().await;
    let parent = &id["parent"];
    let docker = json!({"container_id": id, "command": {"value": "true"}, "container": {"type": "DOCKER"}});
    let nothing = json!({"container_id": id});
    let lost = json!({"container_id": {"value": "c", "parent": {"value": "nobody"}}, "command": {"value": "true"}});
    let dotted = json!({"container_id": {"value": "a.b", "parent": parent}, "command": {"value": "true"}});
    let unknown = json!({"container_id": id, "command": {"value": "/no/such/program", "shell": false}});
    for (task, wanted) in
        [(docker, "Docker"), (nothing, "command"), (lost, "nobody"), (dotted, "'a.b'"), (unknown, "/no/such/program")]
    {
        let (status, body) = order(&world, task.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(body.as_str().unwrap().contains(wanted), "{body}");
    }
    assert_eq!(call(&world, json!({"type": "ADD_RESOURCE_PROVIDER_CONFIG"})).await.0, 501);
    assert_eq!(kill(&world, &id, 9).await, 404);
    let stranger = json!({"value": "c", "parent": {"value": "nobody"}});
    assert_eq!(remove(&world, &stranger).await, 500);
    assert_eq!(launch(&world, &id, "sleep 1000").await.0, 200);
    let attach = json!({"type": "ATTACH_CONTAINER_OUTPUT", "attach_container_output": {"container_id": id}});
    let disabled = "I/O switchboard server was disabled for this container";
    assert_eq!(call(&world, attach).await, (500, json!(disabled)));
    let attach = json!({"type": "ATTACH_CONTAINER_OUTPUT", "attach_container_output": {"container_id": parent}});
    assert_eq!(call(&world, attach).await, (500, json!(disabled)), "of an executor, as Mesos' command line knows it");
    let status = async |headers: &str, call: &Value| {
        Exchange::open(world.address(), headers, call.to_string().as_bytes()).await.status
    };
    let health = json!({"type": "GET_HEALTH"});
    assert_eq!(status(RECORDS, &health).await, 406);
    assert_eq!(status("Content-Type: application/recordio\r\n", &health).await, 400);
    let input = json!({"type": "ATTACH_CONTAINER_INPUT", "attach_container_input":
        {"type": "CONTAINER_ID", "container_id": id}});
    assert_eq!(status(JSON, &input).await, 415);
    let records = "Content-Type: application/recordio\r\nMessage-Content-Type: application/json\r\n";
    let framed = format!("{}\n{health}", health.to_string().len());
    assert_eq!(Exchange::open(world.address(), records, framed.as_bytes()).await.status, 415);
    let unnamed = json!({"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": {"type": "PROCESS_IO"}});
    let framed = format!("{}\n{unnamed}", unnamed.to_string().len());
    assert_eq!(Exchange::open(world.address(), records, framed.as_bytes()).await.status, 400);
}
