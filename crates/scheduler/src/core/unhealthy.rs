//! Instances that are killed for their health: as many as the brake admits. The others are held, and looked at again when
//! the brake eases; whoever is well by then is let go.

use std::time::Duration;

use super::Core;
use crate::brake::AppLimits;
use crate::events;
use crate::ids::{AppId, InstanceId};
use crate::instance::{Condition, Goal, Paused};
use crate::time::{Moment, Now};

impl Core {
    /// An instance failed a health check as often as is enough to kill it.
    pub(super) fn kill_for_health(&mut self, id: &InstanceId, now: Now) {
        let Some(instance) = self.instances.get(id) else { return };
        let is_told = instance.condition != Condition::Running || instance.killed.is_asked();
        if is_told || self.checking.is_paused(id, now.moment) {
            return;
        }
        let (app, all) = (instance.app.clone(), self.instances.values().len());
        let running = self.instances.running(&app);
        let limits = self.limits_of(&app);
        if self.brake.admits(&app, &limits, running, all, now.moment) {
            self.kill_unhealthy(id, now);
        } else if self.brake.hold(&app, id) {
            self.figures.held(&app);
            self.tell_held("unhealthy_instance_kill_held_event", id, now);
        }
    }

    fn kill_unhealthy(&mut self, id: &InstanceId, now: Now) {
        let Some(instance) = self.instances.get(id) else { return };
        tracing::info!(instance = %id, cause = %instance.checked.health_cause(), "killed because it is unhealthy");
        self.brake.release(&instance.app, id);
        self.note_health_kill(id, now);
        self.kill(id, Goal::Running, now);
    }

    /// An instance is killed for its health, by us or its executor: that is counted, and told.
    pub(super) fn note_health_kill(&mut self, id: &InstanceId, now: Now) {
        self.change(id, now, |instance| instance.killed.for_health(now.wall));
        let Some(instance) = self.instances.get(id).cloned() else { return };
        self.count_health_kill(&instance.app, now.moment);
        self.figures.killed_for_health(&instance.app);
        self.out.tell(events::unhealthy("unhealthy_instance_kill_event", &instance, now.wall));
    }

    /// The limits on kills for health of an app: the newest definition says, whatever instances were launched with.
    pub(super) fn limits_of(&self, app: &AppId) -> AppLimits {
        self.view().limits_of(app)
    }

    pub(super) fn count_health_kill(&mut self, app: &AppId, at: Moment) {
        let limits = self.limits_of(app);
        self.brake.killed(app, &limits, at);
    }

    /// An app may have another brake now: those of it that were held are looked at again.
    pub(super) fn look_at_held(&mut self, app: &AppId, now: Now) {
        let held: Vec<_> = self.brake.held_of(app).cloned().collect();
        held.iter().for_each(|id| self.kill_for_health(id, now));
    }

    /// Kills those that were held, as far as the brake has eased.
    pub(super) fn ease(&mut self, now: Now) {
        if self.brake.eases_at(|app| self.limits_of(app)).is_none_or(|at| at <= now.moment) {
            let held: Vec<_> = self.brake.held().cloned().collect();
            held.iter().for_each(|id| self.kill_for_health(id, now));
        }
    }

    /// An instance is well again, is going anyway, or is away: nothing is held back for it.
    pub(super) fn let_go(&mut self, id: &InstanceId, now: Now) {
        if self.instances.get(id).is_some_and(|found| self.brake.release(&found.app, id)) {
            self.tell_held("unhealthy_instance_kill_released_event", id, now);
        }
    }

    fn tell_held(&mut self, kind: &'static str, id: &InstanceId, now: Now) {
        if let Some(instance) = self.instances.get(id) {
            tracing::warn!(instance = %id, kind, "the brake on kills for health");
            self.out.tell(events::unhealthy(kind, instance, now.wall));
        }
    }

    /// Stops the health checks of an instance for a while, or for good if no time is given: the scheduler does not ask,
    /// and nothing that the executor finds gets it killed. None ends that.
    pub(crate) fn pause_checks(&mut self, id: &InstanceId, pause: Option<Pause>, now: Now) {
        let Some(pause) = pause else { return self.resume_checks(id, now) };
        let (paused, until) = match pause {
            Pause::Open => (Paused::Open, None),
            Pause::For(time) => (Paused::Until(now.wall.plus(time)), Some(now.moment.plus(time))),
        };
        if self.change(id, now, |instance| instance.checked.paused = Some(paused)).is_none() {
            return;
        }
        self.checking.pause(id, until);
        self.stop_checks(id);
        self.let_go(id, now);
    }

    fn resume_checks(&mut self, id: &InstanceId, now: Now) {
        self.change(id, now, |instance| instance.checked.paused = None);
        self.start_checks(id, now);
    }

    /// Goes on with checks that were paused for a time that is over.
    pub(super) fn resume_due(&mut self, now: Now) {
        self.checking.due(now.moment).iter().for_each(|id| self.resume_checks(id, now));
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
