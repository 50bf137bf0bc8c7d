//! The read endpoints from before the v1 API (`/state`, `/slaves`, ...): JSON of its own shapes, with the old names.

mod entries;
mod framework;
mod roles;
mod summary;
mod task;

use mesos::build::LegacyVersion;
use serde::Serialize;
use serde_json::{Value, json};

use super::pieces::{self, Object};
use crate::core::{Snapshot, status};
use entries::{RecoveredSlave, Slave, SlaveInFull};
pub(crate) use roles::roles;
pub(crate) use summary::summary;
pub(crate) use task::{TaskQuery, tasks};

/// `/state`
pub(crate) fn state(snapshot: Snapshot) -> Object {
    Object::new()
        .members(&Head::of(&snapshot))
        .list("slaves", snapshot.agents.into_iter().map(|agent| pieces::json(&Slave::of(&agent))))
        .list("recovered_slaves", snapshot.recovered.into_iter().map(|info| pieces::json(&RecoveredSlave::of(&info))))
        .objects("frameworks", snapshot.frameworks.into_iter().map(framework::entry))
        .objects("completed_frameworks", snapshot.completed_frameworks.into_iter().map(framework::entry))
        .list("orphan_tasks", std::iter::empty())
        .list("unregistered_frameworks", std::iter::empty())
}

/// `/slaves`, of all agents or of one.
pub(crate) fn slaves(snapshot: Snapshot, slave_id: Option<String>) -> Object {
    let wanted = move |id: &str| slave_id.as_deref().is_none_or(|wanted| id == wanted);
    let chosen = wanted.clone();
    let slaves = snapshot.agents.into_iter().filter(move |agent| chosen(&agent.id.value));
    let recovered = snapshot.recovered.into_iter();
    let recovered = recovered.filter(move |info| info.id.as_ref().is_some_and(|id| wanted(&id.value)));
    Object::new()
        .list("slaves", slaves.map(|agent| pieces::json(&SlaveInFull::of(&agent))))
        .list("recovered_slaves", recovered.map(|info| pieces::json(&RecoveredSlave::of(&info))))
}

/// `/frameworks`, all or one.
pub(crate) fn frameworks(snapshot: Snapshot, framework_id: Option<String>) -> Object {
    let wanted = move |id: &str| framework_id.as_deref().is_none_or(|wanted| id == wanted);
    let chosen = wanted.clone();
    let live = snapshot.frameworks.into_iter().filter(move |framework| chosen(&framework.id.value));
    let completed = snapshot.completed_frameworks.into_iter().filter(move |framework| wanted(&framework.id.value));
    Object::new()
        .objects("frameworks", live.map(framework::entry))
        .objects("completed_frameworks", completed.map(framework::entry))
        .list("unregistered_frameworks", std::iter::empty())
}

/// The beginning of `/state`.
#[derive(Serialize)]
struct Head<'a> {
    #[serde(flatten)]
    version: LegacyVersion,
    start_time: f64,
    elected_time: f64,
    id: &'a str,
    pid: String,
    hostname: &'a str,
    capabilities: [&'static str; 3],
    activated_slaves: f64,
    deactivated_slaves: f64,
    unreachable_slaves: f64,
    leader: String,
    leader_info: Value,
    /// The web page looks for them here to know whether there is a log to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_dir: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_log_file: Option<&'a String>,
    flags: &'a std::collections::BTreeMap<String, String>,
}

impl<'a> Head<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let identity = &snapshot.identity;
        let active = snapshot.agents.iter().filter(|agent| agent.active).count();
        let started = status::seconds(identity.started);
        Head {
            version: LegacyVersion::current(),
            start_time: started,
            elected_time: started,
            id: &identity.id,
            pid: identity.pid(),
            hostname: &identity.hostname,
            capabilities: ["AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"],
            activated_slaves: active as f64,
            deactivated_slaves: (snapshot.agents.len() - active) as f64,
            unreachable_slaves: snapshot.unreachable_agents as f64,
            leader: identity.pid(),
            leader_info: json!({
                "id": identity.id,
                "pid": identity.pid(),
                "port": identity.address.port(),
                "hostname": identity.hostname,
            }),
            log_dir: identity.flags.get("log_dir"),
            external_log_file: identity.flags.get("external_log_file"),
            flags: &identity.flags,
        }
    }
}
