//! Telling tasks to end, until they do.

use mesos::v1::TaskState;
use mesos::v1::scheduler::{Call, call};

use super::{Core, KILL_AGAIN, STAGING_LIMIT};
use crate::app::definition::UnreachableStrategy;
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
        self.stop_checks(id);
        self.let_go(id, now);
        self.killing.insert(id.clone());
        self.change(id, |instance| {
            instance.goal = goal;
            instance.kill_asked_at = Some(now);
        });
        self.send_kill(id);
    }

    fn send_kill(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.get(id) else { return };
        let agent_id = instance.agent_id.as_deref();
        let kills: Vec<_> = instance.task_ids().iter().map(|task| kill_call(task, agent_id)).collect();
        self.effects.calls.extend(kills);
    }

    /// Repeats kills that have not come to anything.
    pub(super) fn kill_again(&mut self, now: Timestamp) {
        let due = |id: &&InstanceId| {
            let asked = self.instances.get(id).and_then(|instance| instance.kill_asked_at);
            asked.is_some_and(|asked| now >= asked.plus(KILL_AGAIN))
        };
        let due: Vec<_> = self.killing.iter().filter(due).cloned().collect();
        for id in due {
            self.change(&id, |instance| instance.kill_asked_at = Some(now));
            self.send_kill(&id);
        }
    }

    /// Gives up instances on agents that were not heard of for as long as their app is content to wait. Should one come
    /// back, its task is none of ours any more, and is killed.
    pub(super) fn expunge(&mut self, now: Timestamp) {
        let given_up: Vec<_> = self.expunged_at().filter(|(at, _)| *at <= now).map(|(_, id)| id.clone()).collect();
        for id in given_up {
            tracing::warn!(instance = %id, "given up: its agent was not heard of");
            self.task_ended(&id, TaskState::TaskUnreachable, now);
        }
    }

    /// When to give up which instances.
    pub(super) fn expunged_at(&self) -> impl Iterator<Item = (Timestamp, &InstanceId)> {
        self.unreachable.iter().filter_map(|id| {
            let instance = self.instances.get(id).filter(|found| found.condition == Condition::Unreachable)?;
            match self.apps.get(&instance.app)?.app.unreachable_strategy {
                UnreachableStrategy::Named(_) => None,
                UnreachableStrategy::After { expunge_after_seconds: seconds, .. } => {
                    Some((instance.since.plus(mesos::duration::from_seconds(seconds)?), id))
                }
            }
        })
    }

    /// Kills what was launched long ago and never heard of, so that it is launched again.
    pub(super) fn overdue(&mut self, now: Timestamp) {
        let overdue = self
            .starting
            .iter()
            .filter_map(|id| self.instances.get(id))
            .filter(|instance| instance.kill_asked_at.is_none() && instance.since.plus(STAGING_LIMIT) <= now);
        let overdue: Vec<_> = overdue.map(|instance| instance.id.clone()).collect();
        for id in overdue {
            tracing::warn!(instance = %id, "killed because it did not start in time");
            self.kill(&id, Goal::Running, now);
        }
    }
}

pub(super) fn kill_call(task_id: &str, agent_id: Option<&str>) -> Call {
    Call {
        r#type: Some(call::Type::Kill.into()),
        kill: Some(call::Kill { task_id: task_id.into(), agent_id: agent_id.map(Into::into), kill_policy: None }),
        ..Call::default()
    }
}
