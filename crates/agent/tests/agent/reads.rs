//! The reads of operators and tools.

use agent::Authentication;
use mesos::Codec;
use mesos::client::Client;
use mesos::credentials::{Credential, Credentials};
use mesos::server::LogFile;
use mesos::v1::TaskState;
use mesos::v1::agent::{Call, Response, call, response};
use serde_json::{Value, json};

use crate::master::{AGENT_ID, FRAMEWORK, task};
use crate::world::World;

async fn ask(world: &World, call: Call) -> Response {
    Client::new(world.address().to_string(), Codec::Json).ask("/api/v1", &call).await.unwrap()
}

fn of(kind: call::Type) -> Call {
    Call { r#type: Some(kind.into()), ..Call::default() }
}

#[tokio::test]
async fn state_has_the_shape_tools_know() {
    let world = World::with(|options| options.attributes = Some("rack:r1".to_owned())).await;
    let (_pool, add, mut executor) = world.launched("web.1").await;
    executor.update(TaskState::TaskStarting).await;
    executor.update(TaskState::TaskRunning).await;
    executor.update(TaskState::TaskRunning).await;
    world.master.launch(task("web.2")).await;
    world.state(|state| state["frameworks"][0]["executors"].as_array().is_some_and(|all| all.len() == 2)).await;
    let state = world.json("/slave(1)/state.json").await;
    assert_eq!(state["id"], AGENT_ID);
    assert_eq!(state["pid"], format!("slave(1)@{}", world.address()));
    assert!(state["version"].as_str().unwrap().split('.').all(|part| part.parse::<u32>().is_ok()));
    assert_eq!(state["attributes"], json!({"rack": "r1"}));
    assert_eq!(state["resources"]["ports"], "[31000-32000]");
    assert_eq!(state["unreserved_resources_full"][0]["role"], "*");
    assert_eq!(state["unreserved_resources_allocated"]["cpus"], 1.2);
    for name in [
        "start_time",
        "hostname",
        "capabilities",
        "flags",
        "reserved_resources",
        "resource_providers",
        "reserved_resources_full",
        "reserved_resources_allocated",
        "completed_frameworks",
        "build_date",
    ] {
        assert!(!state[name].is_null(), "{name}");
    }
    assert!(state["build_time"].as_f64() > Some(1.7e9), "what says how long ago that was says something sensible");
    let framework = &state["frameworks"][0];
    let shown = ["id", "checkpoint", "role"].map(|name| framework[name].clone());
    assert_eq!(shown, [json!(FRAMEWORK), json!(true), json!("*")]);
    let executors = framework["executors"].as_array().unwrap();
    let executor = executors.iter().find(|executor| executor["id"] == "web.1").unwrap();
    assert_eq!(executor["name"], "Command Executor (Task: web.1) (Command: sh -c 'sleep 1000')");
    assert_eq!((&executor["container"], &executor["directory"]), (&json!(add.container.value), &json!(add.directory)));
    assert_eq!((&executor["source"], &executor["resources"]["cpus"]), (&json!("web.1"), &json!(0.6)));
    let task = &executor["tasks"][0];
    assert_eq!((&task["id"], &task["executor_id"], &task["slave_id"]), (&json!("web.1"), &json!(""), &json!(AGENT_ID)));
    let statuses = task["statuses"].as_array().unwrap();
    let states: Vec<_> = statuses.iter().map(|status| status["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["TASK_STARTING", "TASK_RUNNING"], "one of each");
    assert_eq!(statuses[1]["container_status"]["container_id"]["value"], add.container.value);
    assert!(statuses[1]["container_status"]["executor_pid"].is_null() && statuses[1]["reason"].is_null());
    let queued = executors.iter().find(|executor| executor["id"] == "web.2").unwrap();
    assert_eq!(queued["queued_tasks"][0]["command"]["value"], "sleep 1000");
}

#[tokio::test]
async fn no_read_shows_the_value_of_a_secret() {
    let world = World::new().await;
    let secret = json!({"type": "VALUE", "value": {"data": "c2VzYW1l"}});
    let variable = json!({"name": "PASSWORD", "type": "SECRET", "secret": secret});
    let mut task = task("web.1");
    let environment = mesos::json::from_value(json!({ "variables": [variable] })).unwrap();
    task.command.as_mut().unwrap().environment = Some(environment);
    world.master.launch(task).await;
    let queued = |state: &Value| state["frameworks"][0]["executors"][0]["queued_tasks"][0].clone();
    world.state(|state| queued(state)["command"]["environment"]["variables"][0]["name"] == "PASSWORD").await;
    let mut shown = vec![world.json("/state").await.to_string()];
    for kind in [call::Type::GetState, call::Type::GetTasks, call::Type::GetExecutors, call::Type::GetFrameworks] {
        shown.push(mesos::json::to_value(&ask(&world, of(kind)).await).to_string());
    }
    assert!(shown.iter().all(|shown| shown.contains(FRAMEWORK) && !shown.contains("c2VzYW1l")), "{shown:?}");
}

#[tokio::test]
async fn small_endpoints_answer() {
    let world = World::new().await;
    assert_eq!(world.get("/health").await, (200, String::new()));
    assert_eq!(world.json("/version").await["version"], "1.11.0");
    assert_eq!(world.json("/flags").await["flags"]["executor_registration_timeout"], "1mins");
    let (status, body) = world.get("/version?jsonp=f").await;
    assert!(status == 200 && body.starts_with("f({") && body.ends_with("})"), "{body}");
    let metrics = world.json("/metrics/snapshot").await;
    for name in [
        "slave/uptime_secs",
        "slave/registered",
        "slave/cpus_total",
        "slave/mem_used",
        "slave/disk_percent",
        "slave/gpus_revocable_total",
        "slave/tasks_running",
        "slave/executors_running",
        "system/load_1min",
        "slave/container_launch_errors",
        "slave/frameworks_active",
        "slave/valid_status_updates",
        "containerizer/mesos/container_destroy_errors",
    ] {
        assert!(metrics[name].is_f64(), "{name} is {}", metrics[name]);
    }
    assert_eq!((&metrics["slave/registered"], &metrics["slave/cpus_total"]), (&json!(1.0), &json!(4.0)));
    assert_eq!(world.get("/metrics/snapshot?timeout=soon").await.0, 400);
    assert_eq!(world.get("/nothing").await, (404, "404 Not Found.".to_owned()));
    assert_eq!(world.get("/state/../health").await.0, 404);
}

#[tokio::test]
async fn containers_are_listed_and_measured() {
    let (world, _executor) = World::custom("exec sleep 1000").await;
    let all = crate::wait::until("the process to be measured", async || {
        Some(world.json("/containers").await).filter(|all| all[0]["statistics"]["mem_rss_bytes"].is_u64())
    })
    .await;
    let container = &all[0];
    assert_eq!((&container["framework_id"], &container["executor_id"]), (&json!(FRAMEWORK), &json!("custom")));
    assert!(container["statistics"]["mem_rss_bytes"].as_u64().unwrap() > 0, "{container}");
    assert_eq!(container["status"]["container_id"]["value"], container["container_id"]);
    assert_eq!(world.json("/containers?container_id=none").await, json!([]));
    assert_eq!(world.json(&format!("/containers?framework_id={FRAMEWORK}&executor_id=custom")).await[0]["source"], "");
    assert_eq!(world.get("/containers?executor_id=custom").await.0, 400);
    assert_eq!(world.json("/monitor/statistics").await[0]["statistics"]["processes"], 1);
    let listed = ask(&world, of(call::Type::GetContainers)).await.get_containers.unwrap();
    assert_eq!(listed.containers[0].container_id.value, container["container_id"].as_str().unwrap());
}

#[tokio::test]
async fn sandboxes_can_be_read_and_nothing_else() {
    let (world, _pool, add, _executor) = World::launching("web.1").await;
    std::fs::write(format!("{}/stdout", add.directory), "hello\n").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", format!("{}/link", add.directory)).unwrap();
    std::os::unix::fs::symlink("loop", format!("{}/loop", add.directory)).unwrap();
    let latest = format!("/frameworks/{FRAMEWORK}/executors/web.1/runs/latest");
    let names = |listed: serde_json::Value| -> Vec<String> {
        listed.as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
    };
    let listed = names(world.json(&format!("/files/browse?path={}", add.directory)).await);
    assert_eq!(listed, ["link", "loop", "stderr", "stdout"].map(|name| format!("{}/{name}", add.directory)));
    let stdout = format!("/files/read?path={latest}/stdout");
    assert_eq!(world.json(&format!("{stdout}&offset=0")).await, json!({"data": "hello\n", "offset": 0}));
    assert_eq!(world.json(&format!("{stdout}&offset=1&length=2")).await, json!({"data": "el", "offset": 1}));
    assert_eq!(world.json(&stdout).await, json!({"data": "", "offset": 6}));
    assert_eq!(world.json(&format!("{stdout}&offset=-1")).await, json!({"data": "", "offset": 6}));
    assert_eq!(world.get(&format!("/files/download?path={latest}/stdout")).await, (200, "hello\n".to_owned()));
    for (path, status) in [
        (format!("/files/read?path={latest}"), 400),
        (format!("{stdout}&offset=-2"), 400),
        (format!("{stdout}&offset=x"), 400),
        ("/files/read".to_owned(), 400),
        ("/files/browse".to_owned(), 400),
        ("/files/browse?path=/etc".to_owned(), 404),
        (format!("/files/read?path={latest}/link&offset=0"), 404),
        (format!("/files/download?path={latest}/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/meta/endpoint"), 404),
        (format!("/files/download?path={latest}/none"), 404),
        (format!("/files/browse?path={}/a%00b", add.directory), 404),
        (format!("/files/read?path={latest}/%00"), 404),
        (format!("/files/download?path={latest}/{}", "n".repeat(300)), 404),
        (format!("/files/read?path={latest}/{}", "n/".repeat(3000)), 404),
        (format!("/files/read?path={latest}/loop"), 404),
        (format!("{stdout}&jsonp=alert(1)%3Bf"), 400),
        ("/state?jsonp=%3Cscript%3E".to_owned(), 400),
    ] {
        assert_eq!(world.get(&path).await.0, status, "{path}");
    }
    let read_file = call::ReadFile { path: format!("{latest}/stdout"), offset: 2, length: Some(3) };
    let read = ask(&world, Call::read_file(read_file)).await.read_file.unwrap();
    assert_eq!((read.size, read.data.as_slice()), (6, b"llo".as_slice()));
    let list_files = call::ListFiles { path: latest };
    let listed = ask(&world, Call::list_files(list_files)).await.list_files.unwrap();
    assert_eq!(listed.file_infos.len(), 4);
}

#[tokio::test]
async fn the_operator_api_shows_tasks_where_they_are() {
    let (world, pool, add, mut executor) = World::running("web.1").await;
    let tasks = async || ask(&world, of(call::Type::GetTasks)).await.get_tasks.unwrap();
    assert_eq!(tasks().await.launched_tasks[0].state(), TaskState::TaskRunning);
    let state = ask(&world, of(call::Type::GetState)).await.get_state.unwrap();
    assert_eq!(state.get_executors.unwrap().executors[0].executor_info.executor_id.value, "web.1");
    assert_eq!(state.get_frameworks.unwrap().frameworks[0].framework_info.name, "test");
    executor.update(TaskState::TaskFinished).await;
    assert_eq!(tasks().await.terminated_tasks.len(), 1);
    world.master.expect("web.1", TaskState::TaskRunning).await;
    world.master.expect("web.1", TaskState::TaskFinished).await;
    pool.exited(&add, 0).await;
    crate::wait::until("the task to be complete", async || (tasks().await.completed_tasks.len() == 1).then_some(()))
        .await;
    let agent = ask(&world, of(call::Type::GetAgent)).await.get_agent.unwrap().agent_info.unwrap();
    assert_eq!(agent.id.unwrap().value, AGENT_ID);
    assert!(ask(&world, of(call::Type::GetHealth)).await.get_health.unwrap().healthy);
    assert_eq!(ask(&world, of(call::Type::GetVersion)).await.get_version.unwrap().version_info.version, "1.11.0");
    assert!(!ask(&world, of(call::Type::GetFlags)).await.get_flags.unwrap().flags.is_empty());
    let metrics = Call::get_metrics(call::GetMetrics::default());
    assert!(!ask(&world, metrics).await.get_metrics.unwrap().metrics.is_empty());
    assert_eq!(ask(&world, of(call::Type::GetFrameworks)).await.r#type(), response::Type::GetFrameworks);
    assert_eq!(ask(&world, of(call::Type::GetExecutors)).await.r#type(), response::Type::GetExecutors);
}

#[tokio::test]
async fn a_log_that_is_in_a_file_can_be_read_under_its_name() {
    let logs = tempfile::tempdir().unwrap();
    let log = LogFile::Own { directory: logs.path().to_owned(), name: "agent.log".to_owned() };
    std::fs::write(log.path(), "one\ntwo\n").unwrap();
    let world = World::with(|options| options.log = Some(log.clone())).await;
    assert_eq!(world.json("/state").await["log_dir"], json!(logs.path()));
    assert_eq!(world.json("/files/debug").await["/slave/log"], json!(log.path()));
    let read = world.json("/slave(1)/files/read?path=/slave/log&offset=4").await;
    assert_eq!(read, json!({"data": "two\n", "offset": 4}));
    assert_eq!(world.json("/files/browse?path=/slave/log").await, json!([]));
    assert_eq!(world.get("/files/download?path=/slave/log").await, (200, "one\ntwo\n".to_owned()));
}

#[tokio::test]
async fn strangers_are_told_which_realm_they_are_not_of_and_executors_come_in() {
    let file = r#"{"credentials": [{"principal": "ops", "secret": "a"}]}"#;
    let world = World::with(|options| {
        let credentials = Credentials::parse(file).unwrap();
        options.authentication = Authentication { credentials, readonly: true, readwrite: true };
    })
    .await;
    for path in ["/state", "/slave(1)/containers", "/files/read?path=/x", "/metrics/snapshot", "/api/v1"] {
        assert_eq!(world.get(path).await.0, 401, "{path}");
    }
    assert_eq!(world.get("/health").await.0, 200);
    assert!(world.json("/system/stats.json").await["avg_load_1min"].is_number());
    let ops = Credential::parse(r#"{"principal": "ops", "secret": "a"}"#).unwrap();
    let client = Client::new(world.address().to_string(), Codec::Json).with_credential(Some(&ops));
    assert_eq!(client.get("/state").await.unwrap().0, 200);
    let health: Response = client.ask("/api/v1", &of(call::Type::GetHealth)).await.unwrap();
    assert!(health.get_health.unwrap().healthy);
    let (_pool, _add, mut executor) = world.launched("web.1").await;
    executor.update(TaskState::TaskRunning).await;
    world.master.expect("web.1", TaskState::TaskRunning).await;
}
