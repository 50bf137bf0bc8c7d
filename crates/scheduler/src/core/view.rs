//! The core's parts, to be looked at, and what they are only together.

use super::definitions::Definitions;
use super::drains::Drains;
use super::endings::Endings;
use super::figures::Figures;
use super::instances::Instances;
use super::kills::Kills;
use super::lateness::Lateness;
use super::link::Link;
use super::outbox::Outbox;
use super::past::PastDeployments;
use super::queue::Queue;
use super::reconciliation::Reconciliation;
use super::rollouts::Rollouts;
use super::settings::LaunchSettings;
use super::{Core, Refusal};
use crate::brake::{AppLimits, Brake};
use crate::definition::RunSpec;
use crate::definition::strategy::UpgradeStrategy;
use crate::deployment::Change;
use crate::ids::{AppId, InstanceId};
use crate::instance::Instance;
use crate::instance::failure::TaskFailure;
use crate::plan::Target;
use crate::progress::{Counts, Progress};
use crate::refusals::Refusals;
use crate::time::Now;

/// A view of the core: its parts, none of which can be changed through it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub definitions: &'a Definitions,
    pub instances: &'a Instances,
    pub endings: &'a Endings,
    pub figures: &'a Figures,
    pub rollouts: &'a Rollouts,
    pub past: &'a PastDeployments,
    pub link: &'a Link,
    pub reconciliation: &'a Reconciliation,
    pub queue: &'a Queue,
    pub launches: &'a LaunchSettings,
    pub out: &'a Outbox,
    pub kills: &'a Kills,
    pub brake: &'a Brake,
    pub drains: &'a Drains,
    pub lateness: &'a Lateness,
}

impl Core {
    /// A view of it as it is now.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            definitions: &self.definitions,
            instances: &self.instances,
            endings: &self.endings,
            figures: &self.figures,
            rollouts: &self.rollouts,
            past: &self.past,
            link: &self.link,
            reconciliation: &self.reconciliation,
            queue: &self.queue,
            launches: &self.launches,
            out: &self.out,
            kills: &self.kills,
            brake: &self.brake,
            drains: &self.drains,
            lateness: &self.lateness,
        }
    }
}

impl<'a> View<'a> {
    /// The definition and target of an app: those wanted, or, while a deployment has not come to it, those of before.
    pub(crate) fn in_force(&self, id: &AppId) -> Option<(&'a RunSpec, Target)> {
        let record = self.definitions.get(id)?;
        let deployment = self.rollouts.of(id);
        let most_new = record.halted.then_some(0).or_else(|| deployment?.canary(id));
        Some(match deployment.and_then(|deployment| deployment.waiting(id)) {
            None if record.removed => (&record.app, gone(&record.app)),
            None => (&record.app, Target { most_new, ..target(&record.app) }),
            Some(Change { before: Some(before), .. }) => (before, Target { most_new: Some(0), ..target(before) }),
            Some(_) => (&record.app, gone(&record.app)),
        })
    }

    /// The progress of an app.
    pub(crate) fn progress(&self, id: &AppId, now: Now) -> Option<Progress> {
        let (_, target) = self.in_force(id)?;
        let failure = self.definitions.get(id).and_then(|record| record.last_failure.as_ref());
        let of_this = |instance: &&Instance| instance.config == target.config;
        Some(Progress {
            wanted: usize::try_from(target.instances).unwrap_or(usize::MAX),
            delay: self.queue.delay(id, now.moment),
            held: self.brake.held_of(id).count(),
            refused: self.queue.refusals(id).and_then(Refusals::main_reason),
            canary: self.rollouts.of(id).and_then(|deployment| deployment.canary(id)),
            counts: Counts::of(self.instances.of(id), target.config),
            launching: self.instances.of(id).filter(of_this).find_map(|instance| instance.message.clone()),
            failure: failure.filter(|failure| failure.version == target.config).map(TaskFailure::words),
        })
    }

    /// The limits on kills for health of an app: the newest definition says, whatever instances were launched with.
    pub(crate) fn limits_of(&self, app: &AppId) -> AppLimits {
        self.brake.limits_of(self.definitions.get(app).and_then(|record| record.app.brake.as_ref()))
    }

    /// The definition that an instance was, or will be, launched with.
    pub(crate) fn spec_of(&self, id: &InstanceId) -> Option<&'a RunSpec> {
        self.definitions.of(self.instances.get(id)?)
    }

    /// True if checks of an instance are made by its executor; of a pod all are.
    pub(crate) fn is_checked_by_executor(&self, instance: &Instance) -> bool {
        let spec = self.definitions.of(instance);
        spec.is_some_and(|spec| {
            spec.pod().is_some() || spec.health_checks.iter().any(|check| check.protocol.is_native())
        })
    }

    /// The tasks of an app, which must exist.
    pub(crate) fn tasks_of(&self, id: &AppId) -> Result<Vec<&'a Instance>, Refusal> {
        self.definitions.no_pod(id)?;
        self.definitions.wanted(id)?;
        Ok(self.instances.tasks_of(id).collect())
    }

    /// The instances of a pod, which must exist, that have one of these names.
    pub(crate) fn instances_of_pod(&self, id: &AppId, names: &[String]) -> Result<Vec<InstanceId>, Refusal> {
        self.definitions.pod(id)?;
        let all = self.instances.of(id).map(|instance| instance.id.clone());
        Ok(all.filter(|id| names.iter().any(|name| name == id.as_str())).collect())
    }
}

/// The target of an app that is as wanted.
fn target(app: &RunSpec) -> Target {
    Target {
        instances: app.instances,
        config: app.config_version(),
        strategy: app.upgrade_strategy,
        selection: app.kill_selection,
        most_new: None,
    }
}

/// Of a removed one, no instance, and no ceremony.
fn gone(app: &RunSpec) -> Target {
    let strategy =
        UpgradeStrategy { minimum_health_capacity: 0.0, maximum_over_capacity: 0.0, ..UpgradeStrategy::default() };
    Target { instances: 0, strategy, ..target(app) }
}
