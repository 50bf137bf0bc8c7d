//! All that the scheduler knows and decides, without a socket, a clock or a disk.
//!
//! In: what the master tells ([`updates`], [`offers`]), what scheduler-level checks find ([`checks`]), what people ask for
//! ([`changes`], [`cancel`]), and the time, each with `now`. Out: [`Effects`] to carry out in this order: commit the batch,
//! then send the calls, start and stop checks, and tell the events. After every input, [`Core::settle`] lets the planner say
//! what follows for the apps that were touched.

mod adoption;
mod asking;
mod calls;
mod cancel;
mod changes;
mod checking;
mod checks;
mod counters;
mod definitions;
mod deploy;
mod drains;
mod ending;
mod endings;
mod figures;
mod groups;
mod instances;
mod kills;
mod lateness;
mod link;
mod members;
mod offers;
mod outbox;
mod past;
mod pods;
mod proposals;
mod queue;
mod readiness;
mod reconciliation;
mod records;
mod rollouts;
mod settings;
mod subscribers;
mod undo;
mod unhealthy;
mod updates;
mod view;
mod whereabouts;

#[cfg(test)]
mod tests;

use std::time::Duration;

use mesos::v1::scheduler::Call;
use store::Batch;

pub(crate) use asking::{Asked as Checkable, Question};
pub(crate) use changes::{Accepted, Kill, Manner, Terms};
#[cfg(test)]
pub(crate) use checks::Asked;
pub(crate) use checks::{CheckOrder, CheckStart, Finding};
pub(crate) use figures::AppFigures;
pub(crate) use lateness::{Lack, LateQuestion, Told as ToldOfChecks, Unchecked, Untelling, checked_at};
pub(crate) use past::{How, Past};
pub(crate) use proposals::{Asked as Proposed, Proposal};
pub(crate) use records::{AppRecord, GroupVersion, LoadError, Loaded};
pub(crate) use settings::{LaunchSettings, Settings};
pub(crate) use subscribers::Subscribers;
pub(crate) use undo::Undoing;
pub(crate) use unhealthy::Pause;
pub(crate) use view::View;
pub(crate) use whereabouts::{Life, Whereabouts};

use crate::brake::Brake;
use crate::drain::Drain;
use crate::events::{Event, Origin};
use crate::ids::{AppId, InstanceId};
use crate::instance::Instance;
use crate::refusal::Refusal;
use crate::time::{Moment, Now};
use checking::Checking;
use definitions::Definitions;
use drains::Drains;
use endings::Endings;
use figures::Figures;
use instances::Instances;
use kills::Kills;
use lateness::Lateness;
use link::Link;
use outbox::Outbox;
use past::PastDeployments;
use queue::Queue;
use reconciliation::Reconciliation;
use rollouts::Rollouts;

/// The time after a subscription in which the master may not know of tasks only because their agents have not come back to
/// it: as long as it takes them to notice that it is another one.
const AGENTS_RETURN: Duration = Duration::from_secs(75);

/// Actions to carry out, in the order of the fields.
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
    /// Agents that the master is to empty.
    pub drains: Vec<Drain>,
    /// To agents, because somebody looks.
    pub questions: Vec<LateQuestion>,
    /// The URLs to post events to from now on, if they changed.
    pub subscribers: Option<Subscribers>,
}

#[derive(Debug)]
pub(crate) struct Core {
    definitions: Definitions,
    instances: Instances,
    endings: Endings,
    figures: Figures,
    rollouts: Rollouts,
    past: PastDeployments,
    link: Link,
    reconciliation: Reconciliation,
    queue: Queue,
    launches: LaunchSettings,
    out: Outbox,
    kills: Kills,
    brake: Brake,
    checking: Checking,
    drains: Drains,
    lateness: Lateness,
}

impl Core {
    /// Takes up what was stored. `seed` decides ports.
    pub(crate) fn new(loaded: Loaded, settings: Settings, seed: u64, now: Now) -> Core {
        let mut core = Core {
            definitions: Definitions::new(loaded.apps, loaded.groups, settings.role, settings.default_network_name),
            instances: Instances::new(loaded.instances, now),
            endings: Endings::new(loaded.endings),
            figures: Figures::default(),
            rollouts: Rollouts::new(loaded.deployments, now),
            past: PastDeployments::new(loaded.past),
            link: Link::new(loaded.framework_id, now.moment),
            reconciliation: Reconciliation::new(now.moment),
            queue: Queue::new(seed),
            out: Outbox::new(loaded.subscribers, now.moment),
            kills: Kills::new(loaded.departed, now.moment),
            brake: Brake::new(settings.brake),
            checking: Checking::default(),
            lateness: Lateness::default(),
            drains: Drains::new(loaded.drains, now),
            launches: settings.launches,
        };
        core.out.subscribe_all(&settings.subscribers);
        core.take_up(now);
        core
    }

    fn take_up(&mut self, now: Now) {
        self.definitions.records().for_each(|record| self.rollouts.touch(&record.app.id));
        self.remember_kills(now);
        let ids: Vec<_> = self.instances.values().map(|instance| instance.id.clone()).collect();
        for id in ids {
            let Some(instance) = self.instances.get(&id) else { continue };
            if let Some(asked) = instance.killed.asked_at() {
                self.kills.told(&id, now.moment_of(asked));
            }
            if let Some(paused) = instance.checked.paused {
                self.checking.pause(&id, paused.until().map(|until| now.moment_until(until)));
            }
            self.start_checks(&id, now);
            self.part_with_killed(&id, now);
        }
        self.end_orphans(now);
        self.move_again(now);
        self.settle(now);
    }

    fn remember_kills(&mut self, now: Now) {
        let at = |found: &Instance| Some((now.moment_of(found.killed.last_for_health()?), found.app.clone()));
        let killed = self.instances.values().filter_map(at);
        let mut killed: Vec<_> = killed.collect();
        killed.sort();
        killed.into_iter().for_each(|(at, app)| self.count_health_kill(&app, at));
    }

    /// The id and roles to subscribe with.
    pub(crate) fn registration(&mut self) -> (Option<String>, Vec<String>) {
        self.link.registration(self.definitions.roles())
    }

    /// Makes a change that somebody asked for.
    pub(crate) fn asked_by<T>(&mut self, origin: Origin, change: impl FnOnce(&mut Core) -> T) -> T {
        self.out.asked_by(Some(origin));
        let result = change(self);
        self.out.asked_by(None);
        result
    }

    /// Lets everything follow that follows, and hands out what is to be done.
    pub(crate) fn effects(&mut self, now: Now) -> Effects {
        self.settle(now);
        self.hand_over(now);
        self.instances.note_readiness(now.wall);
        let batch = self.out.write(self.link.write(Batch::default()));
        let batch = self.rollouts.write(self.instances.write(self.definitions.write(batch)));
        let batch = self.past.write(self.endings.write(self.kills.write(self.drains.write(batch))));
        Effects { batch, ..self.out.take() }
    }

    fn settle(&mut self, now: Now) {
        while let Some(app) = self.rollouts.next_unsettled() {
            self.settle_app(&app, now);
        }
        if self.link.is_connected() {
            let roles = self.link.tell_roles(|| self.definitions.roles());
            let offers = self.queue.ask(self.instances.waiting_apps(), now.moment);
            self.out.call(roles.into_iter().chain(offers));
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Now) {
        if self.kills.is_round(now.moment) {
            self.kill_again(self.kills.due(now.moment), now);
            self.overdue(now);
        }
        self.kill_strays_again(now);
        self.expunge(now);
        self.resume_due(now);
        self.ease(now);
        self.take_back(now);
        self.queue.forget_past(now.moment);
        self.reconcile_again(now);
    }

    /// The time to call [`Core::tick`] next.
    pub(crate) fn wake_at(&self) -> Moment {
        let connected = self.link.is_connected();
        let launches = self.queue.next_launch_at(self.instances.waiting_apps()).filter(|_| connected).into_iter();
        let round =
            (self.kills.len() > 0 || self.instances.starting().next().is_some()).then_some(self.kills.round_at());
        let reconcile = if connected { self.reconciliation.due_at() } else { Moment::NEVER };
        let expunges = self.given_up_at().map(|(at, _, _)| at);
        let eases = self.brake.eases_at(|app| self.limits_of(app));
        let more = [
            round,
            eases,
            self.drains.due_at(),
            self.checking.due_at(),
            self.rollouts.deadline(),
            self.kills.departed().due_at(),
        ];
        launches.chain(expunges).chain(more.into_iter().flatten()).fold(reconcile, Moment::min)
    }

    /// Changes an instance, and lets the planner look at its app. A pause of its checks ends with that in its record.
    fn change<T>(&mut self, id: &InstanceId, now: Now, change: impl FnOnce(&mut Instance) -> T) -> Option<T> {
        let was_waiting = !self.instances.get(id)?.has_task();
        let result = self.instances.change(id, now.moment, change)?;
        let instance = self.instances.get(id)?;
        if !was_waiting && !instance.has_task() {
            self.queue.has_more();
        }
        if instance.checked.paused.is_none() {
            self.checking.resume(id);
        }
        let app = instance.app.clone();
        self.changed(&app);
        Some(result)
    }

    fn add(&mut self, instance: Instance, now: Now) {
        let app = instance.app.clone();
        self.instances.add(instance, now);
        self.queue.has_more();
        self.changed(&app);
    }

    fn forget(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.forget(id) else { return };
        self.brake.release(&instance.app, id);
        self.checking.resume(id);
        self.kills.is_over(id);
        self.changed(&instance.app);
    }

    /// Everything that depends on an instance of this app has to be looked at again.
    fn changed(&mut self, app: &AppId) {
        if !self.instances.is_waiting(app) {
            self.queue.is_served(app);
        }
        self.rollouts.touch(app);
    }
}
