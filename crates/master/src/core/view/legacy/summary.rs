//! `/state-summary`: agents and frameworks with how many tasks they have in each state.

use std::collections::{BTreeMap, BTreeSet};

use mesos::v1::{self, TaskState};
use serde::Serialize;

use super::super::super::Core;
use super::super::super::framework::Framework;
use super::entries::Slave;
use super::framework::FrameworkHead;

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
pub(super) struct Summary<'a> {
    hostname: &'a str,
    slaves: Vec<SlaveSummary<'a>>,
    frameworks: Vec<FrameworkSummary<'a>>,
}

#[derive(Serialize)]
struct SlaveSummary<'a> {
    #[serde(flatten)]
    slave: Slave<'a>,
    #[serde(flatten)]
    counts: Counts,
    framework_ids: BTreeSet<&'a str>,
}

#[derive(Serialize)]
struct FrameworkSummary<'a> {
    #[serde(flatten)]
    head: FrameworkHead<'a>,
    #[serde(flatten)]
    counts: Counts,
    slave_ids: BTreeSet<&'a str>,
}

/// What was seen of one agent or one framework.
struct Tally<'a> {
    counts: Counts,
    others: BTreeSet<&'a str>,
}

impl Default for Tally<'_> {
    fn default() -> Self {
        Tally { counts: COUNTED.iter().map(|state| (state.as_str_name(), 0)).collect(), others: BTreeSet::new() }
    }
}

impl<'a> Tally<'a> {
    fn count(&mut self, state: TaskState, other: &'a str) {
        if let Some(count) = self.counts.get_mut(state.as_str_name()) {
            *count += 1;
        }
        self.others.insert(other);
    }
}

impl Core {
    pub(super) fn legacy_summary(&self) -> Summary<'_> {
        let (mut by_agent, mut by_framework) = (BTreeMap::new(), BTreeMap::new());
        for task in self.frameworks.values().flat_map(tasks_of) {
            let (agent, framework) = (task.agent_id.value.as_str(), task.framework_id.value.as_str());
            by_agent.entry(agent).or_insert_with(Tally::default).count(task.state(), framework);
            by_framework.entry(framework).or_insert_with(Tally::default).count(task.state(), agent);
        }
        let slaves = self.agents.values().map(|agent| {
            let Tally { counts, others } = by_agent.remove(agent.id.value.as_str()).unwrap_or_default();
            SlaveSummary { slave: Slave::of(self, agent), counts, framework_ids: others }
        });
        let frameworks = self.frameworks.values().map(|framework| {
            let Tally { counts, others } = by_framework.remove(framework.id.value.as_str()).unwrap_or_default();
            FrameworkSummary { head: FrameworkHead::of(self, framework), counts, slave_ids: others }
        });
        Summary { hostname: &self.identity.hostname, slaves: slaves.collect(), frameworks: frameworks.collect() }
    }
}

fn tasks_of(framework: &Framework) -> impl Iterator<Item = &v1::Task> {
    let live = framework.tasks.values().map(|task| &task.wire);
    live.chain(&framework.unreachable).chain(&framework.completed)
}
