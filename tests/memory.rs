//! The bounds of memory: what one more health-checked command task costs beside the task itself, and what it costs a
//! master to tell the state of a large cluster.

use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};

use harness::cluster::{Dev, Running, START, free_address};
use harness::{http, process, wait};
use serde_json::{Value, json};

/// The promise: at most this much for each further task, in the executor and in the task's shim together.
const LIMIT_KIB: u64 = 1024;

const FEW: u64 = 5;
const MANY: u64 = 45;

#[test]
fn a_further_checked_task_costs_at_most_a_mebibyte() {
    let mut dev = Dev::new();
    dev.start(&["--resources", "cpus:100;mem:100000;disk:100000;ports:[31000-32000]"]);
    let app = json!({"id": "/sleepers", "cmd": "exec sleep 100000", "cpus": 0.01, "mem": 1, "instances": FEW,
        "portDefinitions": [], "healthChecks": [{"protocol": "COMMAND", "command": {"value": "true"},
        "delaySeconds": 0, "intervalSeconds": 60, "gracePeriodSeconds": 5}]});
    assert_eq!(http::send(dev.api, "POST", "/v2/apps", &app).expect("an answer").status, 201);
    dev.wait_healthy("sleepers", FEW);
    let few = overhead(&dev);
    let scaled = http::send(dev.api, "PUT", "/v2/apps/sleepers", &json!({"instances": MANY})).expect("an answer");
    assert_eq!(scaled.status, 200, "{}", scaled.text());
    dev.wait_healthy("sleepers", MANY);
    let many = overhead(&dev);
    let each = many.saturating_sub(few) / (MANY - FEW);
    println!(
        "private memory per further task: {each} KiB (executor and shims {few} KiB at {FEW}, {many} KiB at {MANY})"
    );
    assert!(each <= LIMIT_KIB, "{each} KiB for each further task");
}

/// Private memory of the executor and all shims, in KiB.
fn overhead(dev: &Dev) -> u64 {
    let ours = |pid: &i32| {
        let line = process::command_line(*pid);
        line.contains(" executor") || line.contains(" shim ")
    };
    dev.others().into_iter().filter(ours).map(process::private_kib).sum()
}

/// Tasks of the cluster that is looked at, on agents that this test plays.
const TASKS: usize = 50_000;
const AGENTS: usize = 100;

/// Readers of `/state` at a time, none of which reads on.
const READERS: usize = 8;

/// The memory that all of them together may cost the master. The answer itself is larger than this, for one.
const READERS_LIMIT_KIB: u64 = 24 * 1024;

#[test]
fn the_state_of_a_large_cluster_is_written_in_bounded_memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let master = free_address();
    let (work_dir, port) = (directory.path().join("master").display().to_string(), master.port().to_string());
    // The agents do not answer pings.
    let arguments =
        ["master", "--work-dir", &work_dir, "--port", &port, "--agent-ping-timeout", "15m"].map(str::to_owned);
    let process = Running::start(&arguments, &directory.path().join("log"));
    wait::until("the master", START, || http::get(master, "/health"));
    let _agents: Vec<_> = (0..AGENTS).map(|_| agent(master)).collect();

    let before = process::resident_kib(process.pid());
    let mut readers: Vec<_> = (0..READERS).map(|_| half_read(master)).collect();
    let stalled = process::resident_kib(process.pid());
    let (body, read) = read_to_end(readers.remove(0), process.pid());
    drop(readers);

    let state: Value = serde_json::from_slice(&body).expect("JSON");
    let tasks = state["frameworks"][0]["tasks"].as_array().map(Vec::len);
    assert_eq!(tasks, Some(TASKS), "all of them are told");
    let (size, grown) = (body.len() as u64 / 1024, stalled.max(read).saturating_sub(before));
    println!("the master has {before} KiB; {READERS} readers of {size} KiB each cost it {grown} KiB");
    assert!(size > READERS_LIMIT_KIB, "one answer is larger than what all may cost: {size} KiB");
    assert!(grown < READERS_LIMIT_KIB, "{grown} KiB for {READERS} readers of {size} KiB each");
}

/// An agent registers, and registers again with the tasks it has, as after a restart of the master. It is connected as
/// long as what is given lives.
fn agent(master: SocketAddr) -> BufReader<TcpStream> {
    let resources = json!([scalar("cpus", 1000.0), scalar("mem", 100_000.0)]);
    let mut info = json!({"hostname": "127.0.0.1", "port": 5051, "resources": resources});
    let (_, subscribed) = subscribe_agent(master, &json!({"agent_info": info}));
    info["id"] = subscribed["subscribed"]["agent_id"].clone();
    let framework = json!({"id": {"value": "large"}, "user": "root", "name": "large", "failover_timeout": 600.0});
    let tasks: Vec<Value> = (0..TASKS / AGENTS).map(|number| task(&info["id"], number)).collect();
    let frameworks = [json!({"framework_info": framework, "tasks": tasks})];
    subscribe_agent(master, &json!({"agent_info": info, "frameworks": frameworks})).0
}

/// The stream of a subscription, and its first event.
fn subscribe_agent(master: SocketAddr, subscribe: &Value) -> (BufReader<TcpStream>, Value) {
    let call = json!({"type": "SUBSCRIBE", "subscribe": subscribe});
    let headers = [("content-type", "application/json"), ("accept", "application/json")];
    let opened = http::open(master, "POST", "/cygnet/v1/agent", &headers, call.to_string().as_bytes());
    let (status, _, mut stream) = opened.expect("the master answers");
    assert_eq!(status, 200);
    let chunk = http::chunk(&mut stream).expect("a first event");
    let record = chunk.splitn(2, |&byte| byte == b'\n').nth(1).expect("a record");
    (stream, serde_json::from_slice(record).expect("JSON"))
}

fn scalar(name: &str, value: f64) -> Value {
    json!({"name": name, "type": "SCALAR", "scalar": {"value": value}, "allocation_info": {"role": "*"}})
}

/// One that has started, runs and is healthy.
fn task(agent_id: &Value, number: usize) -> Value {
    let id = json!({"value": format!("task-{number}-of-{}", agent_id["value"].as_str().unwrap_or_default())});
    let status = |state: &str| json!({"task_id": id, "state": state, "agent_id": agent_id, "timestamp": 1.7e9});
    let check = json!({"type": "HTTP", "http": {"port": 8080, "path": "/health"}});
    json!({"name": "a task", "task_id": id, "framework_id": {"value": "large"}, "agent_id": agent_id,
        "state": "TASK_RUNNING", "resources": [scalar("cpus", 1.0), scalar("mem", 1.0)], "health_check": check,
        "statuses": [status("TASK_STARTING"), status("TASK_RUNNING")],
        "labels": {"labels": [{"key": "a-label", "value": "of some length, as labels are"}]}})
}

/// Somebody who has asked for `/state` and reads slowly.
struct Reader {
    connection: BufReader<TcpStream>,
    body: Vec<u8>,
}

/// One that has taken the first pieces, and takes nothing more.
fn half_read(master: SocketAddr) -> Reader {
    let (status, _, mut connection) = http::open(master, "GET", "/state", &[], b"").expect("the master answers");
    assert_eq!(status, 200);
    let first = std::iter::repeat_with(|| http::chunk(&mut connection).expect("a first piece")).take(4);
    let body = first.flatten().collect();
    Reader { connection, body }
}

/// The rest, and the most memory the master had while it wrote it.
fn read_to_end(mut reader: Reader, master: i32) -> (Vec<u8>, u64) {
    let mut most = 0;
    while let Some(chunk) = http::chunk(&mut reader.connection) {
        reader.body.extend(chunk);
        most = most.max(process::resident_kib(master));
    }
    (reader.body, most)
}
