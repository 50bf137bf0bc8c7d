//! All that the scheduler knows and decides, without a socket, a clock or a disk.
//!
//! In: what the master tells ([`updates`], [`offers`]), what scheduler-level checks find ([`checks`]), what people ask for
//! ([`changes`], [`cancel`]), and the time, each with `now`. Out: [`Effects`] to carry out in this order: commit the batch,
//! then send the calls, start and stop checks, and tell the events. After every input, [`Core::settle`] lets the planner say
//! what follows for the apps that were touched.

mod admission;
mod calls;
mod cancel;
mod changes;
mod checks;
mod counters;
mod departures;
mod deploy;
mod fragments;
mod group_view;
pub(crate) mod groups;
mod kills;
mod link;
mod members;
mod metrics;
mod offers;
mod outbox;
mod pod_view;
mod pods;
mod queue;
mod readiness;
mod reconciliation;
mod records;
mod roles;
mod settings;
mod subscribers;
mod unhealthy;
mod updates;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mesos::v1::scheduler::Call;
use store::Batch;

pub(crate) use changes::{Accepted, Kill, Manner, Refusal, Terms};
pub(crate) use checks::{CheckOrder, CheckStart, Finding};
pub(crate) use fragments::AppText;
pub(crate) use group_view::GroupEmbed;
pub(crate) use metrics::Metrics;
pub(crate) use records::{AppRecord, LoadError, Loaded};
pub(crate) use subscribers::Subscribers;
pub(crate) use unhealthy::Pause;
pub(crate) use view::{AppFilter, Embed};

use crate::brake::Brake;
use crate::departed::Departed;
use crate::deployment::Deployment;
use crate::events::{Event, Origin};
use crate::executor::ExecutorCommand;
use crate::ids::{AppId, InstanceId};
use crate::instance::Instance;
use crate::states::States;
use crate::tally::Tally;
use crate::time::Timestamp;
use deploy::counted;
use fragments::Fragments;
use link::Link;
use outbox::Outbox;
use queue::Queue;
use reconciliation::Reconciliation;
use records::Dirty;
use settings::Settings;

/// How often a kill is repeated until the task is over.
const KILL_AGAIN: Duration = Duration::from_secs(30);

/// How long a kill and what is told of its task may be under way at the same time.
const KILL_CROSSES: Duration = Duration::from_secs(1);

/// How often to look whether a start or an end takes too long: often enough for limits of minutes, and seldom enough when
/// ten thousand tasks start or end at once.
const ROUND: Duration = Duration::from_secs(1);

/// How long after a subscription the master may not know of tasks only because their agents have not come back to it: as
/// long as it takes them to notice that it is another one.
const AGENTS_RETURN: Duration = Duration::from_secs(75);

/// What to carry out, in the order of the fields.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// To be on disk before anything else happens.
    pub batch: Batch,
    /// To the master.
    pub calls: Vec<Call>,
    /// To the check engine.
    pub checks: Vec<CheckOrder>,
    /// To whoever listens.
    pub events: Vec<Event>,
    /// Where to post events from now on, if that changed.
    pub subscribers: Option<Subscribers>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Core {
    apps: BTreeMap<AppId, AppRecord>,
    groups: BTreeMap<AppId, groups::GroupRecord>,
    instances: BTreeMap<InstanceId, Instance>,
    /// How many of each app are how far.
    tallies: BTreeMap<AppId, Tally>,
    /// How many tasks of each app are in which state.
    states: BTreeMap<AppId, States>,
    deployments: BTreeMap<String, Deployment>,
    /// Which deployment an app is locked by.
    locks: BTreeMap<AppId, String>,
    link: Link,
    reconciliation: Reconciliation,
    queue: Queue,
    settings: Settings,
    out: Outbox,
    /// By app, instances without a task.
    waiting: BTreeMap<AppId, BTreeSet<InstanceId>>,
    /// Instances that were told to end, and when to tell them again.
    killing: BTreeMap<InstanceId, Timestamp>,
    /// Tasks that no instance stands for.
    departed: Departed,
    /// Instances on agents nobody hears of.
    unreachable: BTreeSet<InstanceId>,
    /// Instances that were launched and do not run yet.
    starting: BTreeSet<InstanceId>,
    brake: Brake,
    /// By app, instances that are unhealthy and not killed for now, because so many were.
    held: BTreeMap<AppId, BTreeSet<InstanceId>>,
    /// Instances whose health checks are paused.
    paused: BTreeSet<InstanceId>,
    /// Tasks with checks of the scheduler.
    checked: BTreeSet<InstanceId>,
    /// Apps the planner has to look at.
    unsettled: BTreeSet<AppId>,
    /// When to look next whether a start or an end takes too long.
    round_at: Timestamp,
    dice: fastrand::Rng,
    dirty: Dirty,
    /// How things look, as long as they look so.
    fragments: Fragments,
    begun: Timestamp,
}

impl Core {
    /// Takes up what was stored. `seed` decides ports.
    pub(crate) fn new(loaded: Loaded, seed: u64, now: Timestamp) -> Core {
        let mut core = Core {
            apps: loaded.apps,
            groups: loaded.groups,
            instances: loaded.instances,
            tallies: BTreeMap::new(),
            states: BTreeMap::new(),
            deployments: loaded.deployments,
            locks: BTreeMap::new(),
            link: Link::new(loaded.framework_id, now),
            reconciliation: Reconciliation::new(now),
            queue: Queue::new(),
            settings: Settings::default(),
            out: Outbox::new(loaded.subscribers),
            waiting: BTreeMap::new(),
            killing: BTreeMap::new(),
            departed: loaded.departed,
            unreachable: BTreeSet::new(),
            starting: BTreeSet::new(),
            brake: Brake::default(),
            held: BTreeMap::new(),
            paused: BTreeSet::new(),
            checked: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            round_at: now,
            dice: fastrand::Rng::with_seed(seed),
            dirty: Dirty::default(),
            fragments: Fragments::default(),
            begun: now,
        };
        core.take_up(now);
        core
    }

    /// The same, with Cygnet's executor, started by this command, for whatever names none.
    pub(crate) fn with_executor_command(mut self, command: Option<&ExecutorCommand>) -> Core {
        self.settings.executor_command = command.cloned();
        self
    }

    /// The same, with this limit on how long a launch may take.
    pub(crate) fn with_task_launch_timeout(mut self, timeout: Duration) -> Core {
        self.settings.task_launch_timeout = timeout;
        self
    }

    fn take_up(&mut self, now: Timestamp) {
        self.unsettled = self.apps.keys().cloned().collect();
        let locks =
            self.deployments.values().flat_map(|one| one.changes.keys().map(|app| (app.clone(), one.id.clone())));
        self.locks = locks.collect();
        self.remember_kills();
        let ids: Vec<_> = self.instances.keys().cloned().collect();
        for id in ids {
            let Some(instance) = self.instances.get(&id) else { continue };
            self.tallies.entry(instance.app.clone()).or_default().add(counted(instance));
            self.states.entry(instance.app.clone()).or_default().add(States::of(instance));
            if let Some(asked) = instance.kill_asked_at {
                self.killing.insert(id.clone(), asked.plus(KILL_AGAIN));
            }
            if instance.checks_paused_until.is_some() {
                self.paused.insert(id.clone());
            }
            self.file(&id);
            self.start_checks(&id, now);
            self.part_with_killed(&id, now);
        }
        self.end_orphans(now);
        self.settle(now);
    }

    fn remember_kills(&mut self) {
        let killed = self.instances.values().filter_map(|found| Some((found.killed_for_health_at?, found.app.clone())));
        let mut killed: Vec<_> = killed.collect();
        killed.sort();
        killed.into_iter().for_each(|(at, app)| self.count_health_kill(&app, at));
    }

    /// The id the master knows us by.
    pub(crate) fn framework_id(&self) -> Option<&str> {
        self.link.framework_id()
    }

    /// Something of this app changed: the planner has to look at it.
    fn touch(&mut self, app: &AppId) {
        self.unsettled.insert(app.clone());
    }

    /// Makes a change that somebody asked for.
    pub(crate) fn asked_by<T>(&mut self, origin: Origin, change: impl FnOnce(&mut Core) -> T) -> T {
        self.out.asked_by(Some(origin));
        let result = change(self);
        self.out.asked_by(None);
        result
    }

    /// Lets everything follow that follows, and hands out what is to be done.
    pub(crate) fn effects(&mut self, now: Timestamp) -> Effects {
        self.settle(now);
        let batch = self.take_batch();
        Effects { batch, ..self.out.take() }
    }

    fn settle(&mut self, now: Timestamp) {
        while let Some(app) = self.unsettled.pop_first() {
            self.settle_app(&app, now);
        }
        if self.link.is_connected() {
            let roles = self.link.tell_roles(|| roles::roles(&self.apps, &self.settings.role));
            let offers = self.queue.ask(self.waiting.keys(), now);
            self.out.call(roles.into_iter().chain(offers));
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if now >= self.round_at {
            self.round_at = now.plus(ROUND);
            self.kill_again(now);
            self.overdue(now);
        }
        self.kill_strays_again(now);
        self.expunge(now);
        self.resume_due(now);
        self.ease(now);
        self.take_back(now);
        self.reconcile_again(now);
    }

    /// When to call [`Core::tick`] next.
    pub(crate) fn wake_at(&self) -> Timestamp {
        let connected = self.link.is_connected();
        let launches = self.queue.next_launch_at(self.waiting.keys()).filter(|_| connected).into_iter();
        let round = (!self.killing.is_empty() || !self.starting.is_empty()).then_some(self.round_at);
        let reconcile = if connected { self.reconciliation.due_at() } else { Timestamp::from_millis(i64::MAX) };
        let expunges = self.given_up_at().map(|(at, _, _)| at);
        let eases =
            self.eases_at().into_iter().chain(self.resumes_at()).chain(self.deadline()).chain(self.departed.due_at());
        launches.chain(round).chain(expunges).chain(eases).chain([reconcile]).min().unwrap_or(reconcile)
    }

    /// All instances of an app. Their ids begin with its name, and so may those of another, `/web.instance-2` of `/web`.
    fn instances_of(&self, app: &AppId) -> impl Iterator<Item = &Instance> + use<'_> {
        let prefix = format!("{}.instance-", app.safe());
        let (first, app) = (InstanceId::new(app, ""), app.clone());
        let named = self.instances.range(first..).take_while(move |(id, _)| id.as_str().starts_with(&prefix));
        named.map(|(_, found)| found).filter(move |found| found.app == app)
    }
}
