//! All instances, and everything they are looked for by. Pure.
//!
//! Invariant: the indexes are what a look at every instance would give. Only [`Instances::change`], [`Instances::add`] and
//! [`Instances::forget`] write; each takes an instance out of all indexes and puts it back as it is then. What they changed
//! is written with the next batch.

use std::collections::{BTreeMap, BTreeSet};

use checks::Verdict;
use store::Batch;

use super::records::write;
use crate::health::Health;
use crate::ids::{AppId, InstanceId};
use crate::instance::{Condition, Goal, Instance};
use crate::plan::{self, Plan, Seen, Stage, Target};
use crate::situation::{Situation, Situations};
use crate::states::States;
use crate::tally::Tally;
use crate::time::{Moment, Now, Timestamp};

#[derive(Debug, Default)]
pub(crate) struct Instances {
    all: BTreeMap<InstanceId, Entry>,
    indexes: Indexes,
    changed: BTreeSet<InstanceId>,
    /// Counts changes of any.
    revision: u64,
    /// The time since when all are ready, if they are.
    ready_since: Option<Timestamp>,
}

/// An instance, and its times on the clock that decides: they follow what its record says by the wall's.
#[derive(Debug)]
struct Entry {
    instance: Instance,
    /// The time at which it entered its condition.
    entered: Moment,
    /// The last sign that its launch goes on: that it began, or a word on how far it is. Nobody stores such words, so
    /// after a restart they are waited for anew.
    goes_on: Moment,
    /// The time at which it was first running.
    started: Option<Moment>,
    /// The time from which on a task is wanted; nothing of one that was launched before a restart.
    wanted: Option<Moment>,
    /// The revision of all instances in which it was last changed.
    revision: u64,
}

impl Entry {
    fn new(instance: Instance, now: Now, revision: u64) -> Entry {
        let started = instance.times.started_at.map(|at| now.moment_of(at));
        let entered = now.moment_of(instance.times.since);
        let wanted = (!instance.has_task()).then_some(entered);
        Entry { entered, goes_on: now.moment, started, wanted, instance, revision }
    }

    fn change<T>(&mut self, now: Moment, change: impl FnOnce(&mut Instance) -> T) -> T {
        let before = (self.instance.condition, self.instance.times.since);
        let incarnation = self.instance.incarnation;
        let result = change(&mut self.instance);
        if self.instance.incarnation != incarnation {
            self.wanted = Some(now);
        }
        if before != (self.instance.condition, self.instance.times.since) {
            (self.entered, self.goes_on) = (now, now);
        }
        self.started = self.instance.times.started_at.map(|_| self.started.unwrap_or(now));
        result
    }
}

/// Indexes of instances. Nothing is kept of an app without instances.
#[derive(Debug, Default, PartialEq)]
struct Indexes {
    /// By app, how many are how far.
    tallies: BTreeMap<AppId, Tally>,
    /// By app, how many tasks are in which state.
    states: BTreeMap<AppId, States>,
    /// By app, how many instances are in which situation.
    situations: BTreeMap<AppId, Situations>,
    /// By app, those without a task.
    waiting: BTreeMap<AppId, BTreeSet<InstanceId>>,
    /// Instances that were launched and do not run yet.
    starting: BTreeSet<InstanceId>,
    /// Instances on agents nobody hears of.
    unreachable: BTreeSet<InstanceId>,
    /// By app, how many are not ready: of an app of which all are, nothing.
    unready: BTreeMap<AppId, usize>,
}

impl Indexes {
    fn put(&mut self, instance: &Instance) {
        let (app, id) = (&instance.app, &instance.id);
        self.tallies.entry(app.clone()).or_default().add(counted(instance));
        self.states.entry(app.clone()).or_default().add(States::of(instance));
        self.situations.entry(app.clone()).or_default().add(Situation::of(instance));
        if !instance.is_ready() {
            *self.unready.entry(app.clone()).or_default() += 1;
        }
        match instance.condition {
            Condition::Scheduled => drop(self.waiting.entry(app.clone()).or_default().insert(id.clone())),
            Condition::Staging | Condition::Starting => drop(self.starting.insert(id.clone())),
            Condition::Unreachable => drop(self.unreachable.insert(id.clone())),
            Condition::Running | Condition::Killing => {}
        }
    }

    fn take(&mut self, instance: &Instance) {
        let (app, id) = (&instance.app, &instance.id);
        if let (Some(tally), Some(states)) = (self.tallies.get_mut(app), self.states.get_mut(app)) {
            tally.remove(counted(instance));
            states.remove(States::of(instance));
            if tally.is_empty() {
                self.tallies.remove(app);
                self.states.remove(app);
                self.situations.remove(app);
            }
        }
        if let Some(situations) = self.situations.get_mut(app) {
            situations.remove(Situation::of(instance));
        }
        if let Some(waiting) = self.waiting.get_mut(app) {
            waiting.remove(id);
            if waiting.is_empty() {
                self.waiting.remove(app);
            }
        }
        self.starting.remove(id);
        self.unreachable.remove(id);
        if !instance.is_ready()
            && let Some(count) = self.unready.get_mut(app)
        {
            *count -= 1;
            if *count == 0 {
                self.unready.remove(app);
            }
        }
    }

    /// From a look at every instance.
    fn of<'a>(all: impl Iterator<Item = &'a Instance>) -> Indexes {
        let mut indexes = Indexes::default();
        all.for_each(|instance| indexes.put(instance));
        indexes
    }
}

impl Instances {
    /// Takes up what was stored.
    pub(super) fn new(all: BTreeMap<InstanceId, Instance>, now: Now) -> Instances {
        let (indexes, changed) = (Indexes::of(all.values()), BTreeSet::new());
        let ready_since = all.values().map(Instance::ready_since).max().filter(|_| indexes.unready.is_empty());
        let all = all.into_iter().map(|(id, instance)| (id, Entry::new(instance, now, 0)));
        Instances { all: all.collect(), indexes, changed, revision: 0, ready_since }
    }

    pub(crate) fn get(&self, id: &InstanceId) -> Option<&Instance> {
        self.all.get(id).map(|entry| &entry.instance)
    }

    /// The instance that has a task of this id.
    pub(crate) fn find(&self, task_id: &str) -> Option<&Instance> {
        let by_task = InstanceId::of_task(task_id).and_then(|id| self.get(&id));
        by_task.filter(|instance| instance.has_task() && instance.owns(task_id))
    }

    /// The time at which an instance entered its condition.
    pub(super) fn entered(&self, id: &InstanceId) -> Option<Moment> {
        self.all.get(id).map(|entry| entry.entered)
    }

    /// The time at which an instance was first running.
    pub(super) fn started(&self, id: &InstanceId) -> Option<Moment> {
        self.all.get(id)?.started
    }

    /// The time from which on a task of an instance is wanted, as far as that is known.
    pub(super) fn wanted(&self, id: &InstanceId) -> Option<Moment> {
        self.all.get(id)?.wanted
    }

    pub(crate) fn values(&self) -> impl ExactSizeIterator<Item = &Instance> {
        self.all.values().map(|entry| &entry.instance)
    }

    pub(super) fn with_task(&self) -> impl Iterator<Item = &Instance> {
        self.values().filter(|found| found.has_task())
    }

    /// All of an app. Their ids begin with its name, and so may those of another, `/web.instance-2` of `/web`.
    pub(crate) fn of(&self, app: &AppId) -> impl Iterator<Item = &Instance> + use<'_> {
        self.revisions_of(app).map(|(instance, _)| instance)
    }

    /// Instances of an app that have a task.
    pub(crate) fn tasks_of(&self, app: &AppId) -> impl Iterator<Item = &Instance> + use<'_> {
        self.of(app).filter(|instance| instance.has_task())
    }

    /// All of an app, each with its revision: as long as that is the same, so is the instance.
    pub(crate) fn revisions_of(&self, app: &AppId) -> impl Iterator<Item = (&Instance, u64)> + use<'_> {
        let prefix = format!("{}.instance-", app.safe());
        let (first, app) = (InstanceId::new(app, ""), app.clone());
        let named = self.all.range(first..).take_while(move |(id, _)| id.as_str().starts_with(&prefix));
        let all = named.map(|(_, entry)| (&entry.instance, entry.revision));
        all.filter(move |(found, _)| found.app == app)
    }

    /// The apps with instances that wait for an offer, and these.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&AppId, &BTreeSet<InstanceId>)> {
        self.indexes.waiting.iter()
    }

    /// The apps with instances that wait for an offer.
    pub(super) fn waiting_apps(&self) -> impl Iterator<Item = &AppId> + Clone {
        self.indexes.waiting.keys()
    }

    pub(super) fn is_waiting(&self, app: &AppId) -> bool {
        self.indexes.waiting.contains_key(app)
    }

    /// Instances that were launched and do not run yet, and since when nothing was heard of them.
    pub(crate) fn starting(&self) -> impl Iterator<Item = (&Instance, Moment)> {
        self.indexes.starting.iter().filter_map(|id| self.all.get(id)).map(|entry| (&entry.instance, entry.goes_on))
    }

    /// Instances on agents nobody hears of, and since when.
    pub(super) fn unreachable(&self) -> impl Iterator<Item = (&Instance, Moment)> {
        self.indexes.unreachable.iter().filter_map(|id| self.all.get(id)).map(|entry| (&entry.instance, entry.entered))
    }

    /// The apps with instances that are not ready, and all of these.
    pub(crate) fn unready(&self) -> impl Iterator<Item = (&AppId, Vec<&Instance>)> {
        let unready_of = |app| self.of(app).filter(|instance| !instance.is_ready()).collect();
        self.indexes.unready.keys().map(move |app| (app, unready_of(app)))
    }

    /// The time since when all instances are ready, if they are.
    pub(crate) fn ready_since(&self) -> Option<Timestamp> {
        self.ready_since
    }

    /// Takes note of the time from which on all are ready.
    pub(super) fn note_readiness(&mut self, now: Timestamp) {
        self.ready_since = self.indexes.unready.is_empty().then(|| self.ready_since.unwrap_or(now));
    }

    /// Counts of an app's tasks by state.
    pub(crate) fn states(&self, app: &AppId) -> States {
        self.indexes.states.get(app).copied().unwrap_or_default()
    }

    /// Counts of an app's instances by situation.
    pub(crate) fn situations(&self, app: &AppId) -> Situations {
        self.indexes.situations.get(app).copied().unwrap_or_default()
    }

    /// The same of all apps.
    pub(crate) fn all_states(&self) -> States {
        self.indexes.states.values().fold(States::default(), |all, states| all.plus(*states))
    }

    /// The number of an app's instances that have a task and are not on their way out.
    pub(crate) fn running(&self, app: &AppId) -> usize {
        self.indexes.tallies.get(app).map_or(0, Tally::running)
    }

    /// The plan for an app: from numbers, if they tell; else from a look at every instance.
    pub(super) fn plan(&self, app: &AppId, target: &Target) -> Plan {
        let nothing = Tally::default();
        let quick = self.indexes.tallies.get(app).unwrap_or(&nothing).plan(target);
        let look = || plan::plan(target, &self.of(app).map(see).collect::<Vec<_>>());
        debug_assert!(quick.as_ref().is_none_or(|quick| *quick == look()), "the tally of {app} is wrong");
        quick.unwrap_or_else(look)
    }

    /// Changes an instance, in any way but its id and its app.
    pub(super) fn change<T>(
        &mut self,
        id: &InstanceId,
        now: Moment,
        change: impl FnOnce(&mut Instance) -> T,
    ) -> Option<T> {
        let entry = self.all.get_mut(id)?;
        self.indexes.take(&entry.instance);
        let result = entry.change(now, change);
        self.revision += 1;
        entry.revision = self.revision;
        self.indexes.put(&entry.instance);
        self.changed.insert(id.clone());
        Some(result)
    }

    pub(super) fn add(&mut self, instance: Instance, now: Now) {
        self.indexes.put(&instance);
        self.changed.insert(instance.id.clone());
        self.revision += 1;
        self.all.insert(instance.id.clone(), Entry::new(instance, now, self.revision));
    }

    pub(super) fn forget(&mut self, id: &InstanceId) -> Option<Instance> {
        let Entry { instance, .. } = self.all.remove(id)?;
        self.indexes.take(&instance);
        self.changed.insert(id.clone());
        Some(instance)
    }

    /// A check succeeded as it did before: worth knowing, not worth writing. Before the verdict it is one of the successes
    /// that are still wanted.
    pub(super) fn still_alive(&mut self, id: &InstanceId, index: usize, now: Timestamp) {
        let Some(entry) = self.all.get_mut(id) else { return };
        let health = entry.instance.checked.health.get_mut(index);
        if let Some(health) = health.filter(|health| health.verdict == Verdict::Healthy) {
            health.succeeded(now);
            self.revision += 1;
            entry.revision = self.revision;
        }
    }

    /// An attempt of a check was told of: worth knowing, not worth writing.
    pub(super) fn looked_at(&mut self, id: &InstanceId, index: usize, note: impl FnOnce(&mut Health)) {
        let Some(entry) = self.all.get_mut(id) else { return };
        if let Some(health) = entry.instance.checked.health.get_mut(index) {
            note(health);
        }
    }

    /// A word on how far the launch of a task is: worth knowing, not worth writing.
    /// `goes_on` is when it was said, if it is a sign that the launch goes on.
    pub(super) fn staging(&mut self, id: &InstanceId, task_id: &str, message: &str, goes_on: Option<Moment>) {
        let Some(entry) = self.all.get_mut(id) else { return };
        entry.goes_on = goes_on.unwrap_or(entry.goes_on);
        if entry.instance.is_told(task_id, message) {
            self.revision += 1;
            entry.revision = self.revision;
        }
    }

    /// Adds what is to be stored.
    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed.fold(batch, |batch, id| write(batch, format!("instance/{id}"), self.get(&id)))
    }

    /// Compares the indexes with a look at every instance.
    #[cfg(test)]
    pub(super) fn assert_whole(&self) {
        assert_eq!(self.indexes, Indexes::of(self.values()));
    }
}

/// The configuration and stage that an instance counts as in its app's tally.
fn counted(instance: &Instance) -> (Option<Timestamp>, Stage) {
    let stage = match instance.condition {
        _ if instance.goal == Goal::Stopped => Stage::Leaving,
        Condition::Unreachable if instance.given_up => Stage::Missing,
        Condition::Unreachable => Stage::Unreachable,
        Condition::Scheduled => Stage::Waiting,
        _ if instance.is_ready() => Stage::Ready,
        _ => Stage::Unready,
    };
    (instance.counts_as(), stage)
}

fn see(instance: &Instance) -> Seen {
    let (config, stage) = counted(instance);
    let since = instance.times.staged_at.unwrap_or(instance.times.since);
    Seen { id: instance.id.clone(), config, stage, worth: worth(instance), since }
}

/// In which order instances that are not ready go, as Marathon has it, but that sick ones go first.
fn worth(instance: &Instance) -> u8 {
    match instance.condition {
        _ if instance.checked.verdict() == Verdict::Unhealthy => 0,
        Condition::Unreachable => 1,
        Condition::Scheduled | Condition::Staging => 2,
        Condition::Starting => 3,
        Condition::Running | Condition::Killing => 4,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::definition::RunSpec;

    const CONDITIONS: [Condition; 6] = [
        Condition::Scheduled,
        Condition::Staging,
        Condition::Starting,
        Condition::Running,
        Condition::Killing,
        Condition::Unreachable,
    ];

    fn id(app: &RunSpec, number: u8) -> InstanceId {
        InstanceId::new(&app.id, &number.to_string())
    }

    proptest! {
        #[test]
        fn indexes_are_what_a_look_at_every_instance_gives(
            steps in proptest::collection::vec((0usize..2, 0u8..4, 0usize..8, any::<bool>()), 0..60)
        ) {
            let at = Timestamp::from_millis;
            let now = Now { moment: Moment::default(), wall: at(0) };
            let apps = ["/a", "/a.instance-1"].map(|name| RunSpec::new(AppId::new(name), at(0)));
            let mut instances = Instances::default();
            for (app, number, step, leaves) in steps {
                let id = id(&apps[app], number);
                match (step, instances.get(&id).is_some()) {
                    (_, false) => instances.add(Instance::scheduled(id.clone(), &apps[app], at(0)), now),
                    (6, true) => drop(instances.forget(&id)),
                    (7, true) => drop(instances.change(&id, now.moment, |found| found.reincarnate(&apps[app], at(1)))),
                    (condition, true) => drop(instances.change(&id, now.moment, |found| {
                        found.condition = CONDITIONS[condition];
                        found.goal = if leaves { Goal::Stopped } else { Goal::Running };
                    })),
                }
                instances.assert_whole();
                let all: usize = apps.iter().map(|app| instances.of(&app.id).count()).sum();
                prop_assert_eq!(all, instances.values().len());
                prop_assert!(instances.changed.contains(&id));
            }
            let changed = instances.changed.len();
            prop_assert_eq!(instances.write(Batch::default()).len(), changed);
            prop_assert!(instances.write(Batch::default()).is_empty());
        }
    }
}
