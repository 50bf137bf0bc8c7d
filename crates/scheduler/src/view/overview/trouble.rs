//! The trouble that an instance is in, or a deployment: by what it is and for how long. Pure.

use std::time::Duration;

use checks::Verdict;

use crate::core::View;
use crate::deployment::Deployment;
use crate::ids::AppId;
use crate::instance::{Condition, Goal, Instance};
use crate::time::Now;

/// The longest that an offer, a start, an end or a deployment is waited for without a word.
const SHORT: Duration = Duration::from_secs(30);

/// The longest that a first verdict is: checks begin late, and are not made every second.
const FIRST_VERDICT: Duration = Duration::from_secs(120);

/// Kinds of trouble, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// Fails a health check.
    Unhealthy,
    /// Does not come up: fails again and again, or has not passed its checks yet and fails them.
    Failing,
    /// Is unhealthy, and is not killed for now.
    Held,
    /// Waits for an offer for too long.
    Waiting,
    /// Is on an agent that is not heard of.
    Unreachable,
    /// Is healthy, and not checked any more.
    Unchecked,
    /// Is an agent that does not tell whether checks are made.
    Untelling,
    /// Takes long to start, to be ready, or to end.
    Slow,
    /// Is an app that was left on its way.
    Halted,
    /// Is a deployment that waits.
    Deployment,
}

const NAMES: [(Trouble, &str); 10] = [
    (Trouble::Unhealthy, "unhealthy"),
    (Trouble::Failing, "failing"),
    (Trouble::Held, "held"),
    (Trouble::Waiting, "waiting"),
    (Trouble::Unreachable, "unreachable"),
    (Trouble::Unchecked, "unchecked"),
    (Trouble::Untelling, "untelling"),
    (Trouble::Slow, "slow"),
    (Trouble::Halted, "halted"),
    (Trouble::Deployment, "deployment"),
];

impl Trouble {
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(trouble, _)| *trouble == self).map_or("", |(_, name)| name)
    }

    pub(super) fn of_name(name: &str) -> Option<Trouble> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(trouble, _)| *trouble)
    }
}

impl<'a> View<'a> {
    /// The trouble of an instance that is not ready; none if that is only for a moment.
    pub(super) fn trouble(&self, instance: &Instance, now: Now) -> Option<Trouble> {
        let lasts = |longest: Duration| now.wall.since(instance.times.since) > longest;
        if instance.goal == Goal::Stopped || instance.killed.is_asked() {
            let ends = instance.killed.is_asked_for_health() && instance.goal == Goal::Running;
            let too_long = instance.killed.asked_at().is_some_and(|at| now.wall.since(at) > SHORT);
            return if ends { Some(Trouble::Unhealthy) } else { too_long.then_some(Trouble::Slow) };
        }
        let fails = || instance.incarnation > 1 && self.queue.fails(&instance.app, now.moment);
        match instance.condition {
            Condition::Running => self.trouble_of_running(instance, fails, lasts(FIRST_VERDICT)),
            Condition::Unreachable => Some(Trouble::Unreachable),
            _ if fails() => Some(Trouble::Failing),
            Condition::Scheduled => lasts(SHORT).then_some(Trouble::Waiting),
            Condition::Staging | Condition::Starting | Condition::Killing => lasts(SHORT).then_some(Trouble::Slow),
        }
    }

    /// The instances of an app that fails that are ready again only since a moment: within the app's longest launch delay
    /// after a failure. Without checks, what crashes again and again looks well in between.
    pub(super) fn run_again(&self, app: &AppId, now: Now) -> Vec<&'a Instance> {
        let fails = |instance: &&Instance| {
            let Some(app) = self.definitions.of(instance) else { return false };
            let longest = app.max_launch_delay_seconds.duration();
            instance.is_ready() && instance.incarnation > 1 && now.wall.since(instance.times.since) <= longest
        };
        self.instances.of(app).filter(fails).collect()
    }

    fn trouble_of_running(&self, instance: &Instance, fails: impl Fn() -> bool, is_late: bool) -> Option<Trouble> {
        match instance.checked.verdict() {
            Verdict::Healthy if instance.checked.paused.is_some() => None,
            _ if instance.checked.paused.is_some() => Some(Trouble::Held),
            Verdict::Unhealthy if self.brake.holds(&instance.app, &instance.id) => Some(Trouble::Held),
            Verdict::Unhealthy => Some(Trouble::Unhealthy),
            _ if instance.checked.health.iter().any(|health| health.forgiven_failures > 0 || health.missed) => {
                Some(Trouble::Failing)
            }
            Verdict::Unknown if fails() => Some(Trouble::Failing),
            _ => is_late.then_some(Trouble::Slow),
        }
    }
}

/// True if a deployment waits: for somebody's word on its canary, or for longer than a moment.
pub(super) fn waits(deployment: &Deployment, now: Now) -> bool {
    now.wall.since(deployment.begun) > SHORT
}
