//! Frameworks, the old way.

use std::collections::BTreeMap;

use mesos::resources::Resources;
use mesos::v1;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::super::framework::{Framework, Link};
use super::super::super::offers::Offer;
use super::super::super::{Core, status};
use super::task::{TaskEntry, role_of};
use crate::ids::AgentId;

/// What `/state` and `/state-summary` both say about a framework.
#[derive(Serialize)]
pub(super) struct FrameworkHead<'a> {
    id: &'a str,
    name: &'a str,
    used_resources: Value,
    offered_resources: Value,
    capabilities: Vec<&'static str>,
    hostname: &'a str,
    webui_url: &'a str,
    active: bool,
    connected: bool,
    recovered: bool,
}

impl<'a> FrameworkHead<'a> {
    pub(super) fn of(core: &Core, framework: &'a Framework) -> Self {
        let info = &framework.info;
        FrameworkHead {
            id: framework.id.value.as_str(),
            name: &info.name,
            used_resources: core.used_by(&framework.id).to_legacy_json(),
            offered_resources: core.offered_to(&framework.id).to_legacy_json(),
            capabilities: info.capabilities.iter().map(|capability| capability.r#type().as_str_name()).collect(),
            hostname: info.hostname(),
            webui_url: info.webui_url(),
            active: framework.is_connected(),
            connected: framework.is_connected(),
            recovered: framework.link == Link::Recovered,
        }
    }
}

/// One framework in `/state` and `/frameworks`.
#[derive(Serialize)]
pub(super) struct FrameworkEntry<'a> {
    #[serde(flatten)]
    head: FrameworkHead<'a>,
    user: &'a str,
    failover_timeout: f64,
    checkpoint: bool,
    registered_time: f64,
    unregistered_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reregistered_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'a str>,
    resources: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'a [String]>,
    tasks: Vec<TaskEntry<'a>>,
    unreachable_tasks: Vec<TaskEntry<'a>>,
    completed_tasks: Vec<TaskEntry<'a>>,
    offers: Vec<Value>,
    executors: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<Value>>,
    offer_constraints: BTreeMap<(), ()>,
}

impl<'a> FrameworkEntry<'a> {
    pub(super) fn of(core: &Core, framework: &'a Framework) -> Self {
        let info = &framework.info;
        let multi_role = framework.capabilities.multi_role;
        let held = core.used_by(&framework.id) + &core.offered_to(&framework.id);
        FrameworkEntry {
            head: FrameworkHead::of(core, framework),
            user: &info.user,
            failover_timeout: info.failover_timeout(),
            checkpoint: info.checkpoint(),
            registered_time: status::seconds(framework.registered),
            unregistered_time: status::seconds(framework.unregistered.unwrap_or_default()),
            reregistered_time: framework.reregistered.map(status::seconds),
            principal: info.principal.as_deref(),
            resources: held.to_legacy_json(),
            role: (!multi_role).then(|| framework.sole_role()),
            roles: multi_role.then_some(info.roles.as_slice()),
            tasks: framework.tasks.values().map(|task| TaskEntry(&task.wire)).collect(),
            unreachable_tasks: framework.unreachable.iter().map(TaskEntry).collect(),
            completed_tasks: framework.completed.iter().map(TaskEntry).collect(),
            offers: core.offers_of(&framework.id).map(offer).collect(),
            executors: core.executors_of(framework),
            labels: info.labels.as_ref().map(|labels| labels.labels.iter().map(mesos::json::to_value).collect()),
            offer_constraints: BTreeMap::new(),
        }
    }
}

impl Core {
    fn executors_of(&self, framework: &Framework) -> Vec<Value> {
        let on = |agent: &super::super::super::agent::Agent| {
            let executors = agent.executors.get(&framework.id);
            let id = agent.id.clone();
            let entries = executors.into_iter().flat_map(|of| of.values());
            entries.map(move |info| executor(framework, &id, info)).collect::<Vec<_>>()
        };
        self.agents.values().flat_map(on).collect()
    }
}

fn offer(offer: &Offer) -> Value {
    json!({
        "id": offer.id.value.as_str(),
        "framework_id": offer.framework.value.as_str(),
        "allocation_info": { "role": offer.role },
        "slave_id": offer.agent.value.as_str(),
        "resources": offer.resources.to_legacy_json(),
    })
}

fn executor(framework: &Framework, agent: &AgentId, info: &v1::ExecutorInfo) -> Value {
    let resources = Resources::from_wire(&info.resources).unwrap_or_default();
    let mut entry = json!({
        "executor_id": info.executor_id.value,
        "name": info.name(),
        "framework_id": framework.id.value.as_str(),
        "command": command(info.command.as_ref()),
        "resources": resources.to_legacy_json(),
        "role": role_of(&info.resources),
        "slave_id": agent.value.as_str(),
    });
    if let Some(labels) = &info.labels {
        entry["labels"] = labels.labels.iter().map(mesos::json::to_value).collect();
    }
    if info.r#type.is_some() {
        entry["type"] = json!(info.r#type().as_str_name());
    }
    entry
}

fn command(command: Option<&v1::CommandInfo>) -> Value {
    let Some(command) = command else { return json!({ "argv": [], "uris": [] }) };
    let uri = |uri: &v1::command_info::Uri| json!({ "value": uri.value, "executable": uri.executable() });
    let mut entry = json!({
        "shell": command.shell(),
        "argv": command.arguments,
        "uris": command.uris.iter().map(uri).collect::<Vec<_>>(),
    });
    if let Some(value) = &command.value {
        entry["value"] = json!(value);
    }
    if let Some(environment) = &command.environment {
        entry["environment"] = mesos::json::to_value(environment);
    }
    entry
}
