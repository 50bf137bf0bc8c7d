//! Instances with the reasons for how they are: each check by name, and what is done next. In: a [`View`] at the core's
//! parts. Out: JSON; none of it is Marathon's, and it is shown to those who ask for it.

use serde_json::{Value, json};

use super::{paused_until, unchecked};
use crate::check_name::question;
use crate::core::View;
use crate::definition::{HealthCheck, RunSpec};
use crate::health::{Change, Health};
use crate::ids::{AppId, InstanceId};
use crate::instance::{Condition, Instance};
use crate::time::{Now, Timestamp};

impl View<'_> {
    /// An instance beside its task: its checks, the last changes of their verdicts, and what is done next.
    pub(super) fn explained_json(&self, instance: &Instance, now: Now) -> Value {
        let checks: Vec<_> = self.definitions.of(instance).map_or_else(Vec::new, |app| checks(app, instance, now.wall));
        json!({
            "instance": instance.id, "incarnation": instance.incarnation, "restarts": instance.incarnation - 1,
            "verdict": instance.checked.verdict().as_str(), "since": instance.times.since,
            "checks": checks, "changes": instance.checked.changes.all().rev().map(change).collect::<Vec<_>>(),
            "checksPausedUntil": instance.checked.paused.map(paused_until),
            "unchecked": unchecked::json(self.unchecked(instance, now)),
            "nextAction": self.next_action(instance, now),
        })
    }

    /// The health checks of an instance, as they stand; none of one that is gone.
    pub(crate) fn checks_of(&self, id: &InstanceId, now: Now) -> Vec<Value> {
        let instance = self.instances.get(id);
        let found = instance.and_then(|instance| Some((self.definitions.of(instance)?, instance)));
        found.map_or_else(Vec::new, |(app, instance)| checks(app, instance, now.wall))
    }

    /// The instances of an app that have no task: since when, and what is done next.
    pub(super) fn waiting_json(&self, app: &AppId, now: Now) -> Vec<Value> {
        let waiting = self.instances.of(app).filter(|instance| instance.condition == Condition::Scheduled);
        waiting
            .map(|instance| {
                json!({"instance": instance.id, "incarnation": instance.incarnation, "since": instance.times.since,
                    "why": self.why(instance), "restarts": instance.incarnation - 1, "nextAction": self.next_action(instance, now),
                    "changes": instance.checked.changes.all().rev().map(change).collect::<Vec<_>>()})
            })
            .collect()
    }
}

/// All health checks of an instance, those without a result, too.
fn checks(app: &RunSpec, instance: &Instance, now: Timestamp) -> Vec<Value> {
    let known = app.health_checks.iter().zip(&instance.checked.health).enumerate();
    known
        .map(|(index, (check, health))| {
            let asks = question(app, check, instance);
            check_json(index, check, health, &asks, grace_until(check, health, instance, now))
        })
        .collect()
}

fn check_json(index: usize, check: &HealthCheck, health: &Health, asks: &str, grace: Option<Timestamp>) -> Value {
    let mut json = json!({
        "index": index, "name": check.name.as_deref().unwrap_or(asks), "protocol": check.protocol, "asks": asks,
        "verdict": health.verdict.as_str(), "since": health.since,
        "consecutiveFailures": health.consecutive_failures, "consecutiveSuccesses": health.consecutive_successes,
        "maxConsecutiveFailures": check.max_consecutive_failures, "killsAt": check.kills_at(),
        "intervalSeconds": check.interval_seconds, "madeBy": if check.protocol.is_native() { "executor" } else { "scheduler" },
        "lastSuccess": health.last_success, "lastFailure": health.last_failure,
        "lastFailureCause": health.last_failure_cause, "lastAttempt": health.last_attempt,
    });
    if let Some(until) = grace {
        json["grace"] = json!({"until": until, "failures": health.forgiven_failures});
    }
    json
}

/// The end of the grace period of a check that has not succeeded yet, while it lasts.
pub(super) fn grace_until(
    check: &HealthCheck,
    health: &Health,
    instance: &Instance,
    now: Timestamp,
) -> Option<Timestamp> {
    let started = instance.times.started_at.filter(|_| health.first_success.is_none())?;
    Some(started.plus(check.grace_period_seconds.duration())).filter(|until| *until > now)
}

fn change(change: &Change) -> Value {
    json!({"at": change.at, "incarnation": change.incarnation, "check": change.check,
        "verdict": change.verdict.as_str(), "cause": change.cause})
}
