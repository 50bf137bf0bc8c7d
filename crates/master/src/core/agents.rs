//! Every agent the master knows: those that are here, those it only remembers, and what operators said about them.

mod agent;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mesos::resources::Resources;
use mesos::v1::ExecutorInfo;

pub(crate) use agent::{Agent, NextPing, Program};
pub(crate) use work::Work;

use crate::ids::{AgentId, ExecutorId, FrameworkId, StreamId, TaskId};
use crate::memory::{Absent, Standing};

/// Agents by their ids. An agent is in one place: here, recovered, unreachable or gone. A standing is kept only where
/// an operator said something. Of the unreachable and of the gone, the oldest are forgotten beyond a limit.
#[derive(Debug, Default)]
pub(super) struct Agents {
    /// `<master id>-S`.
    prefix: String,
    next: u64,
    here: BTreeMap<AgentId, Agent>,
    absent: Absent,
    max_absent: usize,
    standings: BTreeMap<AgentId, Standing>,
    /// Agents known at the start, until those that stay away have been looked at.
    expected: Option<usize>,
}

impl Agents {
    pub(super) fn new(
        master: &str,
        absent: Absent,
        standings: BTreeMap<AgentId, Standing>,
        max_absent: usize,
    ) -> Agents {
        let (prefix, expected) = (format!("{master}-S"), Some(absent.recovered.len()));
        Agents { prefix, absent, max_absent, standings, expected, ..Agents::default() }
    }

    /// `<master id>-S<n>`, never one that somebody claims to have.
    pub(super) fn next_id(&mut self) -> AgentId {
        loop {
            let id = AgentId::from(format!("{}{}", self.prefix, self.next));
            self.next += 1;
            if !self.is_known(&id) {
                return id;
            }
        }
    }

    /// The agent is here from now on, with the work it has in the books if it was here before.
    pub(super) fn arrive(&mut self, mut agent: Agent) {
        self.absent.forget(agent.id());
        if let Some(older) = self.here.remove(agent.id()) {
            agent.succeed(older);
        }
        self.here.insert(agent.id().clone(), agent);
    }

    /// The agent is not here any more, and not remembered.
    pub(super) fn remove(&mut self, id: &AgentId) {
        self.here.remove(id);
        self.absent.forget(id);
    }

    /// The agent was given up at this moment since the UNIX epoch. Returns another one that is forgotten instead.
    pub(super) fn mark_unreachable(&mut self, id: &AgentId, since: Duration) -> Option<AgentId> {
        self.remove(id);
        self.absent.unreachable.insert(id.clone(), since);
        forget_oldest(&mut self.absent.unreachable, self.max_absent)
    }

    /// The agent is gone since this moment since the UNIX epoch. Returns another one that is forgotten instead.
    pub(super) fn mark_gone(&mut self, id: &AgentId, since: Duration) -> Option<AgentId> {
        self.remove(id);
        self.absent.gone.insert(id.clone(), since);
        forget_oldest(&mut self.absent.gone, self.max_absent)
    }

    /// Forgets the agents that have been away since before this moment since the UNIX epoch.
    pub(super) fn forget_absent(&mut self, before: Duration) -> Vec<AgentId> {
        let away = self.absent.unreachable.iter().chain(&self.absent.gone);
        let old: Vec<AgentId> = away.filter(|(_, since)| **since < before).map(|(id, _)| id.clone()).collect();
        old.iter().for_each(|id| self.absent.forget(id));
        old
    }

    pub(super) fn contains(&self, id: &AgentId) -> bool {
        self.here.contains_key(id)
    }

    pub(super) fn get(&self, id: &AgentId) -> Option<&Agent> {
        self.here.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &AgentId) -> Option<&mut Agent> {
        self.here.get_mut(id)
    }

    pub(super) fn here(&self) -> impl ExactSizeIterator<Item = &Agent> {
        self.here.values()
    }

    pub(super) fn ids(&self) -> Vec<AgentId> {
        self.here.keys().cloned().collect()
    }

    pub(super) fn on_stream(&mut self, stream: &StreamId) -> Option<&mut Agent> {
        self.here.values_mut().find(|agent| agent.stream() == Some(stream))
    }

    pub(super) fn at(&self, pid: &str) -> Option<AgentId> {
        self.here().find(|agent| agent.program().pid == pid).map(|agent| agent.id().clone())
    }

    /// True if anything is known of the agent, be it that it is gone.
    pub(super) fn is_known(&self, id: &AgentId) -> bool {
        self.contains(id) || self.absent.may_return(id) || self.absent.gone.contains_key(id)
    }

    pub(super) fn absent(&self) -> &Absent {
        &self.absent
    }

    /// True if this agent, or any if none is named, was there before the restart and has not come back yet.
    pub(super) fn is_recovered(&self, id: Option<&AgentId>) -> bool {
        id.map_or(!self.absent.recovered.is_empty(), |id| self.absent.recovered.contains_key(id))
    }

    pub(super) fn expected(&self) -> Option<usize> {
        self.expected
    }

    pub(super) fn expect_no_more(&mut self) {
        self.expected = None;
    }

    pub(super) fn standing(&self, id: &AgentId) -> Option<&Standing> {
        self.standings.get(id)
    }

    pub(super) fn set_standing(&mut self, id: &AgentId, standing: Standing) {
        if standing == Standing::default() {
            self.standings.remove(id);
        } else {
            self.standings.insert(id.clone(), standing);
        }
    }

    /// True if the agent is here and in use.
    pub(super) fn is_active(&self, agent: &Agent) -> bool {
        agent.is_connected() && !self.standing(agent.id()).is_some_and(|standing| standing.deactivated)
    }

    pub(super) fn is_draining(&self, id: &AgentId) -> bool {
        self.standing(id).is_some_and(Standing::is_draining)
    }

    pub(super) fn tasks_on(&self, id: &AgentId) -> Vec<(FrameworkId, TaskId)> {
        let tasks = self.get(id).into_iter().flat_map(|agent| agent.work().tasks());
        tasks.flat_map(|(framework, tasks)| tasks.iter().map(|task| (framework.clone(), task.clone()))).collect()
    }

    pub(super) fn executors_on(&self, id: &AgentId) -> Vec<(FrameworkId, ExecutorId)> {
        let executors = self.get(id).into_iter().flat_map(|agent| agent.work().executors());
        executors.map(|(of, executor)| (of.clone(), executor.executor_id.clone())).collect()
    }

    /// Agents with tasks or executors of the framework.
    pub(super) fn with_work_of(&self, framework: &FrameworkId) -> Vec<AgentId> {
        self.here().filter(|agent| agent.work().is_of(framework)).map(|agent| agent.id().clone()).collect()
    }

    /// Executors of a framework's own, with where they run.
    pub(super) fn executors_of(&self, framework: &FrameworkId) -> Vec<(AgentId, Arc<ExecutorInfo>)> {
        let on = |agent: &'_ Agent| {
            let executors = agent.work().executors_of(framework);
            executors.map(|info| (agent.id().clone(), info.clone())).collect::<Vec<_>>()
        };
        self.here().flat_map(on).collect()
    }

    /// The holdings of a framework's tasks and executors.
    pub(super) fn used_by(&self, framework: &FrameworkId) -> Resources {
        self.here().filter_map(|agent| agent.work().used().get(framework)).sum()
    }

    /// The holdings of each framework on each agent.
    pub(super) fn used(&self) -> impl Iterator<Item = &Resources> {
        self.here().flat_map(|agent| agent.work().used().values())
    }
}

/// Keeps the memory of absent agents bounded.
fn forget_oldest(remembered: &mut BTreeMap<AgentId, Duration>, limit: usize) -> Option<AgentId> {
    if remembered.len() <= limit {
        return None;
    }
    let oldest = remembered.iter().min_by_key(|(_, since)| **since).map(|(id, _)| id.clone())?;
    remembered.remove(&oldest);
    Some(oldest)
}

#[cfg(test)]
mod tests {
    use mesos::v1::cygnet::agent_call::Subscribe;
    use shell::Now;

    use super::*;

    fn places(agents: &Agents, id: &AgentId) -> [bool; 4] {
        [
            agents.contains(id),
            agents.is_recovered(Some(id)),
            agents.absent().unreachable.contains_key(id),
            agents.absent().gone.contains_key(id),
        ]
    }

    #[test]
    fn an_agent_is_in_one_place() {
        let second = Duration::from_secs;
        let id = AgentId::from("X-S0");
        let absent = Absent { recovered: [(id.clone(), Arc::default())].into(), ..Absent::default() };
        let mut agents = Agents::new("M", absent, BTreeMap::new(), 1);
        assert_eq!(places(&agents, &id), [false, true, false, false]);
        agents.mark_unreachable(&id, second(1));
        assert_eq!(places(&agents, &id), [false, false, true, false]);
        let now = Now { elapsed: second(2), unix: second(2) };
        let reached = (StreamId::new("s"), Resources::default());
        agents.arrive(Agent::new(id.clone(), &Subscribe::default(), reached, (now, second(3))));
        assert_eq!(places(&agents, &id), [true, false, false, false]);
        agents.mark_gone(&id, second(3));
        assert_eq!(places(&agents, &id), [false, false, false, true]);
        assert_eq!(agents.mark_gone(&AgentId::from("X-S1"), second(4)), Some(id.clone()));
        assert!(!agents.is_known(&id) && agents.is_known(&AgentId::from("X-S1")));
        assert_eq!(agents.forget_absent(second(5)), [AgentId::from("X-S1")]);
    }

    #[test]
    fn the_longest_absence_makes_room() {
        let mut agents = Agents::new("M", Absent::default(), BTreeMap::new(), 2);
        let mut mark = |id: &str, seconds| agents.mark_unreachable(&id.into(), Duration::from_secs(seconds));
        assert_eq!((mark("a", 3), mark("b", 2), mark("c", 4)), (None, None, Some("b".into())));
        assert_eq!(agents.forget_absent(Duration::from_secs(4)), ["a".into()]);
    }
}
