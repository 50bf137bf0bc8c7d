//! The scheduler while it does not act: its disk is full, or another has taken its place.

use std::path::Path;
use std::process::Command;

use mesos::v1::master::call::Type;

use super::*;

/// A disk of two mebibytes, while this lives; none where nothing may be mounted.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let directory = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(directory.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(SmallDisk(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill(&self) {
        assert!(std::fs::write(self.path().join("ballast"), vec![0; 4 << 20]).is_err(), "it is a small disk");
    }

    fn clear(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// An app whose definition needs room.
fn large(number: usize) -> Value {
    let text = "x".repeat(60_000);
    json!({"id": format!("/large-{number}"), "cmd": "serve", "cpus": 0.1, "mem": 1, "labels": {"text": text}})
}

impl Running {
    async fn post(&self, app: Value) -> Answer {
        self.send("POST", "/v2/apps", &app).await
    }

    async fn ids(&self) -> Vec<Value> {
        let answer = self.send("GET", "/v2/apps", &Value::Null).await;
        assert_eq!(answer.status, 200, "what is known is served");
        answer.json()["apps"].as_array().unwrap().iter().map(|app| app["id"].clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_changes_until_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        println!("SKIPPED a_full_disk_costs_changes_until_there_is_room: nothing may be mounted here");
        return;
    };
    let mut master = Master::start().await;
    let store = Store::open(disk.path().join("scheduler.redb"), store::IfLost::Refuse).unwrap();
    let running = Running::start(master.address, store).await;
    master.subscribe("F").await;
    running.create().await;
    let task = master.offer().await;
    disk.fill();
    let mut made = Vec::new();
    let refused = loop {
        let answer = running.post(large(made.len())).await;
        if answer.status != 201 {
            break answer;
        }
        made.push(json!(format!("/large-{}", made.len())));
    };
    assert_eq!(refused.status, 507, "{}", refused.message());
    assert!(refused.message().contains("disk full"));
    let expected: Vec<_> = made.iter().cloned().chain([json!("/web")]).collect();
    assert_eq!(running.ids().await, expected, "what was refused is not there");
    assert_eq!(running.send("DELETE", "/v2/apps/web", &Value::Null).await.status, 507);

    disk.clear();
    // It begins as after a start, so that nothing that was told meanwhile is missed.
    master.subscribe("F").await;
    master.update(status(&task, TaskState::TaskRunning, 7));
    assert_eq!(master.call(call::Type::Acknowledge).await.acknowledge.unwrap().uuid, [7; 16]);
    assert_eq!(running.app().await["tasksRunning"], 1);
    assert_eq!(running.post(large(made.len())).await.status, 201);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_drain_cannot_be_kept_is_offered_as_before() {
    let Some(disk) = SmallDisk::mount() else {
        println!("SKIPPED an_agent_whose_drain_cannot_be_kept_is_offered_as_before: nothing may be mounted here");
        return;
    };
    let mut master = Master::start().await;
    let store = Store::open(disk.path().join("scheduler.redb"), store::IfLost::Refuse).unwrap();
    let running = Running::start(master.address, store).await;
    master.subscribe("F").await;
    running.create().await;
    let _launched = master.offer().await;
    disk.fill();
    let refused = running.send("POST", "/v2/agents/agent/drain", &Value::Null).await;
    assert_eq!(refused.status, 507, "{}", refused.text());
    let operated: Vec<_> = master.operated.borrow().iter().map(mesos::v1::master::Call::r#type).collect();
    assert_eq!(operated, [Type::DeactivateAgent, Type::ReactivateAgent], "nothing was changed");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduler_whose_place_another_took_serves_what_it_knows_and_does_not_fight() {
    let mut master = Master::start().await;
    let running = Running::start(master.address, Store::in_memory().unwrap()).await;
    master.subscribe("F").await;
    running.create().await;
    master.send(Event::error(event::Error { message: "Framework failed over".into() }));
    loop {
        let answer = running.post(large(1)).await;
        if answer.status == 503 {
            assert!(answer.message().contains("Another scheduler"), "{}", answer.message());
            break;
        }
    }
    assert_eq!(running.get("/v2/info").await["elected"], false);
    assert_eq!(running.app().await["id"], "/web");
    let another = Running::start(master.address, Store::in_memory().unwrap()).await;
    let first = master.subscribe("G").await;
    assert_eq!(first.framework_id, None, "only the other one subscribes");
    another.stop().await;
    running.stop().await;
}
