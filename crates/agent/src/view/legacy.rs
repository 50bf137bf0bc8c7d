//! `/state`, as tools have read it for a decade.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mesos::build::LegacyVersion;
use mesos::resources::Resources;
use mesos::v1::framework_info::capability::Type as Capability;
use mesos::v1::{Attribute, Confidential, ContainerStatus, Labels, Resource, TaskStatus, executor_info};
use serde_json::{Map, Value, json};

use super::{bag, used};
use crate::core::{CAPABILITIES, Executor, Framework, Snapshot, Task};

pub(crate) fn state(snapshot: &Snapshot) -> Value {
    let (info, flags) = (snapshot.link.info(), &snapshot.settings.flags);
    let resources = bag(&info.resources);
    let (used, unreserved) = (used(snapshot), resources.unreserved());
    let reserved = by_role(&resources);
    let mut state = json!({
        "start_time": snapshot.started.unix.as_secs_f64(),
        "id": snapshot.link.id().map_or("", |id| &id.value),
        "pid": snapshot.settings.pid(),
        "hostname": info.hostname,
        "capabilities": CAPABILITIES.map(|capability| capability.as_str_name()),
        "resources": resources.to_legacy_json(),
        "reserved_resources": reserved,
        "unreserved_resources": unreserved.to_legacy_json(),
        "reserved_resources_full": full_by_role(&resources),
        "unreserved_resources_full": full(&unreserved),
        "reserved_resources_allocated": by_role(&used),
        "unreserved_resources_allocated": used.unreserved().to_legacy_json(),
        "resource_providers": [],
        "attributes": attributes(&info.attributes),
        "flags": flags,
        "frameworks": snapshot.frameworks.iter().map(|known| framework(known)).collect::<Vec<_>>(),
        "completed_frameworks": snapshot.completed_frameworks.iter().map(|known| framework(known)).collect::<Vec<_>>(),
    });
    for (name, value) in json!(LegacyVersion::current()).as_object().into_iter().flatten() {
        state[name] = value.clone();
    }
    add(&mut state, [("master_hostname", snapshot.link.master_hostname().map(|hostname| json!(hostname)))]);
    // The web page looks for them here to know whether there is a log to show.
    for (name, value) in flags.iter().filter(|(name, _)| ["log_dir", "external_log_file"].contains(&name.as_str())) {
        state[name] = json!(value);
    }
    state
}

pub(crate) fn flags(snapshot: &Snapshot) -> Value {
    json!({ "flags": snapshot.settings.flags })
}

/// The paths under which sandboxes may be read, and where they are.
pub(crate) fn attached_paths(snapshot: &Snapshot) -> BTreeMap<String, PathBuf> {
    let paths = snapshot.executors().flat_map(|(framework, executor)| {
        let (directory, id) = (executor.directory().to_owned(), &executor.info().executor_id);
        let name = format!("/frameworks/{}/executors/{id}/runs/latest", framework.id());
        [(name, directory.clone()), (directory.display().to_string(), directory)]
    });
    paths.collect()
}

fn by_role(resources: &Resources) -> Map<String, Value> {
    resources.reservations().into_iter().map(|(role, reserved)| (role, reserved.to_legacy_json())).collect()
}

fn full_by_role(resources: &Resources) -> Map<String, Value> {
    resources.reservations().into_iter().map(|(role, reserved)| (role, full(&reserved))).collect()
}

fn full(resources: &Resources) -> Value {
    resources.to_wire_with_roles().iter().map(mesos::json::to_value).collect()
}

fn attributes(attributes: &[Attribute]) -> Map<String, Value> {
    attributes.iter().map(|attribute| (attribute.name.clone(), attribute_value(attribute))).collect()
}

fn attribute_value(attribute: &Attribute) -> Value {
    match (&attribute.scalar, &attribute.ranges, &attribute.text) {
        (Some(scalar), _, _) => json!(scalar.value),
        (_, Some(ranges), _) => {
            let ranges = ranges.range.iter().map(|range| format!("{}-{}", range.begin, range.end));
            json!(format!("[{}]", ranges.collect::<Vec<_>>().join(", ")))
        }
        (_, _, Some(text)) => json!(text.value),
        _ => Value::Null,
    }
}

fn framework(framework: &Framework) -> Value {
    let info = framework.info();
    let mut entry = json!({
        "id": framework.id().value,
        "name": info.name,
        "user": info.user,
        "failover_timeout": info.failover_timeout(),
        "checkpoint": info.checkpoint(),
        "hostname": info.hostname(),
        "executors": framework.live_executors().map(executor).collect::<Vec<_>>(),
        "completed_executors": over(framework).map(executor).collect::<Vec<_>>(),
    });
    add(&mut entry, [("principal", info.principal.as_ref().map(|principal| json!(principal)))]);
    match framework.is_capable_of(Capability::MultiRole) {
        true => entry["roles"] = json!(info.roles),
        false => entry["role"] = json!(info.role.as_deref().unwrap_or("*")),
    }
    entry
}

/// Executors that have ended, whether or not updates of their tasks still wait.
fn over(framework: &Framework) -> impl Iterator<Item = &Executor> {
    let waiting = framework.executors().filter(|executor| !executor.is_live());
    framework.completed_executors().chain(waiting)
}

fn executor(executor: &Executor) -> Value {
    let (info, tasks) = (executor.info(), executor.tasks());
    let over = tasks.terminated().chain(tasks.completed());
    let mut entry = json!({
        "id": info.executor_id.value,
        "name": info.name(),
        "source": info.source(),
        "container": executor.container().to_string(),
        "directory": executor.directory(),
        "resources": bag(&executor.resources()).to_legacy_json(),
        "tasks": tasks.launched().map(task).collect::<Vec<_>>(),
        "queued_tasks": tasks.queued().map(queued_task).collect::<Vec<_>>(),
        "completed_tasks": over.map(task).collect::<Vec<_>>(),
    });
    let kind = info.r#type.is_some().then(|| info.r#type()).filter(|kind| *kind != executor_info::Type::Unknown);
    let optional = [
        ("role", role(&info.resources).map(|role| json!(role))),
        ("labels", info.labels.as_ref().map(labels)),
        ("type", kind.map(|kind| json!(kind.as_str_name()))),
    ];
    add(&mut entry, optional);
    entry
}

fn role(resources: &[Resource]) -> Option<&str> {
    resources.first()?.allocation_info.as_ref()?.role.as_deref()
}

fn labels(labels: &Labels) -> Value {
    labels.labels.iter().map(mesos::json::to_value).collect()
}

fn queued_task(task: &Task) -> Value {
    let info = task.info();
    let mut entry = json!({
        "id": info.task_id.value,
        "name": info.name,
        "slave_id": info.agent_id.value,
        "resources": bag(&info.resources).to_legacy_json(),
    });
    let optional = [
        ("role", role(&info.resources).map(|role| json!(role))),
        ("command", info.command.shown().as_ref().map(mesos::json::to_value)),
        ("executor_id", info.executor.as_ref().map(|executor| json!(executor.executor_id.value))),
        ("discovery", info.discovery.as_ref().map(mesos::json::to_value)),
    ];
    add(&mut entry, optional);
    entry
}

fn task(task: &Task) -> Value {
    let wire = task.wire();
    let mut entry = json!({
        "id": wire.task_id.value,
        "name": wire.name,
        "framework_id": wire.framework_id.value,
        "executor_id": wire.executor_id.as_ref().map_or("", |id| &id.value),
        "slave_id": wire.agent_id.value,
        "state": wire.state().as_str_name(),
        "resources": bag(&wire.resources).to_legacy_json(),
        "role": role(&wire.resources).unwrap_or("*"),
        "statuses": wire.statuses.iter().map(status).collect::<Vec<_>>(),
    });
    let optional = [
        ("user", wire.user.as_ref().map(|user| json!(user))),
        ("labels", wire.labels.as_ref().map(labels)),
        ("discovery", wire.discovery.as_ref().map(mesos::json::to_value)),
        ("container", wire.container.as_ref().map(mesos::json::to_value)),
        ("health_check", wire.health_check.as_ref().map(mesos::json::to_value)),
    ];
    add(&mut entry, optional);
    if !wire.limits.is_empty() {
        entry["limits"] = wire.limits.iter().map(|(name, limit)| (name.clone(), json!(limit.value))).collect();
    }
    entry
}

fn status(status: &TaskStatus) -> Value {
    let mut entry = json!({ "state": status.state().as_str_name(), "timestamp": status.timestamp() });
    let container = status.container_status.clone().map(|of| ContainerStatus { executor_pid: None, ..of });
    let optional = [
        ("labels", status.labels.as_ref().map(labels)),
        ("container_status", container.as_ref().map(mesos::json::to_value)),
        ("healthy", status.healthy.map(|healthy| json!(healthy))),
        // From executors that know more than Mesos' do.
        ("health", status.health.as_ref().map(mesos::json::to_value)),
    ];
    add(&mut entry, optional);
    entry
}

/// Adds the members that there are.
fn add<const N: usize>(entry: &mut Value, optional: [(&str, Option<Value>); N]) {
    optional.into_iter().filter_map(|(name, value)| Some((name, value?))).for_each(|(name, value)| entry[name] = value);
}
