//! One entry of what is not well: how it is, since when, why, what is done next and when, and what was before.

use checks::Verdict;
use serde_json::{Value, json};

use super::Patient;
use super::trouble::Trouble;
use crate::check_name::check_name;
use crate::core::{Unchecked, View};
use crate::deployment::Deployment;
use crate::health::Health;
use crate::instance::{Condition, Instance};
use crate::time::{Now, Timestamp};
use crate::view::halted::Halted;
use crate::view::unchecked::{self, agent_entry};

/// The most apps of a deployment that are named.
const NAMED: usize = 10;

impl View<'_> {
    pub(super) fn entry(&self, patient: Patient<'_>, now: Now) -> Value {
        match patient {
            Patient::Instance(instance, trouble, _) => self.instance_entry(instance, trouble, now),
            Patient::Unchecked(instance, found) => self.unchecked_entry(instance, found, now),
            Patient::Agent(found) => agent_entry(found),
            Patient::Halted(halted) => halted_entry(halted),
            Patient::Deployment(deployment) => self.deployment_entry(deployment, now),
        }
    }

    fn instance_entry(&self, instance: &Instance, trouble: Trouble, now: Now) -> Value {
        let blamed = blamed(instance);
        let named = |(index, _): (usize, &Health)| {
            let app = self.definitions.of(instance)?;
            let name = check_name(app, app.health_checks.get(index)?, instance);
            Some(json!({"index": index, "name": name}))
        };
        let check = blamed.and_then(named);
        json!({
            "kind": trouble.name(), "text": how(instance, trouble), "since": since(instance, trouble),
            "app": instance.app, "instance": instance.id, "incarnation": instance.incarnation,
            "restarts": instance.incarnation - 1, "host": instance.place.host,
            "task": instance.has_task().then(|| instance.unhealthy_task_id()),
            "check": check, "why": self.why(instance),
            "nextAction": self.next_action(instance, now), "before": self.before(instance),
        })
    }

    fn unchecked_entry(&self, instance: &Instance, found: Unchecked, now: Now) -> Value {
        let mut entry = self.instance_entry(instance, Trouble::Unchecked, now);
        (entry["since"], entry["why"]) = (json!(found.since), json!(unchecked::why(found)));
        entry
    }

    /// The cause in words, as far as one is known.
    pub(in crate::view) fn why(&self, instance: &Instance) -> Option<String> {
        if let Some((_, health)) = blamed(instance) {
            let attempt = health.last_attempt.as_ref();
            let cause = health.last_failure_cause.as_ref().or_else(|| attempt.map(|attempt| &attempt.cause))?;
            let said = attempt.and_then(|attempt| attempt.said_by_command());
            return Some(said.map_or_else(|| cause.clone(), |said| format!("{cause}: {said}")));
        }
        match instance.condition {
            Condition::Unreachable => {
                let host = instance.place.host.as_deref().unwrap_or("unknown");
                Some(format!("the agent at {host} is not heard of"))
            }
            Condition::Scheduled if instance.incarnation == 1 => self.lack(instance),
            Condition::Scheduled => self.last_end(instance).or_else(|| self.lack(instance)),
            _ => instance.message.clone().or_else(|| self.last_end(instance)),
        }
    }

    fn lack(&self, instance: &Instance) -> Option<String> {
        let app = self.definitions.of(instance)?;
        let lack = self.queue.refusals(&instance.app).and_then(|refusals| refusals.main_lack(app));
        Some(lack.map_or_else(|| "no offer has come".to_owned(), |lack| format!("the last offers {lack}")))
    }

    /// How its last task ended, and the last of what that said.
    fn last_end(&self, instance: &Instance) -> Option<String> {
        let ended = self.endings.of(&instance.app).find(|ended| ended.instance == instance.id)?;
        let said = ended.end().last_error().map(|said| format!(": {said}"));
        Some(format!("{}{}", ended.words(), said.unwrap_or_default()))
    }

    /// The last end of one of its tasks, or the last change of a verdict, whichever was later.
    fn before(&self, instance: &Instance) -> Value {
        let ended = self.endings.of(&instance.app).find(|ended| ended.instance == instance.id);
        let ended =
            ended.map(|ended| (ended.ended_at, json!({"kind": "end", "at": ended.ended_at, "text": ended.words()})));
        let change = instance.checked.changes.all().rev().nth(usize::from(blamed(instance).is_some()));
        let change = change.map(|change| {
            let text = format!("{}became {}", self.which_of_several(instance, change.check), change.verdict.as_str());
            (change.at, json!({"kind": "verdict", "at": change.at, "text": text, "cause": change.cause}))
        });
        let last = [ended, change].into_iter().flatten().max_by_key(|(at, _)| *at);
        last.map_or(Value::Null, |(_, last)| last)
    }

    /// The name of a check before what is said of it, if the app has several.
    fn which_of_several(&self, instance: &Instance, index: usize) -> String {
        let app = self.definitions.of(instance).filter(|app| app.health_checks.len() > 1);
        let name = app.and_then(|app| Some(check_name(app, app.health_checks.get(index)?, instance)));
        name.map_or_else(String::new, |name| format!("{name} "))
    }

    fn deployment_entry(&self, deployment: &Deployment, now: Now) -> Value {
        let step = deployment.step();
        let waits = step.actions.iter().filter_map(|action| {
            let waits_for = self.progress(&action.app, now)?.waits_for();
            (!waits_for.is_empty()).then(|| format!("{}: {}", action.app, waits_for.join(", ")))
        });
        let why: Vec<_> = waits.take(NAMED).collect();
        json!({
            "kind": Trouble::Deployment.name(), "text": "is under way and waits", "since": deployment.begun,
            "deployment": deployment.id, "apps": deployment.changes.keys().take(NAMED).collect::<Vec<_>>(),
            "appCount": deployment.changes.len(), "step": deployment.current + 1, "steps": deployment.steps.len(),
            "why": (!why.is_empty()).then(|| why.join("; ")),
            "nextAction": self.next_of_deployment(deployment, now), "before": Value::Null,
        })
    }
}

fn halted_entry(halted: Halted<'_>) -> Value {
    let mut entry = halted.json();
    (entry["kind"], entry["app"]) = (json!(Trouble::Halted.name()), json!(halted.app));
    entry
}

/// The time since when an instance is not well: since the first failure in a row, or when a check fails, or else since when
/// it is what it is.
pub(super) fn since(instance: &Instance, trouble: Trouble) -> Timestamp {
    let row = instance.times.fails_since.filter(|_| trouble == Trouble::Failing);
    let blamed = || blamed(instance).and_then(|(_, health)| health.since);
    row.or_else(blamed).unwrap_or(instance.times.since)
}

/// The time since when an instance that is well is so.
pub(super) fn well_since(instance: &Instance) -> Timestamp {
    let checks = instance.checked.health.iter().filter_map(|health| health.since);
    checks.fold(instance.times.since, Timestamp::max)
}

/// The check that an instance is not well for: one that fails, or else one that has not passed yet and fails.
fn blamed(instance: &Instance) -> Option<(usize, &Health)> {
    if !matches!(instance.condition, Condition::Running | Condition::Killing) {
        return None;
    }
    let all = || instance.checked.health.iter().enumerate();
    let fails = |(_, health): &(usize, &Health)| health.verdict == Verdict::Unhealthy;
    let is_forgiven = |(_, health): &(usize, &Health)| health.forgiven_failures > 0 || health.missed;
    all().find(fails).or_else(|| all().find(is_forgiven))
}

fn how(instance: &Instance, trouble: Trouble) -> &'static str {
    match (trouble, instance.condition) {
        (Trouble::Unhealthy, _) if instance.killed.is_asked() => "is unhealthy and was told to end",
        (Trouble::Unhealthy, _) => "is unhealthy",
        (Trouble::Failing, Condition::Running) if instance.is_ready() => "runs again after it failed",
        (Trouble::Failing, Condition::Running) => "runs and has not passed its health checks yet",
        (Trouble::Failing, _) => "fails again and again",
        (Trouble::Held, _) if instance.checked.paused.is_some() => "is not healthy and not checked",
        (Trouble::Held, _) => "is unhealthy and held",
        (Trouble::Unchecked, _) => "is healthy, but not checked",
        (Trouble::Waiting, _) => "waits for an offer",
        (Trouble::Unreachable, _) => "is on an agent that is not heard of",
        (Trouble::Slow, _) if instance.killed.is_asked() => "takes long to end",
        (Trouble::Slow, Condition::Running) => "runs and is not known to be ready",
        (Trouble::Slow | Trouble::Untelling | Trouble::Halted | Trouble::Deployment, _) => "takes long to start",
    }
}
