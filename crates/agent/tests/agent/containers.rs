//! Containers of the operator API: nested tasks, sessions with their streams, and standalone ones.

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
async fn a_session_joins_its_executor_and_tells_everything_until_its_end() {
    let (world, _executor, id) = with_executor().await;
    let command = json!({"value": "echo $OWN $MORE; pwd; echo oops >&2; exit 3",
        "environment": {"variables": [{"name": "MORE", "value": "too"}]}});
    let mut session = session(&world, &id, command).await;
    assert_eq!(session.status, 200);
    assert!(session.head.contains("content-type: application/recordio\r\n"), "{}", session.head);
    assert!(session.head.contains("message-content-type: application/json\r\n"), "{}", session.head);
    let run = fs::canonicalize(sandbox(&world)).unwrap();
    assert_eq!(session.output().await, (format!("yes too\n{}\n", run.display()), "oops\n".to_owned()));
    assert_eq!(wait(&world, &id).await, (200, json!(3 << 8)));
    let nested = json!({"type": "WAIT_NESTED_CONTAINER", "wait_nested_container": {"container_id": id}});
    assert_eq!(call(&world, nested).await.1["wait_nested_container"], json!({"exit_status": 3 << 8}));
    assert_eq!(remove(&world, &id).await, 200);
    assert_eq!(wait(&world, &id).await.0, 404);
    assert_eq!(remove(&world, &id).await, 200, "one that is not there counts as removed");
}

/// A program as a shim has it on file; this one was started by somebody else.
fn on_file(state: &Path, confinement: Confinement) {
    let program = Program { path: "true".into(), confinement: Some(confinement), ..Program::default() };
    let logged = Logged { program, logs: Logs::of(state), rotations: Rotations::default() };
    fs::write(state.join("spec.json"), serde_json::to_vec(&logged).unwrap()).unwrap();
}

#[tokio::test]
async fn a_session_is_in_the_bounds_of_what_it_joins_and_so_is_one_in_it() {
    let (world, _executor, id) = with_executor().await;
    let state = world.work_dir().join("meta/executors").join(id["parent"]["value"].as_str().unwrap());
    let limit = ResourceLimit { resource: Resource::Nofile, soft: Some(77), hard: Some(77) };
    on_file(&state, Confinement { limits: vec![limit], ..Confinement::default() });
    let mut outer = session(&world, &id, json!({"value": "ulimit -n; sleep 1000"})).await;
    assert_eq!(outer.until("\n").await, "77\n");
    let inner = json!({"value": "c2", "parent": id});
    assert_eq!(session(&world, &inner, json!({"value": "ulimit -n"})).await.output().await.0, "77\n");
}

#[tokio::test]
async fn the_shell_of_a_session_is_the_systems_and_not_one_that_a_task_put_in_its_path() {
    let (world, _executor, id) = with_executor().await;
    let run = fs::canonicalize(sandbox(&world)).unwrap();
    let shell = run.join("sh");
    fs::write(&shell, "#!/bin/sh\necho the task\n").unwrap();
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
    let command = json!({"value": "echo the system",
        "environment": {"variables": [{"name": "PATH", "value": run}]}});
    assert_eq!(session(&world, &id, command).await.output().await.0, "the system\n");
}

#[tokio::test]
async fn the_container_of_an_executor_can_be_signalled_too() {
    let (world, _executor, id) = with_executor().await;
    let executor = &id["parent"];
    assert_eq!(kill(&world, executor, 1000).await, 500);
    assert_eq!(kill(&world, executor, 15).await, 200);
    world.master.expect("t1", TaskState::TaskFailed).await;
    assert_eq!(kill(&world, executor, 15).await, 404);
}

#[tokio::test]
async fn a_session_begins_also_where_the_sandbox_is_gone() {
    let (world, _executor, id) = with_executor().await;
    fs::remove_dir_all(fs::canonicalize(sandbox(&world)).unwrap()).unwrap();
    let mut session = session(&world, &id, json!({"value": "pwd"})).await;
    assert_eq!((session.status, session.output().await.0.as_str()), (200, "/\n"));
}

#[tokio::test]
async fn a_session_ends_with_whoever_launched_it_and_with_everything_it_started() {
    let (world, _executor, id) = with_executor().await;
    let mut session = session(&world, &id, json!({"value": "sleep 1001 & echo $!; sleep 1002"})).await;
    let child = session.until("\n").await;
    assert_eq!(remove(&world, &id).await, 500, "it runs");
    drop(session);
    assert_eq!(wait(&world, &id).await, (200, json!(9)));
    gone(&child).await;
}

/// A session that says hello.
fn hello(id: &Value) -> mesos::v1::agent::Call {
    let order = json!({"type": "LAUNCH_NESTED_CONTAINER_SESSION",
        "launch_nested_container_session": {"container_id": id, "command": {"value": "echo hello"}}});
    Codec::Json.decode(order.to_string().as_bytes()).unwrap()
}

/// As the check library of Mesos asks.
#[tokio::test]
async fn a_stream_of_records_may_hold_protobuf() {
    use prost::Message;
    let (world, _executor, id) = with_executor().await;
    let headers = "Connection: close\r\nAccept: application/recordio\r\nMessage-Accept: application/x-protobuf\r\n\
                   Content-Type: application/x-protobuf\r\n";
    let mut session = Exchange::open(world.address(), headers, &hello(&id).encode_to_vec()).await;
    assert!(session.head.contains("content-type: application/recordio\r\n"), "{}", session.head);
    assert!(session.head.contains("message-content-type: application/x-protobuf\r\n"), "{}", session.head);
    let mut body = Vec::new();
    soon("the end", session.reader.read_to_end(&mut body)).await.unwrap();
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains("hello\n") && text.ends_with("\r\n0\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn protobuf_is_spoken_too() {
    let (world, _executor, id) = with_executor().await;
    let client = Client::new(world.address().to_string(), Codec::Protobuf);
    let mut records = client.subscribe::<_, ProcessIo>(PATH, &hello(&id)).await.unwrap();
    let record = soon("a record", records.next()).await.unwrap().unwrap();
    assert_eq!(ProcessIo::from(record).data.unwrap().data(), b"hello\n");
    assert!(soon("the end", records.next()).await.unwrap().is_none());
}

/// The default executor lays out the containers of its tasks itself; what it writes down about them is done here by hand.
#[tokio::test]
async fn a_session_joins_the_container_of_a_task_of_a_group() {
    let world = World::new().await;
    crate::groups::launch_group(&world, crate::groups::builtin(), &["g1"]).await;
    let mut executor = Executor::subscribe_when_known(&world, "default").await;
    let container = executor.expect(Type::Subscribed).await.subscribed.unwrap().container_id.unwrap();
    executor.expect(Type::LaunchGroup).await;
    let own = container.child("own");
    let mut running = TaskStatus { task_id: "g1".into(), ..status("default", TaskState::TaskRunning) };
    running.container_status = Some(ContainerStatus { container_id: Some(own), ..ContainerStatus::default() });
    executor.send(running).await.unwrap();
    executor.expect(Type::Acknowledged).await;
    let early = json!({"value": "early", "parent": {"value": "own", "parent": {"value": container.value}}});
    let refused = session(&world, &early, json!({"value": "id"})).await;
    assert_eq!(refused.status, 400, "a task that has not begun may get files and rights of its own");
    let mut task = std::process::Command::new("sleep").arg("1000").env("OF", "task").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", task.id())).unwrap();
    let start: u64 = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(19).unwrap().parse().unwrap();
    let process = json!({"pid": task.id(), "start": start});
    let state = world.work_dir().join(format!("meta/executors/{container}/tasks/g1/own"));
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("pid"), json!({"shim": process, "task": process}).to_string()).unwrap();
    let runs = world.json("/state").await["frameworks"][0]["executors"][0]["directory"].clone();
    let sandbox = PathBuf::from(runs.as_str().unwrap()).join("containers/own");
    fs::create_dir_all(&sandbox).unwrap();
    let parent = json!({"value": "own", "parent": {"value": container.value}});
    let nested = shown(&world, true, false).await;
    assert_eq!(nested[1]["container_id"], parent);
    assert_eq!(nested[1]["container_status"]["executor_pid"], task.id());
    let id = json!({"value": "debug", "parent": parent});
    let mut session = session(&world, &id, json!({"value": "pwd; echo $OF"})).await;
    assert_eq!(session.output().await.0, format!("{}\ntask\n", sandbox.display()));
    let beside = json!({"value": "beside", "parent": {"value": container.value}});
    let mut session = crate::containers::session(&world, &beside, json!({"value": "pwd"})).await;
    assert_eq!(session.output().await.0.trim(), runs, "the executor itself has no process to join");
    assert_eq!(kill(&world, &json!({"value": container.value}), 15).await, 500, "nor to signal");
    assert_eq!(kill(&world, &id["parent"], 34).await, 200);
    let status = until("the end of the task", async || task.try_wait().unwrap()).await;
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(34));
}

fn input(kind: &str, content: Value) -> Vec<u8> {
    let (name, content) = if kind == "CONTAINER_ID" { ("container_id", content) } else { ("process_io", content) };
    let record = json!({"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": {"type": kind, name: content}});
    let record = record.to_string();
    let record = format!("{}\n{record}", record.len());
    format!("{:x}\r\n{record}\r\n", record.len()).into_bytes()
}

fn stdin(text: &str) -> Vec<u8> {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(text);
    input("PROCESS_IO", json!({"type": "DATA", "data": {"type": "STDIN", "data": data}}))
}

/// Begins to send input; the answer comes at its end.
async fn attach_input(world: &World, id: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: agent\r\nContent-Type: application/recordio\r\n\
         Message-Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&input("CONTAINER_ID", id.clone())).await.unwrap();
    stream
}

#[tokio::test]
async fn input_reaches_the_process_and_an_empty_piece_is_its_end() {
    let (world, _executor, id) = with_executor().await;
    let mut session = session(&world, &id, json!({"value": "cat", "shell": false})).await;
    let mut typing = attach_input(&world, &id).await;
    typing.write_all(&stdin("one\n")).await.unwrap();
    assert_eq!(session.until("\n").await, "one\n");
    // A record of nothing is passed over.
    typing.write_all(&input("PROCESS_IO", Value::Null)).await.unwrap();
    let mut watching = watch(&world, &id, JSON).await;
    assert_eq!(watching.status, 200);
    let second = Exchange::answered(BufReader::new(attach_input(&world, &id).await)).await;
    assert_eq!(second.status, 409, "one at a time");
    typing.write_all(&stdin("two\n")).await.unwrap();
    assert_eq!((session.until("\n").await, watching.until("\n").await), ("two\n".to_owned(), "two\n".to_owned()));
    typing.write_all(&stdin("")).await.unwrap();
    assert_eq!(session.output().await.0, "");
    assert_eq!(Exchange::answered(BufReader::new(typing)).await.status, 200);
    assert_eq!(wait(&world, &id).await, (200, json!(0)));
}

#[tokio::test]
async fn a_terminal_has_the_size_of_its_window() {
    let (world, _executor, id) = with_executor().await;
    let tty = |rows: u16, columns: u16| json!({"window_size": {"rows": rows, "columns": columns}});
    let container = json!({"type": "MESOS", "tty_info": tty(11, 22)});
    let command = json!({"value": "test -t 0 && stty size; read line; stty size; echo $TERM $line"});
    let call = json!({"type": "LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session":
        {"container_id": id, "command": command, "container": container}});
    let mut session = Exchange::open(world.address(), RECORDS, call.to_string().as_bytes()).await;
    assert_eq!(session.until("\n").await, "11 22\r\n");
    let mut typing = attach_input(&world, &id).await;
    let window = json!({"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": tty(33, 44)}});
    typing.write_all(&input("PROCESS_IO", window)).await.unwrap();
    typing.write_all(&stdin("typed\n")).await.unwrap();
    let rest = session.until("xterm typed").await;
    assert!(rest.contains("33 44\r\n"), "{rest}");
    assert_eq!(wait(&world, &id).await, (200, json!(0)));
}

#[tokio::test]
async fn a_container_with_a_terminal_outlives_the_agent_and_others_attach_before_and_after() {
    let mut world = World::new().await;
    let id = json!({"value": "alone"});
    let tty = |rows: u32| json!({"window_size": {"rows": rows, "columns": 22}});
    let command = "stty size; while read line; do echo got $line; stty size; test $line != last || exit 4; done";
    let task = json!({"container_id": id, "command": {"value": command},
        "container": {"type": "MESOS", "tty_info": tty(11)}});
    assert_eq!(order(&world, task.clone()).await.0, 200);
    let stdout = world.work_dir().join("containers/alone/stdout");
    let printed = || fs::read_to_string(&stdout).unwrap_or_default();
    until("the size at the start", async || printed().contains("11 22\r\n").then_some(())).await;
    for (line, rows) in [("first", 33), ("last", 44)] {
        let mut watching = watch(&world, &id, RECORDS).await;
        assert_eq!(watching.status, 200);
        let mut typing = attach_input(&world, &id).await;
        let window = json!({"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": tty(rows)}});
        typing.write_all(&input("PROCESS_IO", window)).await.unwrap();
        typing.write_all(&stdin(&format!("{line}\n"))).await.unwrap();
        let seen = watching.until(&format!("{rows} 22\r\n")).await;
        assert!(seen.contains(&format!("got {line}\r\n")), "{seen}");
        let second = Exchange::answered(BufReader::new(attach_input(&world, &id).await)).await;
        assert!(second.status == 409 || line == "last", "one at a time");
        if line == "last" {
            assert_eq!(watching.record().await, None);
            assert_eq!(Exchange::answered(BufReader::new(typing)).await.status, 200);
        } else {
            let window = json!({"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": tty(70_000)}});
            typing.write_all(&input("PROCESS_IO", window)).await.unwrap();
            assert_eq!(Exchange::answered(BufReader::new(typing)).await.status, 400);
            world.restart().await;
            world.master.subscription(2).await;
        }
    }
    assert_eq!(wait(&world, &id).await, (200, json!(4 << 8)));
    let printed = printed();
    assert!(printed.starts_with("11 22\r\n") && printed.ends_with("44 22\r\n"), "{printed}");
}

#[tokio::test]
async fn a_nested_task_has_a_sandbox_below_its_parents_and_a_life_of_its_own() {
    let (world, _executor, id) = with_executor().await;
    let volume = json!({"mode": "RW", "container_path": "seen/here", "source":
        {"type": "SANDBOX_PATH", "sandbox_path": {"type": "PARENT", "path": "shared"}}});
    let command = "echo x > seen/here/file; pwd; echo $MESOS_SANDBOX; echo [$OWN]; sleep 1000";
    let task = json!({"container_id": id, "command": {"value": command},
        "container": {"type": "MESOS", "volumes": [volume]},
        "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}}]});
    assert_eq!(order(&world, task.clone()).await.0, 200);
    assert_eq!(launch(&world, &id, "true").await.0, 202, "there is one already");
    let own = fs::canonicalize(nested_sandbox(&world, &id)).unwrap();
    let stdout =
        until("its output", async || fs::read_to_string(own.join("stdout")).ok().filter(|out| out.ends_with("]\n")));
    assert_eq!(stdout.await, format!("{0}\n{0}\n[]\n", own.display()));
    assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o750, "nobody else looks into it");
    assert_eq!(fs::read_to_string(sandbox(&world).join("shared/file")).unwrap(), "x\n");
    let containers = shown(&world, true, false).await;
    assert_eq!(containers.len(), 2);
    let nested = &containers[1];
    assert_eq!((&nested["container_id"], &nested["container_status"]["container_id"]), (&id, &id));
    assert!(nested["container_status"]["executor_pid"].is_u64() && nested["framework_id"].is_null());
    assert_eq!(nested["resource_statistics"]["cpus_soft_limit"], 0.5);
    assert_eq!(shown(&world, false, true).await.len(), 1);
    assert_eq!(remove(&world, &id).await, 500);
    assert_eq!(kill(&world, &id, 15).await, 200);
    assert_eq!(wait(&world, &id).await, (200, json!(15)));
    assert_eq!(kill(&world, &id, 9).await, 404, "it is over");
    assert_eq!(remove(&world, &id).await, 200);
    until("its sandbox to be gone", async || (!own.exists()).then_some(())).await;
    assert_eq!(launch(&world, &id, "exit 7").await.0, 200, "its name is free again");
    assert_eq!(wait(&world, &id).await, (200, json!(7 << 8)));
}

#[tokio::test]
async fn nothing_is_made_or_removed_where_a_task_put_a_link() {
    let (world, _executor, id) = with_executor().await;
    let run = fs::canonicalize(sandbox(&world)).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let volume = json!({"mode": "RW", "container_path": "seen/here", "source":
        {"type": "SANDBOX_PATH", "sandbox_path": {"type": "PARENT", "path": "shared/deep"}}});
    let task = json!({"container_id": id, "command": {"value": "true"},
        "container": {"type": "MESOS", "volumes": [volume]}});
    for swapped in ["containers", "containers/c1", "shared"] {
        fs::create_dir_all(run.join(swapped).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(outside.path(), run.join(swapped)).unwrap();
        let (status, body) = order(&world, task.clone()).await;
        assert!(body.as_str().unwrap().starts_with("Failed to create sandbox"), "{swapped} {status} {body}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "{swapped}");
        fs::remove_file(run.join(swapped)).unwrap();
    }
    let _partly_made = fs::remove_dir_all(run.join("containers"));
    assert_eq!(launch(&world, &id, "true").await.0, 200);
    assert_eq!(wait(&world, &id).await, (200, json!(0)));
    fs::create_dir(outside.path().join("c1")).unwrap();
    fs::rename(run.join("containers"), run.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(outside.path(), run.join("containers")).unwrap();
    assert_eq!(remove(&world, &id).await, 200);
    until("it to be forgotten", async || (wait(&world, &id).await.0 == 404).then_some(())).await;
    assert!(outside.path().join("c1").exists());
}

#[tokio::test]
async fn what_is_nested_outlives_the_agent_and_goes_with_the_executor() {
    let (mut world, executor, id) = with_executor().await;
    let quick = json!({"value": "c2", "parent": id["parent"]});
    assert_eq!(launch(&world, &id, "echo $$ > pid; sleep 1000").await.0, 200);
    assert_eq!(launch(&world, &quick, "exit 5").await.0, 200);
    let pid = content(&nested_sandbox(&world, &id).join("pid")).await;
    drop(executor);
    world.restart().await;
    let mut executor = Executor::subscribe_when_known(&world, "custom").await;
    executor.expect(mesos::v1::executor::event::Type::Subscribed).await;
    world.master.subscription(2).await;
    assert_eq!(wait(&world, &quick).await, (200, json!(5 << 8)), "how it ended is still known");
    assert_eq!(shown(&world, true, false).await.len(), 2);
    let own = shown(&world, false, false).await[0]["container_status"]["executor_pid"].as_i64().unwrap();
    assert!(harness::process::signal(i32::try_from(own).unwrap(), rustix::process::Signal::KILL));
    gone(&pid).await;
    until("it to be forgotten", async || (wait(&world, &id).await.0 == 404).then_some(())).await;
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
