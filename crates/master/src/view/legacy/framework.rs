//! Frameworks, the old way.

use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::Confidential;
use mesos::v1::framework_info::capability::Type;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::pieces::{self, Object};
use super::task::{self, role_of};
use crate::core::offers::Offer;
use crate::core::snapshot::FrameworkView;
use crate::core::status;
use crate::ids::{AgentId, FrameworkId};

/// The members of a framework in both `/state` and `/state-summary`.
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
    pub(super) fn of(framework: &'a FrameworkView) -> Self {
        let info = &framework.info;
        FrameworkHead {
            id: framework.id.value.as_str(),
            name: &info.name,
            used_resources: framework.used.to_legacy_json(),
            offered_resources: framework.offered.to_legacy_json(),
            capabilities: info.capabilities.iter().map(|capability| capability.r#type().as_str_name()).collect(),
            hostname: info.hostname(),
            webui_url: info.webui_url(),
            active: framework.connected,
            connected: framework.connected,
            recovered: framework.recovered,
        }
    }
}

/// The further members of a framework in `/state` and `/frameworks`, lists apart.
#[derive(Serialize)]
struct Details<'a> {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<Value>>,
    offer_constraints: Value,
}

impl<'a> Details<'a> {
    fn of(framework: &'a FrameworkView) -> Self {
        let info = &framework.info;
        let multi_role = info.is_capable_of(Type::MultiRole);
        let held = framework.used.clone() + &framework.offered;
        Details {
            user: &info.user,
            failover_timeout: info.failover_timeout(),
            checkpoint: info.checkpoint(),
            registered_time: status::seconds(framework.times.registered),
            unregistered_time: status::seconds(framework.times.unregistered.unwrap_or_default()),
            reregistered_time: framework.times.reregistered.map(status::seconds),
            principal: info.principal.as_deref(),
            resources: held.to_legacy_json(),
            role: (!multi_role).then(|| info.role()),
            roles: multi_role.then_some(info.roles.as_slice()),
            labels: info.labels.as_ref().map(|labels| labels.labels.iter().map(mesos::json::to_value).collect()),
            offer_constraints: mesos::json::to_value(framework.constraints.wire()),
        }
    }
}

/// One framework in `/state` and `/frameworks`.
pub(super) fn entry(framework: FrameworkView) -> Object {
    let object = Object::new().members(&FrameworkHead::of(&framework)).members(&Details::of(&framework));
    let FrameworkView { id, offers, executors, tasks, .. } = framework;
    object
        .list("tasks", tasks.live.into_iter().map(|task| task::entry(&task)))
        .list("unreachable_tasks", tasks.unreachable.into_iter().map(|task| task::entry(&task)))
        .list("completed_tasks", tasks.completed.into_iter().map(|task| task::entry(&task)))
        .list("offers", offers.into_iter().map(|(of, _)| pieces::json(&offer(&of))))
        .list("executors", executors.into_iter().map(move |(agent, info)| pieces::json(&executor(&id, &agent, &info))))
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

fn executor(framework: &FrameworkId, agent: &AgentId, info: &v1::ExecutorInfo) -> Value {
    let (info, resources) = (info.shown(), Resources::from_wire(&info.resources).unwrap_or_default());
    let mut entry = json!({
        "executor_id": info.executor_id.value,
        "name": info.name(),
        "framework_id": framework.value,
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
    let uri = |uri: &v1::command_info::Uri| {
        let mut entry = json!({ "value": uri.value, "executable": uri.executable() });
        if let Some(checksum) = &uri.checksum {
            entry["checksum"] = json!(checksum);
        }
        entry
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executor_is_shown_without_the_values_of_its_secrets() {
        let secret = json!({"type": "VALUE", "value": {"data": "c2VzYW1l"}});
        let variables = json!([{"name": "PASSWORD", "type": "SECRET", "secret": secret}]);
        let command = json!({"value": "true", "environment": {"variables": variables}});
        let info = mesos::json::from_value(json!({"executor_id": {"value": "e"}, "command": command})).unwrap();
        let shown = executor(&"f".into(), &"a".into(), &info).to_string();
        assert!(shown.contains("PASSWORD") && !shown.contains("c2VzYW1l"), "{shown}");
    }
}
