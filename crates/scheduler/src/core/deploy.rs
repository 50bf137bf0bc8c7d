//! Leading an app to what is wanted of it, and its deployment to its end.

use checks::Verdict;
use std::collections::BTreeSet;

use mesos::v1::TaskState;

use super::Core;
use super::past::How;
use super::records::Stopped;
use crate::definition::RunSpec;
use crate::deployment::{Change, Dependencies, Deployment};
use crate::events;
use crate::ids::{AppId, InstanceId};
use crate::instance::{Goal, Instance};
use crate::plan::Plan;
use crate::time::Now;

impl Core {
    /// Lets the planner look at an app, and does what it says.
    pub(super) fn settle_app(&mut self, id: &AppId, now: Now) {
        let Some((app, target)) = self.view().in_force(id) else { return };
        let plan = self.instances.plan(id, &target);
        if !plan.is_idle() {
            let app = app.clone();
            self.carry_out(&app, &plan, now);
        }
        if plan.done && target.most_new.is_none() {
            self.arrive(id, now);
        }
    }

    fn carry_out(&mut self, app: &RunSpec, plan: &Plan, now: Now) {
        for id in &plan.forget {
            self.kill(id, Goal::Stopped, now);
        }
        for id in &plan.rebase {
            self.change(id, now, |instance| instance.rebase(app, now.wall));
        }
        for id in &plan.kill {
            self.kill(id, Goal::Stopped, now);
        }
        for _ in 0..plan.create {
            let id = InstanceId::new(&app.id, &uuid::Uuid::new_v4().to_string());
            self.add(Instance::scheduled(id, app, now.wall), now);
        }
        // What has no task, or none that can be told, is gone at once, and the planner may see more; all else has to happen first.
        if plan.forget.is_empty() {
            self.rollouts.settled(&app.id);
        }
    }

    /// An app is as wanted: a removed one is forgotten, and its deployment may go on, or have succeeded.
    fn arrive(&mut self, id: &AppId, now: Now) {
        let ends_step = self.rollouts.arrive(id);
        let turn_came = self.rollouts.of(id).is_none_or(|deployment| deployment.waiting(id).is_none());
        if turn_came && self.definitions.forget_removed(id) {
            self.queue.reset(id);
            self.brake.forget(id);
            self.endings.forget(id);
            self.figures.forget(id);
            self.link.roles_may_differ();
            self.out.tell(events::app_terminated(id, now.wall));
        }
        if let Some(lock) = ends_step {
            self.step_on(&lock, now);
        }
    }

    /// A step of a deployment is over: the next one begins, or all has succeeded.
    fn step_on(&mut self, id: &str, now: Now) {
        while let Some(deployment) = self.rollouts.get(id) {
            self.out.tell(events::deployment("deployment_step_success", deployment, now.wall));
            let Some(Some(apps)) = self.rollouts.change(id, Deployment::advance) else { break };
            apps.iter().for_each(|app| self.rollouts.touch(app));
            let Some(deployment) = self.rollouts.get(id) else { return };
            self.out.tell(events::deployment("deployment_info", deployment, now.wall));
            if !deployment.is_step_over() {
                return;
            }
        }
        if let Some(done) = self.rollouts.close(id) {
            self.past.remember(&done, How::Succeeded, None, now.wall);
            self.out.tell(events::deployment("deployment_success", &done, now.wall));
        }
    }

    /// Takes back deployments that have failed by their own measure.
    pub(super) fn take_back(&mut self, now: Now) {
        for (deployment, fault) in self.rollouts.failed(now.moment) {
            tracing::warn!(deployment = %deployment.id, %fault, "taken back");
            self.out.tell(events::deployment("deployment_step_failure", &deployment, now.wall));
            self.revert(deployment, How::Failed, &fault, now);
        }
    }

    /// Begins a deployment, in place of those that are under way for any of its apps.
    pub(super) fn deploy(&mut self, changes: Vec<Change>, order: Dependencies, now: Now) -> String {
        for old in self.rollouts.locking(changes.iter().map(|change| &change.app)) {
            self.abandon(&old, How::Replaced, "replaced by another deployment", now);
        }
        for change in &changes {
            self.adopt(change, now);
        }
        let groups: BTreeSet<_> = changes.iter().map(|change| change.app.parent()).collect();
        for group in groups {
            self.out.tell(events::group_changed(&group, now.wall, now.wall));
        }
        let id = uuid::Uuid::new_v4().to_string();
        self.out.counters().deployments += 1;
        let deployment = Deployment::new(id.clone(), now.wall, changes, order);
        self.out.tell(events::deployment("deployment_info", &deployment, now.wall));
        let nothing_to_wait_for = deployment.is_step_over();
        self.rollouts.begin(deployment, now.moment);
        if nothing_to_wait_for {
            self.step_on(&id, now);
        }
        id
    }

    /// Ends a deployment that did not reach its end. Its apps stay where they are on their way.
    pub(super) fn abandon(&mut self, id: &str, how: How, reason: &str, now: Now) -> Option<Deployment> {
        let old = self.rollouts.close(id)?;
        for app in old.changes.keys() {
            self.definitions.halt(app, Stopped { deployment: old.id.clone(), at: now.wall });
            self.rollouts.touch(app);
        }
        self.past.remember(&old, how, Some(reason), now.wall);
        self.out.tell(events::deployment_failed(&old, reason, now.wall));
        Some(old)
    }

    /// A task is over: its instance goes, or takes its next incarnation.
    pub(super) fn task_ended(&mut self, id: &InstanceId, state: TaskState, now: Now) {
        self.stop_checks(id);
        self.let_go(id, now);
        self.kills.is_over(id);
        let Some(instance) = self.instances.get(id).cloned() else { return };
        let next = self.next_configuration(&instance).filter(|_| !instance.given_up).cloned();
        let next = next.filter(|_| instance.goal == Goal::Running);
        self.out.tell(events::instance_ended(&instance, state, now.wall));
        self.figures.ended(&instance.app, state, next.is_some());
        match next {
            Some(app) => {
                let has_failed = slows_down(state) || instance.killed.is_asked_for_health();
                if has_failed {
                    self.rollouts.count_failure(&instance.app, instance.config);
                }
                if slows_down(state) || self.health_kill_slows_down(&instance) {
                    self.queue.failed(&app, now.moment);
                }
                self.change(id, now, |instance| {
                    if has_failed {
                        instance.fail(app.max_launch_delay_seconds.duration(), now.wall);
                    }
                    instance.reincarnate(&app, now.wall);
                });
            }
            None => self.forget(id),
        }
    }

    /// True if it was killed for failing a check whose kills are to slow launches down.
    fn health_kill_slows_down(&self, instance: &Instance) -> bool {
        let app = self.definitions.of(instance);
        let checks = app.iter().flat_map(|app| app.health_checks.iter().zip(&instance.checked.health));
        let mut sick = checks.filter(|(_, health)| health.verdict == Verdict::Unhealthy);
        instance.killed.is_for_health() && sick.any(|(check, _)| check.backoff_after_kill)
    }

    /// The definition that an instance is launched with again: the newest, unless that is to be had by few for now.
    fn next_configuration(&self, instance: &Instance) -> Option<&RunSpec> {
        let (app, target) = self.view().in_force(&instance.app).filter(|(_, target)| target.instances > 0)?;
        let keep = target.most_new.is_some() && instance.config != target.config;
        Some(if keep { self.definitions.of(instance)? } else { app })
    }
}

/// True if an app whose instance ended so is to be launched more slowly. A kill, also for health, is no reason.
fn slows_down(state: TaskState) -> bool {
    !matches!(state, TaskState::TaskKilled | TaskState::TaskUnreachable)
}
