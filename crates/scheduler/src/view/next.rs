//! The next thing that is done about an instance, when, and why. In: a [`View`] at the core's parts. Out: a kind for
//! scripts, a moment where one is known, and the words that people read everywhere, with the one that leads to the moment.

use std::time::Duration;

use checks::Verdict;
use serde_json::{Value, json};

use super::health::grace_until;
use crate::core::View;
use crate::definition::strategy::UnreachableStrategy;
use crate::definition::{HealthCheck, RunSpec};
use crate::deployment::Deployment;
use crate::health::Health;
use crate::instance::{Condition, Instance, Paused};
use crate::refusals::Refusals;
use crate::time::{Moment, Now, Timestamp};

/// The next thing, by its kind.
struct Next {
    kind: &'static str,
    text: String,
    when: Option<When>,
}

/// The meaning of the moment beside the words.
enum When {
    /// It is done then, or not before.
    At(Timestamp),
    /// It is so from then on.
    From(Timestamp),
    /// It is so until then.
    Until(Timestamp),
}

fn next(kind: &'static str, text: impl Into<String>, when: Option<When>) -> Option<Next> {
    Some(Next { kind, text: text.into(), when })
}

/// The next thing of an app that nobody leads on.
pub(super) fn standstill() -> Value {
    shown(next("word", "stays so until somebody changes it: send it again, or go back to a version of before", None))
}

impl View<'_> {
    /// Null while there is nothing to be done.
    pub(super) fn next_action(&self, instance: &Instance, now: Now) -> Value {
        let Some(app) = self.definitions.of(instance) else { return Value::Null };
        let action = match instance.condition {
            Condition::Scheduled => self.launch(instance, now),
            Condition::Staging | Condition::Starting => {
                let told = instance.message.clone().unwrap_or_else(|| "starts".to_owned());
                next("start", told, None)
            }
            Condition::Killing => next("end", "was told to end", instance.killed.asked_at().map(When::At)),
            Condition::Running if instance.killed.is_asked() => {
                next("end", "was told to end", instance.killed.asked_at().map(When::At))
            }
            Condition::Running => self.of_running(app, instance, now),
            Condition::Unreachable => replaced(app, instance),
        };
        shown(action)
    }

    /// The next thing that is done about a deployment that waits.
    pub(super) fn next_of_deployment(&self, deployment: &Deployment, now: Now) -> Value {
        let step = deployment.step();
        if step.actions.iter().any(|action| deployment.canary(&action.app).is_some()) {
            return shown(next("word", "waits for somebody to continue it, or to take it back", None));
        }
        let deadline = deployment.deadline().and_then(|moment| at(now, moment.since(now.moment)));
        shown(match deadline {
            Some(deadline) => next("deadline", "is taken back if it is not done by then", Some(When::At(deadline))),
            None => next("step", going_on(deployment), None),
        })
    }

    fn launch(&self, instance: &Instance, now: Now) -> Option<Next> {
        let (delay, failures) =
            (self.queue.delay(&instance.app, now.moment), self.queue.failures(&instance.app, now.moment));
        if !delay.is_zero() {
            return next(
                "launch",
                format!("is launched again after {}", times(failures, "failure")),
                at(now, delay).map(When::At),
            );
        }
        match self.queue.refusals(&instance.app).and_then(Refusals::main_reason) {
            Some(reason) => {
                next("offer", format!("waits for an offer that fits: the last ones {}", reason.words()), None)
            }
            None => next("offer", "waits for an offer", None),
        }
    }

    /// The time at which the brake may let it go: when a kill of its app is forgotten, if that has had all it may, or one
    /// of others.
    fn eases_at(&self, instance: &Instance, now: Now) -> Option<Moment> {
        let limits = self.limits_of(&instance.app);
        let used = self.brake.used(&instance.app, &limits, self.instances.running(&instance.app), now.moment);
        let own = used.filter(|used| used.kills >= used.most).and_then(|used| used.eases_at);
        own.or_else(|| self.brake.eases_at(|app| self.limits_of(app)))
    }

    fn of_running(&self, app: &RunSpec, instance: &Instance, now: Now) -> Option<Next> {
        if let Some(paused) = instance.checked.paused {
            return paused_checks(paused);
        }
        if self.brake.holds(&instance.app, &instance.id) {
            let eases = self.eases_at(instance, now).and_then(|moment| at(now, moment.since(now.moment)));
            let text = "is held by the brake, because many were killed; it admits the next kill";
            return next("held", text, eases.map(When::At));
        }
        let known = || app.health_checks.iter().zip(&instance.checked.health);
        let again = || next("checker", "is judged again once its checker goes on", None);
        known()
            .filter(|(_, health)| health.verdict == Verdict::Unhealthy)
            .find_map(|(check, health)| killed(check, health))
            .or_else(|| known().find_map(|(check, health)| awaited(check, health, instance, now.wall)))
            .or_else(|| instance.checked.awaits_readiness.then(|| next("ready", "waits to be ready", None)).flatten())
            .or_else(|| self.unchecked(instance, now).and_then(|_| again()))
    }
}

/// The apps that come after a step, as far as they wait for it.
fn going_on(deployment: &Deployment) -> String {
    let step = deployment.step();
    let now: Vec<_> = step.actions.iter().map(|action| &action.app).collect();
    let later = deployment.steps.iter().skip(deployment.current + 1).flat_map(|step| &step.actions);
    let mut later: Vec<_> = later.map(|action| &action.app).filter(|app| !now.contains(app)).collect();
    later.dedup();
    match later.first() {
        None => "goes on once its step is done".to_owned(),
        Some(app) if later.len() == 1 => format!("goes on with {app} once its step is done"),
        Some(app) => format!("goes on with {app} and {} more once its step is done", later.len() - 1),
    }
}

fn shown(action: Option<Next>) -> Value {
    let Some(Next { kind, text, when }) = action else { return Value::Null };
    let (link, at) = match when {
        None => (None, None),
        Some(When::At(at)) => (Some("at"), Some(at)),
        Some(When::From(at)) => (Some("from"), Some(at)),
        Some(When::Until(at)) => (Some("until"), Some(at)),
    };
    json!({"kind": kind, "text": text, "at": at, "link": link})
}

/// The kill of an instance for a check that fails.
fn killed(check: &HealthCheck, health: &Health) -> Option<Next> {
    let Some(most) = check.kills_at() else { return next("none", "is never killed for it", None) };
    let left = most.saturating_sub(health.consecutive_failures);
    let last = health.last_failure.or_else(|| health.last_attempt.as_ref().map(|attempt| attempt.at));
    let earliest = last.map(|last| last.plus(check.interval_seconds.duration().saturating_mul(left)));
    let text = format!("is killed at failure {most} ({} so far)", health.consecutive_failures);
    next("kill", text, earliest.map(When::At))
}

/// The first verdict of a check that has none.
fn awaited(check: &HealthCheck, health: &Health, instance: &Instance, now: Timestamp) -> Option<Next> {
    if health.verdict != Verdict::Unknown {
        return None;
    }
    let grace = grace_until(check, health, instance, now);
    let failed = times(health.forgiven_failures, "failure");
    match (&health.last_attempt, grace) {
        (Some(last), Some(_)) if health.forgiven_failures > 0 => next(
            "grace",
            format!("failures count after its grace period ({failed} so far, last: {})", last.cause),
            grace.map(When::From),
        ),
        (Some(last), _) => next("check", format!("waits for a verdict; last: {}", last.cause), None),
        (None, _) => {
            let first = instance.times.started_at.map(|at| at.plus(check.delay_seconds.duration()));
            next("check", "waits for its first health check", first.map(When::At))
        }
    }
}

fn paused_checks(paused: Paused) -> Option<Next> {
    match paused.until() {
        Some(until) => next("paused", "is not checked: its checks are paused", Some(When::Until(until))),
        None => next("paused", "is not checked until somebody resumes its checks", None),
    }
}

fn replaced(app: &RunSpec, instance: &Instance) -> Option<Next> {
    match app.unreachable_strategy {
        UnreachableStrategy::Named(_) => next("agent", "waits for its agent, which is not heard of", None),
        UnreachableStrategy::After { inactive_after_seconds, .. } if !instance.given_up => {
            let at = instance.times.since.plus(inactive_after_seconds.duration());
            next("agent", "is replaced if its agent is not heard of by then", Some(When::At(at)))
        }
        UnreachableStrategy::After { expunge_after_seconds, .. } => {
            let at = instance.times.since.plus(expunge_after_seconds.duration());
            next("agent", "was replaced, and is forgotten if its agent is not heard of by then", Some(When::At(at)))
        }
    }
}

fn at(now: Now, delay: Duration) -> Option<Timestamp> {
    Some(now.wall.plus(delay))
}

fn times(count: u32, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}
