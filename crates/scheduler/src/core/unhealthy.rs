//! Instances that are killed for their health: as many as the brake admits. The others are held, and looked at again when
//! the brake eases; whoever is well by then is let go.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Core;
use crate::brake::{AppLimits, BrakeLimits};
use crate::events;
use crate::ids::{AppId, InstanceId};
use crate::instance::{Condition, Goal, Instance};
use crate::time::Timestamp;

impl Core {
    /// The same, with these limits on kills for health.
    pub(crate) fn with_brake(mut self, limits: BrakeLimits) -> Core {
        self.brake.set_limits(limits);
        self
    }

    /// An instance failed a health check as often as is enough to kill it.
    pub(super) fn kill_for_health(&mut self, id: &InstanceId, now: Timestamp) {
        let Some(instance) = self.instances.get(id).filter(|found| may_be_killed(found, now)) else { return };
        let (app, all) = (instance.app.clone(), self.instances.len());
        let running = self.tallies.get(&app).map_or(0, |tally| tally.running());
        let limits = self.limits_of(&app);
        if self.brake.admits(&app, &limits, running, all, now) {
            self.kill_unhealthy(id, now);
        } else if self.held.entry(app).or_default().insert(id.clone()) {
            self.tell_held("unhealthy_instance_kill_held_event", id, now);
        }
    }

    fn kill_unhealthy(&mut self, id: &InstanceId, now: Timestamp) {
        self.unhold(id);
        let killed = self.change(id, |instance| {
            instance.killed_for_health_at = Some(now);
            instance.clone()
        });
        let Some(instance) = killed else { return };
        let cause = instance.health_cause();
        tracing::info!(instance = %id, %cause, "killed because it is unhealthy");
        self.count_health_kill(&instance.app, now);
        self.out.tell(events::unhealthy_kill(&instance, &cause, now));
        self.kill(id, Goal::Running, now);
    }

    /// How many of an app may be killed for their health: the newest definition says, whatever instances were launched with.
    fn limits_of(&self, app: &AppId) -> AppLimits {
        self.brake.limits_of(self.apps.get(app).and_then(|record| record.app.brake.as_ref()))
    }

    pub(super) fn count_health_kill(&mut self, app: &AppId, at: Timestamp) {
        let limits = self.limits_of(app);
        self.brake.killed(app, &limits, at);
    }

    /// An app may have another brake now: those of it that were held are looked at again.
    pub(super) fn look_at_held(&mut self, app: &AppId, now: Timestamp) {
        for id in self.held.get(app).cloned().unwrap_or_default() {
            self.kill_for_health(&id, now);
        }
    }

    /// Kills those that were held, as far as the brake has eased.
    pub(super) fn ease(&mut self, now: Timestamp) {
        if self.held.is_empty() || self.eases_at().is_some_and(|at| now < at) {
            return;
        }
        let held: Vec<_> = self.held.values().flatten().cloned().collect();
        for id in held {
            self.kill_for_health(&id, now);
        }
    }

    /// When those that are held may be looked at again.
    pub(super) fn eases_at(&self) -> Option<Timestamp> {
        let held = self.held.keys().map(|app| (app, self.limits_of(app)));
        (!self.held.is_empty()).then(|| self.brake.eases_at(held)).flatten()
    }

    /// An instance is well again, or is going anyway: nothing is held back for it.
    pub(super) fn let_go(&mut self, id: &InstanceId, now: Timestamp) {
        if self.unhold(id) {
            self.tell_held("unhealthy_instance_kill_released_event", id, now);
        }
    }

    fn tell_held(&mut self, kind: &'static str, id: &InstanceId, now: Timestamp) {
        if let Some(instance) = self.instances.get(id) {
            tracing::warn!(instance = %id, kind, "the brake on kills for health");
            let event = events::unhealthy_held(kind, instance, now);
            self.out.tell(event);
        }
    }

    /// How many of an app are unhealthy and not killed for now.
    pub(super) fn held_of(&self, app: &AppId) -> usize {
        self.held.get(app).map_or(0, BTreeSet::len)
    }

    /// Takes an instance off the list of those that are held; says whether it was on it.
    pub(super) fn unhold(&mut self, id: &InstanceId) -> bool {
        let Some(app) = self.instances.get(id).map(|instance| &instance.app) else { return false };
        let Some(held) = self.held.get_mut(app) else { return false };
        let was_there = held.remove(id);
        if held.is_empty() {
            self.held.remove(app);
        }
        was_there
    }

    /// Whether an instance is unhealthy and not killed for now.
    pub(super) fn is_held(&self, instance: &Instance) -> bool {
        self.held.get(&instance.app).is_some_and(|held| held.contains(&instance.id))
    }

    /// Stops the health checks of an instance for a while, or for good if no time is given: the scheduler does not ask,
    /// and nothing that the executor finds gets it killed. None ends that.
    pub(crate) fn pause_checks(&mut self, id: &InstanceId, pause: Option<Pause>, now: Timestamp) {
        let until = pause.map(|pause| match pause {
            Pause::Open => Timestamp::from_millis(i64::MAX),
            Pause::For(time) => now.plus(time),
        });
        self.change(id, |instance| instance.checks_paused_until = until);
        if until.is_some() {
            self.paused.insert(id.clone());
            self.stop_checks(id);
            self.let_go(id, now);
        } else {
            self.resume_checks(id, now);
        }
    }

    fn resume_checks(&mut self, id: &InstanceId, now: Timestamp) {
        self.paused.remove(id);
        self.change(id, |instance| instance.checks_paused_until = None);
        self.start_checks(id, now);
    }

    /// Goes on with checks that were paused for a time that is over.
    pub(super) fn resume_due(&mut self, now: Timestamp) {
        let over = |id: &&InstanceId| self.instances.get(id).is_none_or(|instance| !instance.is_paused(now));
        let over: Vec<_> = self.paused.iter().filter(over).cloned().collect();
        for id in over {
            self.resume_checks(&id, now);
        }
    }

    /// When the next pause is over.
    pub(super) fn resumes_at(&self) -> Option<Timestamp> {
        self.paused.iter().filter_map(|id| self.instances.get(id)?.checks_paused_until).min()
    }
}

/// For how long checks are paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// Until somebody says otherwise.
    Open,
    /// For so long.
    For(Duration),
}

fn may_be_killed(instance: &Instance, now: Timestamp) -> bool {
    instance.condition == Condition::Running && instance.kill_asked_at.is_none() && !instance.is_paused(now)
}
