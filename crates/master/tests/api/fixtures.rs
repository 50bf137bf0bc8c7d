//! Frameworks and tasks that the tests of the core and those of a whole master begin with.

use mesos::v1::framework_info::{Capability, capability::Type};
use mesos::v1::{AgentId, CommandInfo, ContainerStatus, FrameworkInfo, Resource, TaskInfo};
use serde_json::json;

/// A framework with a minute to come back that understands everything.
pub(crate) fn framework(name: &str) -> FrameworkInfo {
    let knows = [Type::MultiRole, Type::PartitionAware, Type::TaskKillingState];
    FrameworkInfo {
        roles: vec!["*".to_owned()],
        capabilities: knows.map(|kind| Capability { r#type: Some(kind.into()) }).to_vec(),
        ..plain_framework(name)
    }
}

/// A framework that asks for nothing special.
pub(crate) fn plain_framework(name: &str) -> FrameworkInfo {
    FrameworkInfo {
        name: name.to_owned(),
        user: "root".to_owned(),
        failover_timeout: Some(60.0),
        checkpoint: Some(true),
        ..FrameworkInfo::default()
    }
}

pub(crate) fn task(id: &str, agent: &AgentId, cpus: f64, mem: f64) -> TaskInfo {
    TaskInfo {
        name: id.to_owned(),
        task_id: id.into(),
        agent_id: agent.clone(),
        resources: vec![Resource::scalar("cpus", cpus), Resource::scalar("mem", mem)],
        command: Some(CommandInfo { value: Some("sleep 1000".to_owned()), ..CommandInfo::default() }),
        ..TaskInfo::default()
    }
}

/// A container as an executor in the field tells of it.
pub(crate) fn container(id: &str, ip: &str) -> ContainerStatus {
    let networks = json!([{ "ip_addresses": [{ "protocol": "IPv4", "ip_address": ip }] }]);
    let status = json!({ "container_id": { "value": id }, "network_infos": networks, "executor_pid": 4711 });
    mesos::json::from_value(status).unwrap()
}
