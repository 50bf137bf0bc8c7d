//! Sessions: programs in the container of an executor or a task, for as long as somebody listens.

use super::*;

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
