//! Counts of an app's tasks by state, as `GET /v2/apps` shows them. Kept up with every change, so that a look every second
//! costs the same with ten tasks and with ten thousand. Pure.

use checks::Verdict;

use crate::instance::{Condition, Instance};

/// Of one app, or of one instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct States {
    /// Launched, and not heard of.
    pub staged: usize,
    /// Running, whatever their health.
    pub running: usize,
    /// Of whatever has a task, what is healthy.
    pub healthy: usize,
    /// And what is not.
    pub unhealthy: usize,
}

impl States {
    /// The counts of one instance.
    pub(crate) fn of(instance: &Instance) -> States {
        if !instance.has_task() {
            return States::default();
        }
        let (condition, verdict) = (instance.condition, instance.checked.verdict());
        let is_sick = instance.checked.health.iter().any(|health| health.shown() == Verdict::Unhealthy);
        States {
            staged: usize::from(condition == Condition::Staging),
            running: usize::from(condition == Condition::Running),
            healthy: usize::from(verdict == Verdict::Healthy),
            unhealthy: usize::from(is_sick),
        }
    }

    pub(crate) fn add(&mut self, other: States) {
        *self = self.plus(other);
    }

    pub(crate) fn plus(mut self, other: States) -> States {
        self.with(other, |one, other| one + other);
        self
    }

    pub(crate) fn remove(&mut self, other: States) {
        self.with(other, usize::saturating_sub);
    }

    fn with(&mut self, other: States, of: impl Fn(usize, usize) -> usize) {
        *self = States {
            staged: of(self.staged, other.staged),
            running: of(self.running, other.running),
            healthy: of(self.healthy, other.healthy),
            unhealthy: of(self.unhealthy, other.unhealthy),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::RunSpec;
    use crate::ids::{AppId, InstanceId};
    use crate::time::Timestamp;

    #[test]
    fn an_instance_counts_once_it_has_a_task() {
        let at = Timestamp::from_millis;
        let mut app = RunSpec::new(AppId::new("a"), at(0));
        app.health_checks = serde_json::from_str("[{}]").unwrap();
        let mut instance = Instance::scheduled(InstanceId::new(&app.id, "u"), &app, at(0));
        assert_eq!(States::of(&instance), States::default());
        instance.enter(Condition::Running, at(1));
        let mut all = States::default();
        all.add(States::of(&instance));
        assert_eq!((all.running, all.healthy, all.unhealthy), (1, 0, 0));
        all.remove(States::of(&instance));
        instance.checked.health[0].failed(at(2), "refused", 1);
        all.add(States::of(&instance));
        assert_eq!((all.running, all.healthy, all.unhealthy), (1, 0, 1));
    }
}
