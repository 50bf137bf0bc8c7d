//! The read endpoints from before the v1 API (`/state`, `/slaves`, ...): JSON of its own shapes, with the old names.
//!
//! Everything borrows from the core and is written straight into the bytes of the answer.

mod entries;
mod framework;
mod summary;
mod task;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::{Core, status};
use crate::ids::{AgentId, FrameworkId};
use crate::now::Now;
use crate::version;
use entries::{RecoveredSlave, Slave, SlaveInFull};
use framework::FrameworkEntry;
use task::{TaskEntry, TaskQuery};

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Query {
    State,
    StateSummary,
    Slaves { slave_id: Option<String> },
    Frameworks { framework_id: Option<String> },
    Tasks(TaskQuery),
    Roles,
    Flags,
    Metrics,
}

impl Query {
    /// The query a path's parameters ask for; `None` if there is no such endpoint.
    pub(crate) fn parse(path: &str, parameters: &BTreeMap<String, String>) -> Option<Query> {
        let parameter = |name: &str| parameters.get(name).cloned();
        Some(match path {
            "/state" => Query::State,
            "/state-summary" => Query::StateSummary,
            "/slaves" => Query::Slaves { slave_id: parameter("slave_id") },
            "/frameworks" => Query::Frameworks { framework_id: parameter("framework_id") },
            "/tasks" => Query::Tasks(TaskQuery::parse(parameters)),
            "/roles" => Query::Roles,
            "/flags" => Query::Flags,
            "/metrics/snapshot" => Query::Metrics,
            _ => return None,
        })
    }
}

impl Core {
    /// The JSON an endpoint answers with.
    pub(crate) fn read(&mut self, now: Now, query: &Query) -> serde_json::Result<Vec<u8>> {
        self.now = now;
        match query {
            Query::State => serde_json::to_vec(&self.legacy_state()),
            Query::StateSummary => serde_json::to_vec(&self.legacy_summary()),
            Query::Slaves { slave_id } => serde_json::to_vec(&self.legacy_slaves(slave_id.as_deref())),
            Query::Frameworks { framework_id } => serde_json::to_vec(&self.legacy_frameworks(framework_id.as_deref())),
            Query::Tasks(query) => serde_json::to_vec(&self.legacy_tasks(query)),
            Query::Roles => serde_json::to_vec(&self.legacy_roles()),
            Query::Flags => serde_json::to_vec(&json!({ "flags": self.settings.flags })),
            Query::Metrics => serde_json::to_vec(&self.metrics()),
        }
    }

    fn legacy_state(&self) -> State<'_> {
        let active = self.agents.values().filter(|agent| agent.is_connected()).count();
        let started = status::seconds(self.identity.started);
        State {
            version: version::legacy(),
            start_time: started,
            elected_time: started,
            id: &self.identity.id,
            pid: self.identity.pid(),
            hostname: &self.identity.hostname,
            capabilities: ["AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"],
            activated_slaves: active as f64,
            deactivated_slaves: (self.agents.len() - active) as f64,
            unreachable_slaves: self.absent.unreachable.len() as f64,
            leader: self.identity.pid(),
            leader_info: json!({
                "id": self.identity.id,
                "pid": self.identity.pid(),
                "port": self.identity.address.port(),
                "hostname": self.identity.hostname,
            }),
            flags: &self.settings.flags,
            slaves: self.agents.values().map(|agent| Slave::of(self, agent)).collect(),
            recovered_slaves: self.absent.recovered.values().map(RecoveredSlave::of).collect(),
            frameworks: self.frameworks.values().map(|framework| FrameworkEntry::of(self, framework)).collect(),
            completed_frameworks: self.completed_frameworks.iter().map(|of| FrameworkEntry::of(self, of)).collect(),
            orphan_tasks: [],
            unregistered_frameworks: [],
        }
    }

    fn legacy_slaves(&self, slave_id: Option<&str>) -> Slaves<'_> {
        let wanted = |id: &AgentId| slave_id.is_none_or(|wanted| id.value.as_str() == wanted);
        let slaves = self.agents.values().filter(|agent| wanted(&agent.id));
        let recovered = self.absent.recovered.iter().filter(|(id, _)| wanted(id));
        Slaves {
            slaves: slaves.map(|agent| SlaveInFull::of(self, agent)).collect(),
            recovered_slaves: recovered.map(|(_, info)| RecoveredSlave::of(info)).collect(),
        }
    }

    fn legacy_frameworks(&self, framework_id: Option<&str>) -> Frameworks<'_> {
        let wanted = |id: &FrameworkId| framework_id.is_none_or(|wanted| id.value.as_str() == wanted);
        let live = self.frameworks.values().filter(|framework| wanted(&framework.id));
        let completed = self.completed_frameworks.iter().filter(|framework| wanted(&framework.id));
        Frameworks {
            frameworks: live.map(|framework| FrameworkEntry::of(self, framework)).collect(),
            completed_frameworks: completed.map(|framework| FrameworkEntry::of(self, framework)).collect(),
            unregistered_frameworks: [],
        }
    }

    fn legacy_tasks(&self, query: &TaskQuery) -> Tasks<'_> {
        let live = self.all_frameworks().flat_map(|of| of.tasks.values().map(|task| &task.wire));
        let over = self.all_frameworks().flat_map(|of| of.unreachable.iter().chain(&of.completed));
        Tasks { tasks: query.choose(live.chain(over)).map(TaskEntry).collect() }
    }

    fn legacy_roles(&self) -> Value {
        let roles: Vec<Value> = self.known_roles().iter().map(|name| self.legacy_role(name)).collect();
        json!({ "roles": roles })
    }

    fn legacy_role(&self, name: &str) -> Value {
        let members = self.frameworks.values().filter(|framework| framework.roles().contains(name));
        let frameworks: Vec<&str> = members.map(|framework| framework.id.value.as_str()).collect();
        let (used, offered) = (amounts(&self.used_in(name)), amounts(&self.offered_in(name)));
        let reserved = self.agents.values().map(|agent| agent.total.reserved_for(name)).sum();
        json!({
            "name": name,
            "weight": self.allocator.weight(name),
            "quota": { "role": name, "guarantee": {}, "limit": {}, "consumed": &used },
            "resources": amounts(&self.held_in(name)),
            "allocated": &used,
            "offered": offered,
            "reserved": amounts(&reserved),
            "frameworks": frameworks,
        })
    }
}

/// Amounts only: ranges count how many numbers they hold, sets how many items.
fn amounts(resources: &mesos::resources::Resources) -> Map<String, Value> {
    let mut amounts: BTreeMap<String, f64> = BTreeMap::new();
    for resource in resources.to_wire() {
        let amount = match (&resource.scalar, &resource.ranges, &resource.set) {
            (Some(scalar), _, _) => scalar.value,
            (_, Some(ranges), _) => {
                ranges.range.iter().map(|range| range.end.saturating_sub(range.begin) as f64 + 1.0).sum()
            }
            (_, _, Some(set)) => set.item.len() as f64,
            _ => 0.0,
        };
        *amounts.entry(resource.name).or_default() += amount;
    }
    amounts.into_iter().map(|(name, amount)| (name, json!(amount))).collect()
}

#[derive(Serialize)]
struct State<'a> {
    #[serde(flatten)]
    version: version::Legacy,
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
    flags: &'a BTreeMap<String, String>,
    slaves: Vec<Slave<'a>>,
    recovered_slaves: Vec<RecoveredSlave<'a>>,
    frameworks: Vec<FrameworkEntry<'a>>,
    completed_frameworks: Vec<FrameworkEntry<'a>>,
    orphan_tasks: [(); 0],
    unregistered_frameworks: [(); 0],
}

#[derive(Serialize)]
struct Slaves<'a> {
    slaves: Vec<SlaveInFull<'a>>,
    recovered_slaves: Vec<RecoveredSlave<'a>>,
}

#[derive(Serialize)]
struct Frameworks<'a> {
    frameworks: Vec<FrameworkEntry<'a>>,
    completed_frameworks: Vec<FrameworkEntry<'a>>,
    unregistered_frameworks: [(); 0],
}

#[derive(Serialize)]
struct Tasks<'a> {
    tasks: Vec<TaskEntry<'a>>,
}
