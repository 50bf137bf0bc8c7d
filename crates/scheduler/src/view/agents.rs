//! `GET /v2/agents`: the agents as the master tells of them, with the apps and pods that have instances there. None of it is
//! Marathon's.

mod standing;

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::v1::TaskState;
use serde_json::{Map, Value, json};

use crate::core::View;
use crate::drain::Drain;
use crate::ids::AppId;
use crate::known_agent::{DrainInfo, KnownAgent};
use crate::plan::least;
use crate::time::Timestamp;
use standing::Standing;

/// The instances of an app on an agent.
#[derive(Debug, Clone, Copy, Default)]
struct Here {
    all: usize,
    ready: usize,
}

type ByApp<'a> = BTreeMap<&'a AppId, Here>;

impl View<'_> {
    /// `drains` are those of before the master was asked, as whoever hands one over forgets it only afterwards.
    pub(crate) fn agents_json(&self, known: &[KnownAgent], drains: &[Drain]) -> Vec<Value> {
        let (there, none) = (self.there(known), ByApp::default());
        let here = |agent: &KnownAgent| there.get(agent.id.as_str()).unwrap_or(&none);
        known.iter().map(|agent| self.json_of(agent, here(agent), drains)).collect()
    }

    /// The instances with tasks on these agents, by agent and app.
    fn there<'a>(&'a self, agents: &'a [KnownAgent]) -> BTreeMap<&'a str, ByApp<'a>> {
        let none = |agent: &'a KnownAgent| (agent.id.as_str(), ByApp::default());
        let mut there: BTreeMap<&str, ByApp<'_>> = agents.iter().map(none).collect();
        for instance in self.instances.values().filter(|found| found.has_task()) {
            let agent = instance.place.agent_id.as_deref();
            let Some(apps) = agent.and_then(|agent| there.get_mut(agent)) else { continue };
            let here = apps.entry(&instance.app).or_default();
            here.all += 1;
            here.ready += usize::from(instance.is_ready());
        }
        there
    }

    fn json_of(&self, agent: &KnownAgent, here: &ByApp<'_>, drains: &[Drain]) -> Value {
        let by_master = || Some(drained(agent.drain_info.as_ref()?, agent.estimated_drain_start_time_seconds));
        let ours = drains.iter().find(|drain| drain.agent_id == agent.id);
        let under_way = ours.filter(|drain| drain.refused.is_none());
        let drain = under_way.map(moving).or_else(by_master).or_else(|| ours.map(moving)).unwrap_or_default();
        let standing = Standing::of(agent, drain["state"].as_str());
        json!({
            "id": agent.id, "hostname": agent.hostname, "active": agent.active, "deactivated": agent.deactivated,
            "registeredAt": moment(agent.registered_time), "lastHeardAt": agent.last_heard_time.map(moment),
            "attributes": agent.attributes,
            "resources": {"total": agent.resources, "used": agent.used_resources, "offered": agent.offered_resources},
            "tasks": tasks(agent), "standing": {"kind": standing.kind(), "text": standing.text()}, "drain": drain,
            "apps": here.iter().map(|(app, here)| self.loss(app, *here)).collect::<Vec<_>>(),
        })
    }

    /// The share that an app has here of all that is wanted, of which so many are to be ready at any time.
    fn loss(&self, app: &AppId, here: Here) -> Value {
        let target = self.in_force(app).map(|(_, target)| target);
        json!({"id": app, "instances": here.all, "ready": here.ready,
            "of": target.map_or(0, |target| target.instances), "minimum": target.as_ref().map_or(0, least)})
    }
}

/// The numbers of its tasks, of whatever framework, by the states that any is in.
fn tasks(agent: &KnownAgent) -> Map<String, Value> {
    let is_state = |name: &str| TaskState::from_str_name(name).is_some();
    let counted = agent.more.iter().filter(|(name, count)| is_state(name) && count.as_u64() != Some(0));
    counted.map(|(name, count)| (name.clone(), count.clone())).collect()
}

/// While instances move by themselves, the master knows only that the agent is not to be used.
/// A master that refused to do the rest says why.
fn moving(drain: &Drain) -> Value {
    let (state, until) = match &drain.refused {
        Some(_) => ("REFUSED", None),
        None => ("MOVING", Some(drain.until())),
    };
    json!({"state": state, "since": drain.begun, "until": until, "why": drain.refused,
        "maxGraceSeconds": drain.terms.max_grace_seconds, "markGone": drain.terms.mark_gone})
}

fn drained(info: &DrainInfo, since: Option<f64>) -> Value {
    let grace = info.config.max_grace_period.map(|grace| grace.nanoseconds / 1_000_000_000);
    json!({"state": info.state, "since": since.map(moment), "until": null, "why": null,
        "maxGraceSeconds": grace, "markGone": info.config.mark_gone})
}

fn moment(seconds: f64) -> Timestamp {
    let since_epoch = mesos::duration::from_seconds(seconds).unwrap_or(Duration::ZERO);
    Timestamp::from_millis(0).plus(since_epoch)
}
