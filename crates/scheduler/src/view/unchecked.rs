//! Instances whose checks are not made, as far as their agents tell: their verdict stands, nobody blames them, and nothing is
//! decided by it. In: a [`View`] at the core's parts. Out: [`Unchecked`] with its words, for the overview and beside a task.

use std::collections::BTreeSet;

use checks::Verdict;
use serde_json::{Value, json};

use crate::core::{Lack, Unchecked, Untelling, View, checked_at};
use crate::executor::Executor;
use crate::ids::AppId;
use crate::instance::{Condition, Instance};
use crate::time::Now;

impl<'a> View<'a> {
    /// The instances of a group that are ready as far as anybody knows, and healthy, and not checked.
    pub(super) fn unchecked_within(&self, group: &AppId, now: Now) -> Vec<(&'a Instance, Unchecked)> {
        if self.lateness.is_quiet(now) {
            return Vec::new();
        }
        let is_well = |instance: &&Instance| instance.is_ready() && instance.checked.verdict() == Verdict::Healthy;
        let all = self.instances.values().filter(|instance| instance.app.is_within(group)).filter(is_well);
        all.filter_map(|instance| Some((instance, self.unchecked(instance, now)?))).collect()
    }

    /// The agents that do not tell all of what is on them of a group.
    pub(super) fn untelling_within(&self, group: &AppId, now: Now) -> Vec<Untelling<'a>> {
        let mut found: Vec<_> = self.lateness.untelling(now).collect();
        if !found.is_empty() && !group.is_root() {
            let within = self.instances.values().filter(|instance| instance.app.is_within(group));
            let concerned: BTreeSet<&str> = within.filter_map(checked_at).map(|(agent_id, _)| agent_id).collect();
            found.retain(|found| concerned.contains(found.agent_id));
        }
        found
    }

    /// The lack of checks of an instance that runs, and whose checks nobody has paused.
    pub(super) fn unchecked(&self, instance: &Instance, now: Now) -> Option<Unchecked> {
        if instance.condition != Condition::Running || instance.checked.paused.is_some() {
            return None;
        }
        let agent_id = instance.place.agent_id.as_deref()?;
        let id = if instance.members.is_empty() { instance.task_id() } else { instance.executor_id() };
        let unchecked = self.lateness.of(agent_id, &id, now)?;
        let is_pooled = self.is_checked_by_executor(instance) && self.has_agents_executor(instance);
        Some(unchecked).filter(|_| is_pooled && !instance.checked.health.is_empty())
    }

    /// True if its executor is its agent's own: others have a process of their own, which nobody asks.
    fn has_agents_executor(&self, instance: &Instance) -> bool {
        let app = self.definitions.of(instance).and_then(|spec| spec.app());
        let command = self.launches.executor_command.as_ref();
        app.is_none_or(|app| Executor::of(app, command) == Executor::Agents)
    }
}

/// As beside a task.
pub(super) fn json(unchecked: Option<Unchecked>) -> Value {
    unchecked.map_or(Value::Null, |unchecked| json!({"since": unchecked.since, "why": why(unchecked)}))
}

/// An agent, as in the overview.
pub(super) fn agent_entry(found: Untelling<'_>) -> Value {
    let (text, why) = match found.lack {
        Lack::All(why) => ("does not tell whether its tasks are checked".to_owned(), Some(why)),
        Lack::Names(1) => ("has 1 more task that is not checked".to_owned(), None),
        Lack::Names(more) => (format!("has {more} more tasks that are not checked"), None),
    };
    let next = json!({"kind": "checker", "text": "is asked again while somebody looks", "at": null, "link": null});
    json!({
        "kind": "untelling", "text": text, "since": found.since, "agent": found.agent_id, "host": found.host,
        "why": why, "nextAction": next, "before": null,
    })
}

pub(super) fn why(unchecked: Unchecked) -> &'static str {
    match unchecked.is_silent {
        true => "its checker answers nothing",
        false => "its checker is behind: no attempt has ended since then",
    }
}
