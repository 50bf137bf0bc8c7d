//! Telling tasks to end, until they do.

use mesos::v1::TaskState;

use super::{Core, KILL_AGAIN, KILL_CROSSES, calls};
use crate::definition::app::UnreachableStrategy;
use crate::events;
use crate::ids::InstanceId;
use crate::instance::{Condition, Goal};
use crate::time::Timestamp;

impl Core {
    /// Tells an instance's task to end. The goal says what becomes of the instance then.
    pub(super) fn kill(&mut self, id: &InstanceId, goal: Goal, now: Timestamp) {
        let Some(instance) = self.instances.get(id) else { return };
        if !instance.has_task() {
            if goal == Goal::Stopped {
                self.forget(id);
            }
            return;
        }
        if instance.condition == Condition::Unreachable {
            return self.part_with(id, goal, now);
        }
        self.stop_checks(id);
        self.let_go(id, now);
        self.killing.insert(id.clone(), now.plus(KILL_AGAIN));
        self.change(id, |instance| {
            instance.goal = goal;
            instance.kill_asked_at = Some(now);
        });
        self.send_kill(id);
    }

    fn send_kill(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.get(id) else { return };
        let agent_id = instance.agent_id.as_deref();
        self.out.call(instance.task_ids().iter().map(|task| calls::kill(task, agent_id)));
    }

    /// Repeats kills that have not come to anything.
    pub(super) fn kill_again(&mut self, now: Timestamp) {
        let due: Vec<_> = self.killing.iter().filter(|(_, at)| **at <= now).map(|(id, _)| id.clone()).collect();
        for id in due {
            self.killing.insert(id.clone(), now.plus(KILL_AGAIN));
            self.change(&id, |instance| instance.kill_asked_at = Some(now));
            self.send_kill(&id);
        }
    }

    /// Repeats all kills at once: whatever was sent to another master may be lost.
    pub(super) fn kill_all_again(&mut self, now: Timestamp) {
        self.killing.values_mut().for_each(|at| *at = now);
        self.kill_again(now);
    }

    /// A task that was told to end is told of as running: the kill may be lost, and is repeated soon, unless the two have
    /// but crossed.
    pub(super) fn doubt_kill(&mut self, id: &InstanceId, state: TaskState) {
        let runs = matches!(state, TaskState::TaskStaging | TaskState::TaskStarting | TaskState::TaskRunning);
        let Some(instance) = self.instances.get(id).filter(|found| runs && found.condition != Condition::Killing)
        else {
            return;
        };
        if let (Some(asked), Some(at)) = (instance.kill_asked_at, self.killing.get_mut(id)) {
            *at = (*at).min(asked.plus(KILL_CROSSES));
        }
    }

    /// Replaces, and later forgets, instances on agents that were not heard of for as long as their app is content to wait.
    /// Should one come back that was replaced, there is one too many, and the planner chooses; should one come back that was
    /// forgotten, its task is none of ours any more, and is killed.
    pub(super) fn expunge(&mut self, now: Timestamp) {
        let due: Vec<_> = self.given_up_at().filter(|(at, _, _)| *at <= now).collect();
        let due: Vec<_> = due.into_iter().map(|(_, id, forever)| (id.clone(), forever)).collect();
        for (id, forever) in due {
            tracing::warn!(instance = %id, forever, "given up: its agent was not heard of");
            if forever {
                let goal = self.instances.get(&id).map_or(Goal::Stopped, |instance| instance.goal);
                self.part_with(&id, goal, now);
            } else {
                self.change(&id, |instance| instance.given_up = true);
                if let Some(found) = self.instances.get(&id) {
                    self.out.tell(events::instance_changed(found, "UnreachableInactive", now));
                }
            }
        }
    }

    /// When to give up which instances, and whether for good.
    pub(super) fn given_up_at(&self) -> impl Iterator<Item = (Timestamp, &InstanceId, bool)> {
        self.unreachable.iter().filter_map(|id| {
            let instance = self.instances.get(id).filter(|found| found.condition == Condition::Unreachable)?;
            let UnreachableStrategy::After { inactive_after_seconds: inactive, expunge_after_seconds: expunge } =
                self.apps.get(&instance.app)?.configuration(instance.config).unreachable_strategy
            else {
                return None;
            };
            let forever = instance.given_up || inactive >= expunge;
            Some((instance.since.plus(if forever { expunge } else { inactive }.duration()), id, forever))
        })
    }

    /// Kills what was launched long ago and never heard of, so that it is launched again.
    pub(super) fn overdue(&mut self, now: Timestamp) {
        let limit = self.settings.task_launch_timeout;
        let overdue = self
            .starting
            .iter()
            .filter_map(|id| self.instances.get(id))
            .filter(|instance| instance.kill_asked_at.is_none() && instance.since.plus(limit) <= now);
        let overdue: Vec<_> = overdue.map(|instance| instance.id.clone()).collect();
        for id in overdue {
            tracing::warn!(instance = %id, "killed because it did not start in time");
            self.kill(&id, Goal::Running, now);
        }
    }
}
