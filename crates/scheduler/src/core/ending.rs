//! Ending instances: they are told to, until they do; where their agent is away nobody waits for them, and what comes
//! back of them is killed.

use mesos::v1::{TaskState, TaskStatus};

use super::kills::KILL_AGAIN;
use super::{Core, calls};
use crate::definition::strategy::UnreachableStrategy;
use crate::events;
use crate::ids::InstanceId;
use crate::instance::{Condition, Goal};
use crate::time::{Moment, Now};

impl Core {
    /// Tells an instance's task to end. The goal says what becomes of the instance then.
    pub(super) fn kill(&mut self, id: &InstanceId, goal: Goal, now: Now) {
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
        self.kills.told(id, now.moment);
        self.change(id, now, |instance| {
            instance.goal = goal;
            instance.killed.ask(now.wall);
        });
        self.send_kill(id);
    }

    fn send_kill(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.get(id) else { return };
        let agent_id = instance.place.agent_id.as_deref();
        self.out.call(instance.task_ids().iter().map(|task| calls::kill(task, agent_id)));
    }

    /// Repeats kills that have not come to anything.
    pub(super) fn kill_again(&mut self, due: Vec<InstanceId>, now: Now) {
        for id in due {
            self.kills.told(&id, now.moment);
            self.change(&id, now, |instance| instance.killed.ask(now.wall));
            self.send_kill(&id);
        }
    }

    /// A task that was told to end is told of as running: the kill may be lost, and is repeated soon, unless the two have
    /// but crossed.
    pub(super) fn doubt_kill(&mut self, id: &InstanceId, state: TaskState) {
        let runs = matches!(state, TaskState::TaskStaging | TaskState::TaskStarting | TaskState::TaskRunning);
        if runs && self.instances.get(id).is_some_and(|found| found.condition != Condition::Killing) {
            self.kills.doubt(id);
        }
    }

    /// Replaces, and later forgets, instances on agents that were not heard of for as long as their app is content to wait.
    /// Should one come back that was replaced, there is one too many, and the planner chooses; should one come back that was
    /// forgotten, its task is none of ours any more, and is killed.
    pub(super) fn expunge(&mut self, now: Now) {
        let due: Vec<_> = self.given_up_at().filter(|(at, _, _)| *at <= now.moment).collect();
        let due: Vec<_> = due.into_iter().map(|(_, id, forever)| (id.clone(), forever)).collect();
        for (id, forever) in due {
            tracing::warn!(instance = %id, forever, "given up: its agent was not heard of");
            if forever {
                let goal = self.instances.get(&id).map_or(Goal::Stopped, |instance| instance.goal);
                self.part_with(&id, goal, now);
            } else {
                self.change(&id, now, |instance| instance.given_up = true);
                if let Some(found) = self.instances.get(&id) {
                    self.out.tell(events::instance_changed(found, now.wall));
                }
            }
        }
    }

    /// The times at which instances are given up, and whether for good.
    pub(super) fn given_up_at(&self) -> impl Iterator<Item = (Moment, &InstanceId, bool)> {
        self.instances.unreachable().filter_map(|(instance, since)| {
            let UnreachableStrategy::After { inactive_after_seconds: inactive, expunge_after_seconds: expunge } =
                self.definitions.of(instance)?.unreachable_strategy
            else {
                return None;
            };
            let forever = instance.given_up || inactive >= expunge;
            Some((since.plus(if forever { expunge } else { inactive }.duration()), &instance.id, forever))
        })
    }

    /// Kills what was launched and not heard of for long, so that it is launched again. One whose image is on its way is
    /// heard of.
    pub(super) fn overdue(&mut self, now: Now) {
        let limit = self.launches.task_launch_timeout;
        let overdue = self
            .instances
            .starting()
            .filter(|(instance, since)| !instance.killed.is_asked() && since.plus(limit) <= now.moment);
        let overdue: Vec<_> = overdue.map(|(instance, _)| instance.id.clone()).collect();
        for id in overdue {
            tracing::warn!(instance = %id, "killed because it did not start in time");
            self.kill(&id, Goal::Running, now);
        }
    }

    /// Takes an instance on an agent that is away out of the way: it is gone, or its next incarnation waits, as the goal
    /// says; its tasks are remembered until the master says that they are over.
    pub(super) fn part_with(&mut self, id: &InstanceId, goal: Goal, now: Now) {
        let Some(instance) = self.instances.get(id) else { return };
        tracing::info!(instance = %id, "given up while its agent is away; should its task come back it is killed");
        for task in instance.task_ids() {
            self.kills.departed_mut().add(&task, instance.place.agent_id.as_deref());
        }
        self.change(id, now, |instance| instance.goal = goal);
        self.task_ended(id, TaskState::TaskUnreachable, now);
    }

    /// Parts with an instance that was told to end if its agent is away: the kill cannot come to anything now.
    pub(super) fn part_with_killed(&mut self, id: &InstanceId, now: Now) {
        let Some(instance) = self.instances.get(id) else { return };
        if instance.condition == Condition::Unreachable && instance.killed.is_asked() {
            self.part_with(id, instance.goal, now);
        }
    }

    /// Kills instances of apps that are no more.
    pub(super) fn end_orphans(&mut self, now: Now) {
        let orphans: Vec<_> = self
            .instances
            .values()
            .filter(|found| self.definitions.get(&found.app).is_none())
            .map(|found| found.id.clone())
            .collect();
        for id in orphans {
            self.kill(&id, Goal::Stopped, now);
        }
    }

    /// An update of a task that no instance stands for and that is not over: it is told to end, unless it
    /// ends already or nobody can reach it now.
    pub(super) fn stray_update(&mut self, status: &TaskStatus, now: Now) {
        let task_id = &status.task_id.value;
        let agent_id = status.agent_id.as_ref().map(|id| id.value.as_str());
        let kill_at = (status.state() != TaskState::TaskUnreachable).then_some(now.moment.plus(KILL_AGAIN));
        self.kills.departed_mut().heard_of(task_id, agent_id, kill_at);
        if !matches!(status.state(), TaskState::TaskUnreachable | TaskState::TaskKilling) {
            tracing::warn!(%task_id, "killed a task that runs under our name and that the store does not know");
            self.out.call([calls::kill(task_id, agent_id)]);
        }
    }

    /// Repeats the kills of those that came back and are not over.
    pub(super) fn kill_strays_again(&mut self, now: Now) {
        let due = self.kills.departed_mut().take_due(now.moment, now.moment.plus(KILL_AGAIN));
        self.out.call(due.iter().map(|absent| calls::kill(&absent.task_id, absent.agent_id.as_deref())));
    }
}
