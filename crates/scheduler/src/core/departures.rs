//! Parting with instances whose agent is away: nobody waits for them, and what comes back of them is killed.

use mesos::v1::{TaskState, TaskStatus};

use super::{Core, KILL_AGAIN, calls};
use crate::ids::InstanceId;
use crate::instance::{Condition, Goal};
use crate::time::Timestamp;

impl Core {
    /// Takes an instance on an agent that is away out of the way: it is gone, or its next incarnation waits, as the goal
    /// says; its tasks are remembered until the master says that they are over.
    pub(super) fn part_with(&mut self, id: &InstanceId, goal: Goal, now: Timestamp) {
        let Some(instance) = self.instances.get(id) else { return };
        tracing::info!(instance = %id, "given up while its agent is away; should its task come back it is killed");
        for task in instance.task_ids() {
            self.departed.add(&task, instance.agent_id.as_deref());
        }
        self.change(id, |instance| instance.goal = goal);
        self.task_ended(id, TaskState::TaskUnreachable, now);
    }

    /// Parts with an instance that was told to end if its agent is away: the kill cannot come to anything now.
    pub(super) fn part_with_killed(&mut self, id: &InstanceId, now: Timestamp) {
        let Some(instance) = self.instances.get(id) else { return };
        if instance.condition == Condition::Unreachable && instance.kill_asked_at.is_some() {
            self.part_with(id, instance.goal, now);
        }
    }

    /// Kills instances of apps that are no more.
    pub(super) fn end_orphans(&mut self, now: Timestamp) {
        let orphans: Vec<_> = self
            .instances
            .values()
            .filter(|found| !self.apps.contains_key(&found.app))
            .map(|found| found.id.clone())
            .collect();
        for id in orphans {
            self.kill(&id, Goal::Stopped, now);
        }
    }

    /// What the master told of a task that no instance stands for and that is not over: it is told to end, unless it
    /// ends already or nobody can reach it now.
    pub(super) fn stray_update(&mut self, status: &TaskStatus, now: Timestamp) {
        let task_id = &status.task_id.value;
        let agent_id = status.agent_id.as_ref().map(|id| id.value.as_str());
        let kill_at = (status.state() != TaskState::TaskUnreachable).then_some(now.plus(KILL_AGAIN));
        self.departed.heard_of(task_id, agent_id, kill_at);
        if !matches!(status.state(), TaskState::TaskUnreachable | TaskState::TaskKilling) {
            tracing::warn!(%task_id, "killed a task that runs under our name and that the store does not know");
            self.out.call([calls::kill(task_id, agent_id)]);
        }
    }

    /// Repeats the kills of those that came back and are not over.
    pub(super) fn kill_strays_again(&mut self, now: Timestamp) {
        let due = self.departed.take_due(now, now.plus(KILL_AGAIN));
        self.out.call(due.iter().map(|absent| calls::kill(&absent.task_id, absent.agent_id.as_deref())));
    }
}
