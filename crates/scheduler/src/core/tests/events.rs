//! The story of everything that happens: each type of event of Marathon's that is the core's to tell, with all its fields.

use super::*;
use crate::definition::Pod;
use crate::events::{Event, Origin};

/// The fields of each type, beside `eventType` and `timestamp`.
const FIELDS: [(&str, &[&str]); 25] = [
    ("api_post_event", &["appDefinition", "clientIp", "uri"]),
    ("pod_created_event", &["clientIp", "uri"]),
    ("pod_updated_event", &["clientIp", "uri"]),
    ("pod_deleted_event", &["clientIp", "uri"]),
    ("scheduler_registered_event", &["frameworkId", "master"]),
    ("scheduler_reregistered_event", &["master"]),
    ("scheduler_disconnected_event", &[]),
    ("add_health_check_event", &["appId", "healthCheck", "version"]),
    ("remove_health_check_event", &["appId", "healthCheck"]),
    ("failed_health_check_event", &["appId", "healthCheck", "instanceId", "taskId"]),
    ("health_status_changed_event", &["alive", "appId", "instanceId", "version"]),
    ("unhealthy_instance_kill_event", &["appId", "host", "instanceId", "reason", "slaveId", "taskId", "version"]),
    ("instance_health_changed_event", &["healthy", "instanceId", "runSpecId", "runSpecVersion"]),
    ("instance_changed_event", &["agentId", "condition", "host", "instanceId", "runSpecId", "runSpecVersion"]),
    ("unknown_instance_terminated_event", &["condition", "instanceId", "runSpecId"]),
    (
        "status_update_event",
        &["appId", "host", "ipAddresses", "message", "ports", "slaveId", "taskId", "taskStatus", "version"],
    ),
    ("app_terminated_event", &["appId"]),
    ("group_change_success", &["groupId", "version"]),
    ("group_change_failed", &["groupId", "reason", "version"]),
    ("deployment_info", &["currentStep", "id", "plan"]),
    ("deployment_step_success", &["currentStep", "id", "plan"]),
    ("deployment_step_failure", &["currentStep", "id", "plan"]),
    ("deployment_success", &["id", "plan"]),
    ("deployment_failed", &["id", "plan", "reason"]),
    ("subscribe_event", &["callbackUrl", "clientIp"]),
];

fn pod(instances: u32) -> Pod {
    let json = json!({"id": "/pod", "scaling": {"kind": "fixed", "instances": instances},
        "containers": [{"name": "web", "exec": {"command": {"shell": "run"}}}]});
    serde_json::from_value(json).unwrap()
}

impl World {
    fn sickness_and_death(&mut self, task: &str) {
        for _ in 0..3 {
            self.update(task, TaskState::TaskRunning, Some(false));
        }
        self.update(task, TaskState::TaskKilled, Some(false));
        self.update("shop_gone.instance-u._app.1", TaskState::TaskFailed, None);
        self.bring_up();
    }

    /// A new version that fails more often than it may.
    fn failed_upgrade(&mut self) {
        let change = json!({"cmd": "other", "healthChecks": [], "upgradeStrategy": {"maximumFailures": 0}});
        self.change(change, false).unwrap();
        let task = self.launch().remove(0);
        self.update(&task, TaskState::TaskFailed, None);
        while self.app()["deployments"] != json!([]) {
            self.bring_up();
            self.bury();
        }
    }

    fn pods_and_groups(&mut self) {
        let id = AppId::new("/pod");
        self.tell(|core, now| core.create_pod(pod(0), false, now)).unwrap();
        self.tell(|core, now| core.put_pod(&id, pod(1), Terms::forced(true), now)).unwrap();
        self.tell(|core, now| core.remove_pod(&id, true, now)).unwrap();
        self.put_group(json!({"id": "/shop", "apps": []}), false).unwrap();
        self.put_group(json!({"id": "/shop", "scaleBy": -1}), false).unwrap_err();
    }
}

#[test]
fn every_type_of_event_is_told_with_all_its_fields() {
    let mut world = World::with(1, json!({}));
    let task = world.bring_up().remove(0);
    world.sickness_and_death(&task);
    world.failed_upgrade();
    world.pods_and_groups();
    let origin = Origin { client_ip: "127.0.0.1".into(), uri: "/v2/eventSubscriptions".into() };
    world.tell(|core, now| core.asked_by(origin, |core| core.subscribe("http://127.0.0.1:1/", now))).unwrap();
    world.tell(|core, now| core.disconnected(now));
    world.tell(|core, now| core.subscribed("framework", "master:5050", now));
    let ids: Vec<_> = world.core.instances.values().map(|one| one.id.task(9)).collect();
    world.tell(|core, now| core.remove(&web(), true, now)).unwrap();
    world.bury();
    assert!(!ids.is_empty());
    let told = std::mem::take(&mut world.events);
    for (kind, fields) in FIELDS {
        let event = told.iter().find(|event| event.kind == kind).unwrap_or_else(|| panic!("no {kind}"));
        assert_eq!(names(event), fields, "{kind}");
        assert_eq!(event.data["eventType"], kind);
    }
    let unknown = told.iter().find(|event| event.kind == "unknown_instance_terminated_event").unwrap();
    assert_eq!(
        (&unknown.data["instanceId"], &unknown.data["runSpecId"]),
        (&json!("shop_gone.instance-u"), &json!("/shop/gone"))
    );
    assert_eq!(unknown.data["condition"], "Failed");
    let known: Vec<_> = FIELDS.iter().map(|(kind, _)| *kind).collect();
    let others: Vec<_> = told.iter().map(|event| event.kind).filter(|kind| !known.contains(kind)).collect();
    assert!(others.is_empty(), "{others:?}");
}

fn names(event: &Event) -> Vec<&str> {
    let names = event.data.as_object().unwrap().keys().map(String::as_str);
    let mut names: Vec<_> = names.filter(|name| !["eventType", "timestamp"].contains(name)).collect();
    names.sort_unstable();
    names
}
