//! Agents that are emptied, until the master has taken that over. Mesos ends all that runs on an agent at once; so that apps
//! keep their minimum, instances move first, at the pace of their upgradeStrategy: the agent is offered no more, and to the
//! planner they are as outdated. Once none is left, or the time for it is over, the master is told to drain. Pure.
//!
//! A master that refuses is not asked again; the drain stays, with its reason, until somebody takes it back or begins another.
//!
//! Invariants: an instance moves exactly while it has a task on an agent that is here; while the master is asked nobody takes
//! a drain back; what is changed is written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use store::Batch;

use super::records::write;
use super::{Core, Refusal};
use crate::drain::{Drain, HandOver, Terms};
use crate::ids::InstanceId;
use crate::time::{Moment, Now};

/// The time after which a master that did not take it over is asked again.
const RETRY: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Drains {
    /// By the agents' ids.
    all: BTreeMap<String, Entry>,
    changed: BTreeSet<String>,
}

#[derive(Debug)]
struct Entry {
    drain: Drain,
    /// The instances that were there, but for those that are known to have left.
    left: BTreeSet<InstanceId>,
    until: Moment,
    handing_over: HandingOver,
}

/// The state of the master's taking it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HandingOver {
    /// It is not asked yet, and not before this time.
    From(Moment),
    /// It is asked.
    Asked,
}

impl Drains {
    /// Takes up what was stored.
    pub(super) fn new(stored: Vec<Drain>, now: Now) -> Drains {
        let all = stored.into_iter().map(|drain| (drain.agent_id.clone(), Entry::new(drain, now)));
        Drains { all: all.collect(), changed: BTreeSet::new() }
    }

    pub(crate) fn of(&self, agent_id: &str) -> Option<&Drain> {
        self.all.get(agent_id).map(|entry| &entry.drain)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Drain> {
        self.all.values().map(|entry| &entry.drain)
    }

    fn begin(&mut self, drain: Drain, now: Now) {
        self.changed.insert(drain.agent_id.clone());
        self.all.insert(drain.agent_id.clone(), Entry::new(drain, now));
    }

    fn end(&mut self, agent_id: &str) {
        self.changed.insert(agent_id.to_owned());
        self.all.remove(agent_id);
    }

    fn refuse(&mut self, agent_id: &str, why: String) {
        if let Some(entry) = self.all.get_mut(agent_id) {
            entry.drain.refused = Some(why);
            self.changed.insert(agent_id.to_owned());
        }
    }

    /// Refuses to change a drain that the master is being told of: nobody can say whether it has begun.
    fn check_unasked(&self, agent_id: &str) -> Result<(), Refusal> {
        let is_asked = self.all.get(agent_id).is_some_and(|entry| entry.handing_over == HandingOver::Asked);
        if is_asked { Err(Refusal::HandingOver(agent_id.to_owned())) } else { Ok(()) }
    }

    /// The time to look next whether the master is to be asked.
    pub(super) fn due_at(&self) -> Option<Moment> {
        self.all.values().filter_map(Entry::due_at).min()
    }

    /// Adds what is to be stored.
    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed.fold(batch, |batch, id| write(batch, format!("drain/{id}"), self.of(&id)))
    }
}

impl Entry {
    fn new(drain: Drain, now: Now) -> Entry {
        let until = now.moment_until(drain.until());
        Entry { drain, left: BTreeSet::new(), until, handing_over: HandingOver::From(now.moment) }
    }

    fn due_at(&self) -> Option<Moment> {
        match self.handing_over {
            _ if self.drain.refused.is_some() => None,
            HandingOver::Asked => None,
            HandingOver::From(time) if self.left.is_empty() => Some(time),
            HandingOver::From(time) => Some(time.max(self.until)),
        }
    }
}

impl Core {
    /// An agent, which is offered no more, is to be emptied; or in another manner than it is already.
    pub(crate) fn drain(&mut self, agent_id: &str, terms: Terms, now: Now) -> Result<(), Refusal> {
        self.drains.check_unasked(agent_id)?;
        let under_way = self.drains.of(agent_id).filter(|drain| drain.refused.is_none());
        let begun = under_way.map_or(now.wall, |drain| drain.begun);
        tracing::info!(agent_id, ?terms, "draining: instances move to other agents");
        self.drains.begin(Drain { agent_id: agent_id.to_owned(), terms, begun, refused: None }, now);
        self.move_from(agent_id, now);
        Ok(())
    }

    /// An agent is to be used again.
    pub(crate) fn undrain(&mut self, agent_id: &str, now: Now) -> Result<(), Refusal> {
        self.drains.check_unasked(agent_id)?;
        for id in &self.there(agent_id) {
            self.change(id, now, |instance| instance.moving.end());
        }
        self.drains.end(agent_id);
        Ok(())
    }

    /// The master was told to empty the agent.
    pub(crate) fn handed_over(&mut self, agent_id: &str, outcome: HandOver, now: Now) {
        // What was read from the disk again is asked for again.
        let asked = self.drains.all.get_mut(agent_id).filter(|entry| entry.handing_over == HandingOver::Asked);
        let Some(entry) = asked else { return };
        entry.handing_over = HandingOver::From(now.moment.plus(RETRY));
        match outcome {
            HandOver::Taken => self.drains.end(agent_id),
            HandOver::Refused(why) => self.drains.refuse(agent_id, why),
            HandOver::Unanswered => {}
        }
    }

    /// Takes up again what was under way.
    pub(super) fn move_again(&mut self, now: Now) {
        let agents: Vec<_> = self.drains.all.keys().cloned().collect();
        agents.iter().for_each(|agent_id| self.move_from(agent_id, now));
    }

    /// The instances that have a task on an agent.
    fn there(&self, agent_id: &str) -> BTreeSet<InstanceId> {
        let there = self.instances.values().filter(|found| found.has_task());
        there.filter(|found| found.place.agent_id.as_deref() == Some(agent_id)).map(|found| found.id.clone()).collect()
    }

    fn move_from(&mut self, agent_id: &str, now: Now) {
        let there = self.there(agent_id);
        for id in &there {
            self.change(id, now, |instance| instance.moving.begin());
        }
        if let Some(entry) = self.drains.all.get_mut(agent_id) {
            entry.left = there;
        }
    }

    /// Hands agents over to the master on which no instance is left, or from which they had time enough to move.
    pub(super) fn hand_over(&mut self, now: Now) {
        for entry in self.drains.all.values_mut() {
            entry.left.retain(|id| self.instances.get(id).is_some_and(|instance| instance.moving.is_under_way()));
            if entry.due_at().is_some_and(|due| due <= now.moment) {
                entry.handing_over = HandingOver::Asked;
                tracing::info!(agent_id = entry.drain.agent_id, left = entry.left.len(), "the master drains the rest");
                self.out.hand_over([entry.drain.clone()]);
            }
        }
    }
}
