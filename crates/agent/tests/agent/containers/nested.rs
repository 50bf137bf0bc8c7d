//! Containers in those of executors: what they have, and how long they live.

use super::*;

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
