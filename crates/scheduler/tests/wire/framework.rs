//! The scheduler as a framework of its master.

use mesos::v1::framework_info::capability;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_framework_subscribes_launches_acknowledges_and_is_quiet() {
    let mut master = Master::start().await;
    let running = Running::start(master.address, Store::in_memory().unwrap()).await;
    let info = master.subscribe("F").await.subscribe.unwrap().framework_info;
    assert_eq!((info.checkpoint, info.failover_timeout, info.id), (Some(true), Some(604_800.0), None));
    let kinds: Vec<_> = info.capabilities.iter().map(|capability| capability.r#type()).collect();
    assert!(kinds.contains(&capability::Type::TaskKillingState) && kinds.contains(&capability::Type::PartitionAware));
    master.call(call::Type::Suppress).await;
    running.create().await;
    master.call(call::Type::Revive).await;
    let task = master.offer().await;
    assert_eq!(running.app().await["tasks"][0]["id"], task.task_id.value.as_str(), "stored before it is launched");
    master.call(call::Type::Suppress).await;
    for (state, uuid) in [(TaskState::TaskStarting, 1), (TaskState::TaskRunning, 2)] {
        master.update(status(&task, state, uuid));
        assert_eq!(master.call(call::Type::Acknowledge).await.acknowledge.unwrap().uuid, [uuid; 16]);
    }
    assert_eq!(running.app().await["tasksRunning"], 1, "stored before it is acknowledged");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_is_told_the_roles_that_are_in_use() {
    let mut master = Master::start().await;
    let store = Store::in_memory().unwrap();
    let running = Running::start(master.address, store.clone()).await;
    let info = master.subscribe("F").await.subscribe.unwrap().framework_info;
    assert_eq!((info.role.as_deref(), info.roles), (None, vec!["*".to_owned()]));
    master.call(call::Type::Suppress).await;
    let app = json!({"id": "/team/web", "cmd": "run", "cpus": 0.1, "mem": 10, "role": "team"});
    running.deploy(&app).await;
    let told = master.call(call::Type::UpdateFramework).await.update_framework.unwrap().framework_info;
    assert_eq!((told.id.unwrap().value.as_str(), told.name.as_str()), ("F", "marathon"));
    assert_eq!((told.roles, told.checkpoint), (vec!["*".to_owned(), "team".to_owned()], Some(true)));
    master.call(call::Type::Revive).await;
    running.stop().await;
    let running = Running::start(master.address, store).await;
    let info = master.subscribe("F").await.subscribe.unwrap().framework_info;
    assert_eq!(info.roles, ["*", "team"], "and again with the next subscription");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_scheduler_on_the_same_store_goes_on_under_the_same_id() {
    let mut master = Master::start().await;
    let store = Store::in_memory().unwrap();
    let running = Running::start(master.address, store.clone()).await;
    master.subscribe("F").await;
    running.create().await;
    let task = master.offer().await;
    master.update(status(&task, TaskState::TaskRunning, 1));
    running.until("a running task", |app| app["tasksRunning"] == 1).await;
    running.stop().await;

    let running = Running::start(master.address, store).await;
    assert_eq!(running.app().await["tasks"][0]["id"], task.task_id.value.as_str());
    let again = master.subscribe("F").await;
    assert_eq!(again.framework_id.unwrap().value, "F");
    let reconcile = master.call(call::Type::Reconcile).await.reconcile.unwrap();
    assert_eq!(reconcile.tasks[0].task_id, task.task_id);
    // The agent lost it while nobody looked.
    master.update(TaskStatus { uuid: None, ..status(&task, TaskState::TaskGone, 0) });
    let next = master.offer().await;
    assert_ne!(next.task_id, task.task_id);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_is_made_again_and_a_removed_framework_begins_anew() {
    let mut master = Master::start().await;
    let running = Running::start(master.address, Store::in_memory().unwrap()).await;
    master.subscribe("F").await;
    master.call(call::Type::Suppress).await;
    master.events = None;
    assert_eq!(master.subscribe("F").await.framework_id.unwrap().value, "F");
    let other = event::Error { message: "Role 'web' has been removed from the whitelist".into() };
    master.send(Event::error(other));
    master.events = None;
    assert_eq!(master.subscribe("F").await.framework_id.unwrap().value, "F", "only the master's own sentence counts");
    let error = event::Error { message: "Framework has been removed".into() };
    master.send(Event::error(error));
    master.events = None;
    loop {
        // What was read before the error may still name the old id.
        if master.subscribe("G").await.framework_id.is_none() {
            break;
        }
        master.events = None;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_masters_the_one_that_answers_is_taken() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = silent.local_addr().unwrap();
    drop(silent);
    let mut master = Master::start().await;
    let store = Store::in_memory().unwrap();
    let both = format!("{nobody}, {}", master.address);
    let scheduler = Running::start_with(master.address, store, |options| options.master = both).await;
    master.subscribe("framework").await;
    scheduler.create().await;
    master.offer().await;
    // Its stream breaks, and it is found again after the other one was asked in vain.
    master.events = None;
    master.subscribe("framework").await;
    scheduler.stop().await;
}
