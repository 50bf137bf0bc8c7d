//! Agents, the old way.

use std::collections::BTreeMap;

use mesos::resources::{Ranges, Resources};
use mesos::v1;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::core::snapshot::AgentView;
use crate::core::status;

/// One agent in `/state`.
#[derive(Serialize)]
pub(super) struct Slave<'a> {
    id: &'a str,
    hostname: &'a str,
    port: i32,
    attributes: BTreeMap<&'a str, Value>,
    pid: &'a str,
    registered_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reregistered_time: Option<f64>,
    /// Not one of Mesos'.
    last_heard_time: f64,
    resources: Value,
    used_resources: Value,
    offered_resources: Value,
    reserved_resources: BTreeMap<String, Value>,
    unreserved_resources: Value,
    active: bool,
    deactivated: bool,
    version: &'static str,
    cygnet_version: &'a str,
    capabilities: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drain_info: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_drain_start_time_seconds: Option<f64>,
}

impl<'a> Slave<'a> {
    pub(super) fn of(agent: &'a AgentView) -> Self {
        Slave {
            id: agent.id.value.as_str(),
            hostname: &agent.info.hostname,
            port: agent.info.port(),
            attributes: attributes(&agent.info),
            pid: &agent.program.pid,
            registered_time: status::seconds(agent.registered),
            reregistered_time: agent.reregistered.map(status::seconds),
            last_heard_time: status::seconds(agent.last_heard),
            resources: agent.total.to_legacy_json(),
            used_resources: agent.used.to_legacy_json(),
            offered_resources: agent.offered.to_legacy_json(),
            reserved_resources: reserved(agent, Resources::to_legacy_json),
            unreserved_resources: agent.total.unreserved().to_legacy_json(),
            active: agent.active,
            deactivated: agent.standing.deactivated,
            version: mesos::build::MESOS_VERSION,
            cygnet_version: &agent.program.version,
            capabilities: agent.program.capabilities.iter().map(|of| of.r#type().as_str_name()).collect(),
            drain_info: agent.standing.drain_info().as_ref().map(mesos::json::to_raw_value),
            estimated_drain_start_time_seconds: agent.standing.drain.as_ref().map(|of| status::seconds(of.since)),
        }
    }
}

/// One agent in `/slaves`.
#[derive(Serialize)]
pub(super) struct SlaveInFull<'a> {
    #[serde(flatten)]
    slave: Slave<'a>,
    reserved_resources_full: BTreeMap<String, Vec<Box<RawValue>>>,
    unreserved_resources_full: Vec<Box<RawValue>>,
    used_resources_full: Vec<Box<RawValue>>,
    offered_resources_full: Vec<Box<RawValue>>,
}

impl<'a> SlaveInFull<'a> {
    pub(super) fn of(agent: &'a AgentView) -> Self {
        SlaveInFull {
            slave: Slave::of(agent),
            reserved_resources_full: reserved(agent, in_full),
            unreserved_resources_full: in_full(&agent.total.unreserved()),
            used_resources_full: in_full(&agent.used),
            offered_resources_full: in_full(&agent.offered),
        }
    }
}

/// An agent that is expected back.
#[derive(Serialize)]
pub(super) struct RecoveredSlave<'a> {
    id: &'a str,
    hostname: &'a str,
    port: i32,
    attributes: BTreeMap<&'a str, Value>,
    resources: Value,
}

impl<'a> RecoveredSlave<'a> {
    pub(super) fn of(info: &'a v1::AgentInfo) -> Self {
        RecoveredSlave {
            id: info.id.as_ref().map_or("", |id| &id.value),
            hostname: &info.hostname,
            port: info.port(),
            attributes: attributes(info),
            resources: Resources::from_wire(&info.resources).unwrap_or_default().to_legacy_json(),
        }
    }
}

fn reserved<T>(agent: &AgentView, show: fn(&Resources) -> T) -> BTreeMap<String, T> {
    agent.total.reservations().into_iter().map(|(role, of)| (role, show(&of))).collect()
}

fn in_full(resources: &Resources) -> Vec<Box<RawValue>> {
    resources.to_wire_with_roles().iter().map(mesos::json::to_raw_value).collect()
}

/// `{name: value}`: numbers as numbers, the rest as text.
fn attributes(info: &v1::AgentInfo) -> BTreeMap<&str, Value> {
    info.attributes.iter().map(|attribute| (attribute.name.as_str(), attribute_value(attribute))).collect()
}

fn attribute_value(attribute: &v1::Attribute) -> Value {
    if let Some(scalar) = &attribute.scalar {
        return json!(scalar.value);
    }
    if let Some(text) = &attribute.text {
        return json!(text.value);
    }
    if let Some(ranges) = &attribute.ranges {
        let ranges = Ranges::new(ranges.range.iter().map(|range| (range.begin, range.end)));
        return json!(ranges.to_string());
    }
    let items = attribute.set.as_ref().map_or(&[][..], |set| &set.item);
    json!(format!("{{{}}}", items.join(", ")))
}
