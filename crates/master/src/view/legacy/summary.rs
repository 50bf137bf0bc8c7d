//! `/state-summary`: agents and frameworks with how many tasks they have in each state.

use std::collections::{BTreeMap, BTreeSet};

use mesos::v1::TaskState;
use serde::Serialize;

use super::super::pieces::{self, Object};
use super::entries::Slave;
use super::framework::FrameworkHead;
use crate::core::Snapshot;

/// The states that are counted, in the order they are shown.
const COUNTED: [TaskState; 10] = [
    TaskState::TaskStaging,
    TaskState::TaskStarting,
    TaskState::TaskRunning,
    TaskState::TaskKilling,
    TaskState::TaskFinished,
    TaskState::TaskKilled,
    TaskState::TaskFailed,
    TaskState::TaskLost,
    TaskState::TaskError,
    TaskState::TaskUnreachable,
];

type Counts = BTreeMap<&'static str, u64>;

#[derive(Serialize)]
struct SlaveSummary<'a> {
    #[serde(flatten)]
    slave: Slave<'a>,
    #[serde(flatten)]
    counts: Counts,
    framework_ids: BTreeSet<String>,
}

#[derive(Serialize)]
struct FrameworkSummary<'a> {
    #[serde(flatten)]
    head: FrameworkHead<'a>,
    #[serde(flatten)]
    counts: Counts,
    slave_ids: BTreeSet<String>,
}

/// The tasks seen of one agent or one framework.
struct Tally {
    counts: Counts,
    others: BTreeSet<String>,
}

impl Default for Tally {
    fn default() -> Self {
        Tally { counts: COUNTED.iter().map(|state| (state.as_str_name(), 0)).collect(), others: BTreeSet::new() }
    }
}

impl Tally {
    fn count(&mut self, state: TaskState, other: &str) {
        if let Some(count) = self.counts.get_mut(state.as_str_name()) {
            *count += 1;
        }
        if !self.others.contains(other) {
            self.others.insert(other.to_owned());
        }
    }
}

pub(crate) fn summary(snapshot: Snapshot) -> Object {
    let (mut by_agent, mut by_framework) = tally(&snapshot);
    let slaves = snapshot.agents.into_iter().map(move |agent| {
        let Tally { counts, others } = by_agent.remove(&agent.id.value).unwrap_or_default();
        pieces::json(&SlaveSummary { slave: Slave::of(&agent), counts, framework_ids: others })
    });
    let frameworks = snapshot.frameworks.into_iter().map(move |framework| {
        let Tally { counts, others } = by_framework.remove(&framework.id.value).unwrap_or_default();
        pieces::json(&FrameworkSummary { head: FrameworkHead::of(&framework), counts, slave_ids: others })
    });
    Object::new().member("hostname", &snapshot.identity.hostname).list("slaves", slaves).list("frameworks", frameworks)
}

/// By agent, and by framework.
fn tally(snapshot: &Snapshot) -> (BTreeMap<String, Tally>, BTreeMap<String, Tally>) {
    let (mut by_agent, mut by_framework) = (BTreeMap::<String, Tally>::new(), BTreeMap::<String, Tally>::new());
    for framework in &snapshot.frameworks {
        let id = framework.id.value.as_str();
        for task in framework.tasks.all() {
            let agent = task.agent().value.as_str();
            by_framework.entry(id.to_owned()).or_default().count(task.state(), agent);
            match by_agent.get_mut(agent) {
                Some(tally) => tally.count(task.state(), id),
                None => by_agent.entry(agent.to_owned()).or_default().count(task.state(), id),
            }
        }
    }
    (by_agent, by_framework)
}
