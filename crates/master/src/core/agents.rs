//! The agents: those that are here, those that are away or gone, and what operators said about them.
//!
//! An agent is here or absent, never both; of the absent, those given up and those gone are bounded in number. What was
//! said about an agent survives its absence, and is forgotten with the agent.

use std::collections::BTreeMap;
use std::time::Duration;

use super::agent::Agent;
use crate::ids::{AgentId, StreamId};
use crate::memory::{Absent, Standing};

/// See the module's words.
#[derive(Debug)]
pub(super) struct Agents {
    here: BTreeMap<AgentId, Agent>,
    absent: Absent,
    standings: BTreeMap<AgentId, Standing>,
    /// The number of the next new agent.
    next: u64,
    /// Of each kind of absence.
    max_absent: usize,
}

impl Agents {
    pub(super) fn new(absent: Absent, standings: BTreeMap<AgentId, Standing>, max_absent: usize) -> Self {
        Agents { here: BTreeMap::new(), absent, standings, next: 0, max_absent }
    }

    pub(super) fn get(&self, id: &AgentId) -> Option<&Agent> {
        self.here.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &AgentId) -> Option<&mut Agent> {
        self.here.get_mut(id)
    }

    pub(super) fn contains(&self, id: &AgentId) -> bool {
        self.here.contains_key(id)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Agent> {
        self.here.values()
    }

    pub(super) fn len(&self) -> usize {
        self.here.len()
    }

    pub(super) fn ids(&self) -> Vec<AgentId> {
        self.here.keys().cloned().collect()
    }

    pub(super) fn behind(&mut self, stream: &StreamId) -> Option<&mut Agent> {
        self.here.values_mut().find(|agent| agent.stream() == Some(stream))
    }

    pub(super) fn absent(&self) -> &Absent {
        &self.absent
    }

    pub(super) fn standing(&self, id: &AgentId) -> Option<&Standing> {
        self.standings.get(id)
    }

    /// Whether it is here, away, or gone.
    pub(super) fn knows(&self, id: &AgentId) -> bool {
        self.contains(id) || self.absent.knows(id)
    }

    /// `<master id>-S<n>`, never one that somebody claims to have.
    pub(super) fn next_id(&mut self, master: &str) -> AgentId {
        loop {
            let id = AgentId::from(format!("{master}-S{}", self.next));
            self.next += 1;
            if !self.knows(&id) {
                return id;
            }
        }
    }

    /// The agent as it is here, or this one from now on; it is no longer absent. Says whether it had been given up.
    pub(super) fn enter(&mut self, fresh: Agent) -> (&mut Agent, bool) {
        self.absent.recovered.remove(&fresh.id);
        let was_unreachable = self.absent.unreachable.remove(&fresh.id).is_some();
        (self.here.entry(fresh.id.clone()).or_insert(fresh), was_unreachable)
    }

    pub(super) fn leave(&mut self, id: &AgentId) {
        self.here.remove(id);
    }

    /// The next one that did not come back after the master's restart.
    pub(super) fn take_recovered(&mut self) -> Option<AgentId> {
        self.absent.recovered.pop_first().map(|(id, _)| id)
    }

    /// It was given up at this moment since the UNIX epoch. Returns who is forgotten because of that.
    pub(super) fn mark_unreachable(&mut self, id: AgentId, since: Duration) -> Option<AgentId> {
        self.absent.unreachable.insert(id, since);
        drop_oldest(&mut self.absent.unreachable, self.max_absent)
    }

    /// It never comes back. Returns who is forgotten because of that.
    pub(super) fn mark_gone(&mut self, id: AgentId, since: Duration) -> Option<AgentId> {
        self.absent.recovered.remove(&id);
        self.absent.unreachable.remove(&id);
        self.absent.gone.insert(id, since);
        drop_oldest(&mut self.absent.gone, self.max_absent)
    }

    /// Forgets those that have been away or gone since before this moment, and returns them.
    pub(super) fn forget_absent(&mut self, before: Duration) -> Vec<AgentId> {
        let all = self.absent.unreachable.iter().chain(&self.absent.gone);
        let old: Vec<_> = all.filter(|(_, since)| **since < before).map(|(id, _)| id.clone()).collect();
        self.absent.unreachable.retain(|_, since| *since >= before);
        self.absent.gone.retain(|_, since| *since >= before);
        old
    }

    pub(super) fn set_standing(&mut self, id: &AgentId, standing: Standing) {
        if standing == Standing::default() {
            self.standings.remove(id);
        } else {
            self.standings.insert(id.clone(), standing);
        }
    }

    /// Whether there was anything to forget.
    pub(super) fn forget_standing(&mut self, id: &AgentId) -> bool {
        self.standings.remove(id).is_some()
    }
}

fn drop_oldest(remembered: &mut BTreeMap<AgentId, Duration>, limit: usize) -> Option<AgentId> {
    let oldest = remembered.iter().min_by_key(|(_, since)| **since).map(|(id, _)| id.clone());
    let oldest = oldest.filter(|_| remembered.len() > limit)?;
    remembered.remove(&oldest);
    Some(oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str) -> Agent {
        let (info, total) = (mesos::v1::AgentInfo::default(), mesos::resources::Resources::default());
        Agent::new(id.into(), info, total, StreamId::new("s"), Duration::ZERO)
    }

    #[test]
    fn an_agent_is_here_or_absent_never_both() {
        let mut agents = Agents::new(Absent::default(), BTreeMap::new(), 2);
        agents.enter(agent("a"));
        agents.leave(&"a".into());
        assert_eq!(agents.mark_unreachable("a".into(), Duration::from_secs(1)), None);
        assert!(agents.knows(&"a".into()) && !agents.contains(&"a".into()));
        assert!(agents.enter(agent("a")).1 && !agents.absent().knows(&"a".into()));
        agents.leave(&"a".into());
        agents.mark_unreachable("a".into(), Duration::from_secs(1));
        agents.mark_gone("a".into(), Duration::from_secs(2));
        assert!(!agents.absent().may_return(&"a".into()) && agents.absent().gone.contains_key(&"a".into()));
    }

    #[test]
    fn the_longest_absence_makes_room() {
        let mut agents = Agents::new(Absent::default(), BTreeMap::new(), 2);
        let mut mark = |id: &str, seconds| agents.mark_unreachable(id.into(), Duration::from_secs(seconds));
        assert_eq!((mark("a", 3), mark("b", 2), mark("c", 4)), (None, None, Some("b".into())));
        assert_eq!(agents.forget_absent(Duration::from_secs(4)), ["a".into()]);
    }
}
