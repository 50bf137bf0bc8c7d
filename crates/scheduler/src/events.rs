//! Events of Marathon's stream: the type and the fields of each. Pure.

use health::verdict::healthy;
use mesos::states;
use mesos::v1::{TaskState, TaskStatus};
use serde_json::{Value, json};

use crate::check_name::check_name;
use crate::definition::{HealthCheck, RunSpec};
use crate::deployment::Deployment;
use crate::ids::{AppId, InstanceId};
use crate::instance::{Condition, Instance};
use crate::time::Timestamp;

/// Events that Marathon has not. Strict clients end at a type they do not know, so these are for those who name them.
pub(crate) const BEYOND_MARATHON: [&str; 2] =
    ["unhealthy_instance_kill_held_event", "unhealthy_instance_kill_released_event"];

/// The event by which a listener hears that others were told which it cannot have any more.
pub(crate) const GAP: &str = "event_stream_gap";

/// The types of all events.
pub const EVENT_TYPES: [&str; 32] = [
    "add_health_check_event",
    "api_post_event",
    "app_terminated_event",
    "deployment_failed",
    "deployment_info",
    "deployment_step_failure",
    "deployment_step_success",
    "deployment_success",
    "event_stream_attached",
    "event_stream_detached",
    GAP,
    "failed_health_check_event",
    "framework_message_event",
    "group_change_failed",
    "group_change_success",
    "health_status_changed_event",
    "instance_changed_event",
    "instance_health_changed_event",
    "pod_created_event",
    "pod_deleted_event",
    "pod_updated_event",
    "remove_health_check_event",
    "scheduler_disconnected_event",
    "scheduler_registered_event",
    "scheduler_reregistered_event",
    "status_update_event",
    "subscribe_event",
    "unhealthy_instance_kill_event",
    BEYOND_MARATHON[0],
    BEYOND_MARATHON[1],
    "unknown_instance_terminated_event",
    "unsubscribe_event",
];

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// Its type, such as `health_status_changed_event`.
    pub kind: &'static str,
    /// Its fields, `eventType` and `timestamp` included.
    pub data: Value,
    /// The cause of a failure, which is not Marathon's, for those who ask for it.
    pub cause: Option<Value>,
}

impl Event {
    pub(crate) fn new(kind: &'static str, now: Timestamp, mut data: Value) -> Self {
        debug_assert!(EVENT_TYPES.contains(&kind), "{kind} is in no list of types");
        data["eventType"] = json!(kind);
        data["timestamp"] = json!(now);
        Event { kind, data, cause: None }
    }
}

/// The client that asked for a change, and the URI it asked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub client_ip: String,
    pub uri: String,
}

/// The master knows us.
pub(crate) fn registered(framework_id: &str, master: &str, now: Timestamp) -> Event {
    Event::new("scheduler_registered_event", now, json!({"frameworkId": framework_id, "master": master}))
}

/// The master, or the next one, knows us again after it did not hear us.
pub(crate) fn reregistered(master: &str, now: Timestamp) -> Event {
    Event::new("scheduler_reregistered_event", now, json!({"master": master}))
}

/// The master does not hear us.
pub(crate) fn disconnected(now: Timestamp) -> Event {
    Event::new("scheduler_disconnected_event", now, json!({}))
}

/// Somebody wants events posted to them, or does not any more: `kind` says which.
pub(crate) fn subscription(kind: &'static str, client_ip: &str, url: &str, now: Timestamp) -> Event {
    Event::new(kind, now, json!({"clientIp": client_ip, "callbackUrl": url}))
}

/// An app was created or changed.
pub(crate) fn api_post(app: &RunSpec, origin: &Origin, now: Timestamp) -> Event {
    let data = json!({"clientIp": origin.client_ip, "uri": origin.uri, "appDefinition": app});
    Event::new("api_post_event", now, data)
}

/// A pod was created, changed or removed: `kind` says which.
pub(crate) fn pod(kind: &'static str, origin: &Origin, now: Timestamp) -> Event {
    Event::new(kind, now, json!({"clientIp": origin.client_ip, "uri": origin.uri}))
}

pub(crate) fn check_added(app: &RunSpec, check: &HealthCheck, now: Timestamp) -> Event {
    let data = json!({"appId": app.id, "version": app.config_version(), "healthCheck": check});
    Event::new("add_health_check_event", now, data)
}

pub(crate) fn check_removed(app: &AppId, check: &HealthCheck, now: Timestamp) -> Event {
    Event::new("remove_health_check_event", now, json!({"appId": app, "healthCheck": check}))
}

/// A health check failed, and it counts; nothing if the app has no such check.
pub(crate) fn check_failed(instance: &Instance, app: &RunSpec, index: usize, now: Timestamp) -> Option<Event> {
    let check = app.health_checks.get(index)?;
    let data = json!({"appId": instance.app, "taskId": instance.id, "instanceId": instance.id, "healthCheck": check});
    let health = instance.checked.health.get(index)?;
    let attempt = health.last_attempt.as_ref().filter(|last| Some(&last.cause) == health.last_failure_cause.as_ref());
    let cause = json!({
        "kind": attempt.map(|attempt| &attempt.kind), "text": health.last_failure_cause,
        "check": {"index": index, "name": check_name(app, check, instance)},
        "taskId": instance.unhealthy_task_id(), "incarnation": instance.incarnation,
        "consecutiveFailures": health.consecutive_failures,
    });
    Some(Event { cause: Some(cause), ..Event::new("failed_health_check_event", now, data) })
}

/// Others were told after the last one that a listener had.
pub(crate) fn gap(last: &str, now: Timestamp) -> Event {
    Event::new(GAP, now, json!({"lastEventId": last}))
}

/// The verdict of one check changed.
pub(crate) fn health_changed(instance: &Instance, alive: bool, now: Timestamp) -> Event {
    let data = json!({"appId": instance.app, "instanceId": instance.id, "version": instance.config, "alive": alive});
    Event::new("health_status_changed_event", now, data)
}

/// The sum of an instance's checks changed.
pub(crate) fn instance_health_changed(instance: &Instance, now: Timestamp) -> Event {
    let data = json!({"instanceId": instance.id, "runSpecId": instance.app, "runSpecVersion": instance.config,
        "healthy": healthy(instance.checked.verdict())});
    Event::new("instance_health_changed_event", now, data)
}

/// An executor sent something.
pub(crate) fn framework_message(executor: &str, agent: &str, data: &[u8], now: Timestamp) -> Event {
    let message = String::from_utf8_lossy(data);
    let data = json!({"executorId": executor, "slaveId": agent, "message": message});
    Event::new("framework_message_event", now, data)
}

/// An instance is killed for its health, or is held, or is held no more: `kind` says which. The last two are not Marathon's.
pub(crate) fn unhealthy(kind: &'static str, instance: &Instance, now: Timestamp) -> Event {
    let data = json!({"appId": instance.app, "taskId": instance.unhealthy_task_id(), "instanceId": instance.id,
        "version": instance.config, "reason": instance.checked.health_cause(), "host": instance.place.host,
        "slaveId": instance.place.agent_id});
    Event::new(kind, now, data)
}

pub(crate) fn instance_changed(instance: &Instance, now: Timestamp) -> Event {
    condition(instance, condition_name(instance), now)
}

/// The task of an instance ended in this state.
pub(crate) fn instance_ended(instance: &Instance, state: TaskState, now: Timestamp) -> Event {
    condition(instance, condition_of_end(state), now)
}

fn condition(instance: &Instance, condition: &str, now: Timestamp) -> Event {
    let data = json!({"instanceId": instance.id, "condition": condition, "runSpecId": instance.app,
        "agentId": instance.place.agent_id, "host": instance.place.host, "runSpecVersion": instance.config});
    Event::new("instance_changed_event", now, data)
}

/// The condition of an instance, in Marathon's words.
fn condition_name(instance: &Instance) -> &'static str {
    match instance.condition {
        Condition::Scheduled => "Scheduled",
        Condition::Staging => "Staging",
        Condition::Starting => "Starting",
        Condition::Running => "Running",
        Condition::Killing => "Killing",
        Condition::Unreachable if instance.given_up => "UnreachableInactive",
        Condition::Unreachable => "Unreachable",
    }
}

/// The condition of an instance whose task ended in this state, in Marathon's words.
fn condition_of_end(state: TaskState) -> &'static str {
    match state {
        TaskState::TaskFinished => "Finished",
        TaskState::TaskFailed => "Failed",
        TaskState::TaskKilled => "Killed",
        TaskState::TaskError => "Error",
        TaskState::TaskDropped => "Dropped",
        TaskState::TaskGone | TaskState::TaskGoneByOperator | TaskState::TaskLost => "Gone",
        _ => "Unknown",
    }
}

/// A task that is none of ours any more ended in this state.
pub(crate) fn unknown_terminated(task_id: &str, state: TaskState, now: Timestamp) -> Event {
    let instance = InstanceId::of_task(task_id);
    let data = json!({"runSpecId": instance.as_ref().and_then(InstanceId::app), "condition": condition_of_end(state),
        "instanceId": instance.as_ref().map_or(task_id, InstanceId::as_str)});
    Event::new("unknown_instance_terminated_event", now, data)
}

/// The master told the state of a task.
pub(crate) fn status_update(instance: &Instance, status: &TaskStatus, now: Timestamp) -> Event {
    let data = json!({"slaveId": instance.place.agent_id, "taskId": status.task_id.value, "appId": instance.app,
        "taskStatus": states::name(status.state()), "message": status.message.as_deref().unwrap_or_default(),
        "host": instance.place.host, "ipAddresses": instance.place.addresses(), "ports": instance.place.ports, "version": instance.config});
    Event::new("status_update_event", now, data)
}

/// Something about a deployment: its plan, and what it does now.
pub(crate) fn deployment(kind: &'static str, deployment: &Deployment, now: Timestamp) -> Event {
    let mut data = json!({"id": deployment.id, "plan": deployment.plan()});
    if !matches!(kind, "deployment_success" | "deployment_failed") {
        data["currentStep"] = deployment.step_json();
    }
    Event::new(kind, now, data)
}

pub(crate) fn deployment_failed(failed: &Deployment, reason: &str, now: Timestamp) -> Event {
    let mut event = deployment("deployment_failed", failed, now);
    event.data["reason"] = json!(reason);
    event
}

/// A group, or an app in it, is to be something else now.
pub(crate) fn group_changed(group: &AppId, version: Timestamp, now: Timestamp) -> Event {
    Event::new("group_change_success", now, json!({"groupId": group, "version": version}))
}

/// A group stays what it was.
pub(crate) fn group_failed(group: &AppId, reason: &str, now: Timestamp) -> Event {
    Event::new("group_change_failed", now, json!({"groupId": group, "version": now, "reason": reason}))
}

/// The last instance of a removed app is gone.
pub(crate) fn app_terminated(app: &AppId, now: Timestamp) -> Event {
    Event::new("app_terminated_event", now, json!({"appId": app}))
}
