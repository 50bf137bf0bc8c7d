//! How far an app is on its way to what is wanted of it, and what it waits for: in numbers and in words. Pure.

use std::time::Duration;

use serde_json::{Value, json};

use crate::instance::{Condition, Goal, Instance};
use crate::refusals::Reason;
use crate::time::Timestamp;

/// Instances of one app, by what they lack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How many are wanted.
    pub wanted: usize,
    /// Of the wanted configuration: all there are,
    pub new: usize,
    /// those without a task,
    pub waiting: usize,
    /// those whose task does not run yet,
    pub starting: usize,
    /// those that run and are not healthy, or not known to be,
    pub unhealthy: usize,
    /// those that are healthy and not ready,
    pub unready: usize,
    /// those nobody hears of,
    pub unreachable: usize,
    /// and those that are as they should be.
    pub ready: usize,
    /// Of other configurations.
    pub old: usize,
    /// On their way out.
    pub leaving: usize,
    /// For how long nothing is launched because launches failed.
    pub delay: Duration,
    /// What the last offers lacked.
    pub refused: Option<Reason>,
    /// How many are not killed for their health for now, because so many were.
    pub held: usize,
    /// How many a canary may have.
    pub canary: Option<u32>,
}

impl Progress {
    /// Counts an instance.
    pub(crate) fn add(&mut self, instance: &Instance, config: Timestamp) {
        if instance.goal == Goal::Stopped {
            self.leaving += 1;
        } else if instance.config != config {
            self.old += 1;
        } else {
            self.new += 1;
            *self.count_of(instance) += 1;
        }
    }

    fn count_of(&mut self, instance: &Instance) -> &mut usize {
        match instance.condition {
            _ if instance.is_ready() => &mut self.ready,
            Condition::Scheduled => &mut self.waiting,
            Condition::Staging | Condition::Starting | Condition::Killing => &mut self.starting,
            Condition::Unreachable => &mut self.unreachable,
            Condition::Running if instance.is_healthy_enough() => &mut self.unready,
            Condition::Running => &mut self.unhealthy,
        }
    }

    /// The numbers.
    #[must_use]
    pub(crate) fn json(&self) -> Value {
        let mut json = json!({"instances": self.wanted, "new": self.new, "ready": self.ready, "waiting": self.waiting,
            "starting": self.starting, "notHealthy": self.unhealthy, "notReady": self.unready,
            "unreachable": self.unreachable, "old": self.old, "leaving": self.leaving});
        if let Some(most) = self.canary {
            json["canary"] = json!({"instances": most, "isUp": self.canary_is_up(most)});
        }
        json
    }

    /// Whether as many as a canary may have are as they should be, and others wait for somebody's word.
    fn canary_is_up(&self, most: u32) -> bool {
        self.old > 0 && self.ready >= usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// What has to happen, in words; nothing if all is as wanted.
    #[must_use]
    pub(crate) fn waits_for(&self) -> Vec<String> {
        let canary = self.canary.filter(|most| self.canary_is_up(*most));
        let waiting = match self.refused {
            _ if !self.delay.is_zero() => format!("to be launched again in {} s", self.delay.as_secs_f64().ceil()),
            Some(reason) => format!("for an offer that fits; the last ones: {reason:?}"),
            None => "for an offer".to_owned(),
        };
        let parts = [
            say(self.waiting, "waits", "wait", &waiting),
            say(self.starting, "starts", "start", ""),
            say(self.unhealthy, "is", "are", "not healthy yet"),
            say(self.unready, "is", "are", "not ready yet"),
            say(self.unreachable, "is", "are", "on agents that are not heard of"),
            say(self.leaving, "ends", "end", ""),
            say(self.held, "is", "are", "unhealthy and not killed for now, because many were"),
            canary.map(|most| format!("the canary of {most} is up: continue, or take it back")),
            self.canary.is_none().then(|| say(self.old, "stays", "stay", "as before until more are ready")).flatten(),
        ];
        parts.into_iter().flatten().collect()
    }
}

fn say(count: usize, one: &str, many: &str, what: &str) -> Option<String> {
    let (noun, verb) = if count == 1 { ("instance", one) } else { ("instances", many) };
    (count > 0).then(|| format!("{count} {noun} {verb} {what}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::RunSpec;
    use crate::ids::{AppId, InstanceId};

    fn instance(config: i64, condition: Condition) -> Instance {
        let at = Timestamp::from_millis(config);
        let mut app = RunSpec::new(AppId::new("a"), at);
        app.health_checks = serde_json::from_str("[{}]").unwrap();
        Instance { condition, ..Instance::scheduled(InstanceId::new(&app.id, "u"), &app, at) }
    }

    #[test]
    fn a_canary_is_up_once_as_many_as_it_may_have_are_ready() {
        let canary =
            |ready| Progress { ready, old: 2, canary: Some(1), ..Progress::default() }.json()["canary"].clone();
        assert_eq!(canary(0), json!({"instances": 1, "isUp": false}));
        assert_eq!(canary(1), json!({"instances": 1, "isUp": true}));
        assert_eq!(Progress::default().json()["canary"], Value::Null);
    }

    #[test]
    fn what_is_waited_for_is_said() {
        let config = Timestamp::from_millis(2);
        let mut progress = Progress { wanted: 4, refused: Some(Reason::InsufficientCpus), ..Progress::default() };
        for (config_of, condition) in [(2, Condition::Scheduled), (2, Condition::Running), (1, Condition::Running)] {
            progress.add(&instance(config_of, condition), config);
        }
        progress.add(&Instance { goal: Goal::Stopped, ..instance(1, Condition::Running) }, config);
        assert_eq!(
            progress.waits_for(),
            [
                "1 instance waits for an offer that fits; the last ones: InsufficientCpus",
                "1 instance is not healthy yet",
                "1 instance ends",
                "1 instance stays as before until more are ready",
            ]
        );
        let json = progress.json();
        assert_eq!((&json["new"], &json["old"], &json["notHealthy"]), (&json!(2), &json!(1), &json!(1)));
        assert!(Progress { wanted: 1, ready: 1, ..Progress::default() }.waits_for().is_empty());
    }
}
