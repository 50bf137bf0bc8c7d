//! Leading an app to what is wanted of it, and its deployment to its end.

use mesos::v1::TaskState;

use super::Core;
use crate::app::App;
use crate::app::definition::UpgradeStrategy;
use crate::deployment::Deployment;
use crate::events;
use crate::ids::{AppId, InstanceId};
use crate::instance::{Condition, Goal, Instance};
use crate::plan::{self, Plan, Seen, Stage, Target};
use crate::tally::Tally;
use crate::time::Timestamp;

impl Core {
    /// Lets the planner look at an app, and does what it says.
    pub(super) fn settle_app(&mut self, id: &AppId, now: Timestamp) {
        let Some(record) = self.apps.get(id) else { return };
        let app = record.app.clone();
        let target = target(&app, record.removed);
        let plan = self.plan(id, &target);
        self.carry_out(&app, &plan, now);
        if plan.done {
            self.finish(id, now);
        }
    }

    /// From numbers, if they tell; else from a look at every instance.
    fn plan(&self, id: &AppId, target: &Target) -> Plan {
        let nothing = Tally::default();
        let quick = self.tallies.get(id).unwrap_or(&nothing).plan(target);
        let look = || plan::plan(target, &self.instances_of(id).map(see).collect::<Vec<_>>());
        debug_assert!(quick.as_ref().is_none_or(|quick| *quick == look()), "the tally of {id} is wrong");
        quick.unwrap_or_else(look)
    }

    fn carry_out(&mut self, app: &App, plan: &Plan, now: Timestamp) {
        for id in &plan.forget {
            self.forget(id);
        }
        for id in &plan.rebase {
            let checks = app.health_checks.len();
            self.change(id, |instance| {
                *instance = Instance {
                    incarnation: instance.incarnation,
                    ..Instance::scheduled(instance.id.clone(), app.id.clone(), app.config_version(), checks, now)
                };
            });
        }
        for id in &plan.kill {
            self.kill(id, Goal::Stopped, now);
        }
        for _ in 0..plan.create {
            let id = InstanceId::new(&app.id, &uuid::Uuid::new_v4().to_string());
            let checks = app.health_checks.len();
            self.add(Instance::scheduled(id, app.id.clone(), app.config_version(), checks, now));
        }
        // What was only forgotten is gone at once, and the planner may see more; all else has to happen first.
        if plan.forget.is_empty() {
            self.unsettled.remove(&app.id);
        }
    }

    /// All is as wanted: the deployment has succeeded, a removed app is forgotten.
    fn finish(&mut self, id: &AppId, now: Timestamp) {
        if self.apps.get(id).is_some_and(|record| record.removed) {
            self.apps.remove(id);
            self.backoffs.remove(id);
            self.dirty.apps.insert(id.clone());
            self.tell(events::app_terminated(id, now));
        }
        let Some(deployment) = self.deployment_of(id).map(|deployment| deployment.id.clone()) else { return };
        if let Some(done) = self.deployments.remove(&deployment) {
            self.dirty.deployments.insert(deployment);
            self.tell(events::deployment("deployment_step_success", &done.plan(), Some(&done.step()), now));
            self.tell(events::deployment("deployment_success", &done.plan(), None, now));
        }
    }

    /// The deployment an app is locked by.
    pub(super) fn deployment_of(&self, id: &AppId) -> Option<&Deployment> {
        self.deployments.values().find(|deployment| deployment.app == *id)
    }

    /// Begins a deployment, in place of one that is under way.
    pub(super) fn deploy(&mut self, deployment: Deployment, now: Timestamp) {
        if let Some(old) = self.deployment_of(&deployment.app).map(|old| old.id.clone()) {
            self.abandon(&old, now);
        }
        self.tell(events::group_changed(&deployment.app, deployment.version, now));
        self.tell(events::deployment("deployment_info", &deployment.plan(), Some(&deployment.step()), now));
        self.touch(&deployment.app);
        self.dirty.deployments.insert(deployment.id.clone());
        self.deployments.insert(deployment.id.clone(), deployment);
    }

    /// Ends a deployment that did not reach its end.
    pub(super) fn abandon(&mut self, id: &str, now: Timestamp) -> Option<Deployment> {
        let old = self.deployments.remove(id)?;
        self.dirty.deployments.insert(id.to_owned());
        self.tell(events::deployment("deployment_failed", &old.plan(), None, now));
        Some(old)
    }

    /// A task is over: its instance goes, or takes its next incarnation.
    pub(super) fn task_ended(&mut self, id: &InstanceId, state: TaskState, now: Timestamp) {
        self.stop_checks(id);
        self.killing.remove(id);
        let Some(instance) = self.instances.get(id).cloned() else { return };
        let wanted = self.apps.get(&instance.app).filter(|record| !record.removed).map(|record| record.app.clone());
        let goal = instance.goal;
        self.tell(events::instance_changed(&instance, condition_of_end(state), now));
        match wanted.filter(|_| goal == Goal::Running) {
            Some(app) => {
                if slows_down(state) {
                    self.backoffs.entry(app.id.clone()).or_default().failed(&app, now);
                }
                let checks = app.health_checks.len();
                self.change(id, |instance| instance.reincarnate(app.config_version(), checks, now));
            }
            None => drop(self.forget(id)),
        }
    }
}

/// What is wanted of an app; of a removed one, no instance, and no ceremony.
fn target(app: &App, removed: bool) -> Target {
    let strategy = UpgradeStrategy { minimum_health_capacity: 0.0, maximum_over_capacity: 0.0 };
    Target {
        instances: if removed { 0 } else { app.instances },
        config: app.config_version(),
        strategy: if removed { strategy } else { app.upgrade_strategy },
        selection: app.kill_selection,
    }
}

/// As what an instance counts in its app's tally.
pub(super) fn counted(instance: &Instance) -> (Timestamp, Stage) {
    let stage = match instance.condition {
        _ if instance.goal == Goal::Stopped => Stage::Leaving,
        Condition::Scheduled => Stage::Waiting,
        _ if instance.is_ready() => Stage::Ready,
        _ => Stage::Unready,
    };
    (instance.config, stage)
}

fn see(instance: &Instance) -> Seen {
    let (config, stage) = counted(instance);
    Seen { id: instance.id.clone(), config, stage, since: instance.staged_at.unwrap_or(instance.since) }
}

/// Whether an app whose instance ended so is to be launched more slowly. A kill, also for health, is no reason.
fn slows_down(state: TaskState) -> bool {
    !matches!(state, TaskState::TaskKilled | TaskState::TaskUnreachable)
}

fn condition_of_end(state: TaskState) -> &'static str {
    match state {
        TaskState::TaskFinished => "Finished",
        TaskState::TaskFailed => "Failed",
        TaskState::TaskKilled => "Killed",
        TaskState::TaskError => "Error",
        TaskState::TaskDropped => "Dropped",
        TaskState::TaskGone | TaskState::TaskGoneByOperator | TaskState::TaskLost => "Gone",
        _ => "Unknown",
    }
}
