//! The progress of an app towards what is wanted of it, and what it waits for: in numbers and in words. Pure.

use std::time::Duration;

use serde_json::{Value, json};

use crate::instance::{Condition, Goal, Instance};
use crate::refusals::Reason;
use crate::time::Timestamp;

/// The progress of an app, and what holds it up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The wanted number of instances.
    pub wanted: usize,
    pub counts: Counts,
    /// For how long nothing is launched because launches failed.
    pub delay: Duration,
    /// The main lack of the last offers.
    pub refused: Option<Reason>,
    /// Instances that are not killed for their health for now, because so many were.
    pub held: usize,
    /// The number of instances a canary may have.
    pub canary: Option<u32>,
    /// The word of an agent about what an instance that starts still waits for: its image.
    pub launching: Option<String>,
    /// Why the last instance of this configuration failed, if one did.
    pub failure: Option<String>,
}

/// Instances of one app, by what they lack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Of the wanted configuration: all there are,
    new: usize,
    /// those without a task,
    waiting: usize,
    /// those whose task does not run yet,
    starting: usize,
    /// those that run and are not healthy, or not known to be,
    unhealthy: usize,
    /// those that are healthy and not ready,
    unready: usize,
    /// those nobody hears of,
    unreachable: usize,
    /// and those that are as they should be.
    ready: usize,
    /// Of other configurations.
    old: usize,
    /// On their way out.
    leaving: usize,
}

impl Counts {
    /// Counts these instances; `config` is the wanted configuration.
    pub(crate) fn of<'a>(instances: impl Iterator<Item = &'a Instance>, config: Timestamp) -> Counts {
        let mut counts = Counts::default();
        instances.for_each(|instance| counts.add(instance, config));
        counts
    }

    /// The number of the wanted configuration.
    pub(crate) fn new_ones(&self) -> usize {
        self.new
    }

    /// The number of other configurations.
    pub(crate) fn old(&self) -> usize {
        self.old
    }

    fn add(&mut self, instance: &Instance, config: Timestamp) {
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
            Condition::Running if instance.checked.is_healthy_enough() => &mut self.unready,
            Condition::Running => &mut self.unhealthy,
        }
    }
}

impl Progress {
    /// The numbers.
    pub(crate) fn json(&self) -> Value {
        let counts = &self.counts;
        let mut json = json!({"instances": self.wanted, "new": counts.new, "ready": counts.ready,
            "waiting": counts.waiting, "starting": counts.starting, "notHealthy": counts.unhealthy,
            "notReady": counts.unready, "unreachable": counts.unreachable, "old": counts.old,
            "leaving": counts.leaving});
        if let Some(most) = self.canary {
            json["canary"] = json!({"instances": most, "isUp": self.canary_is_up(most)});
        }
        json
    }

    /// True if as many as a canary may have are as they should be, and others wait for somebody's word.
    fn canary_is_up(&self, most: u32) -> bool {
        self.counts.old > 0 && self.counts.ready >= usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// The things that have to happen, in words; nothing if all is as wanted.
    pub(crate) fn waits_for(&self) -> Vec<String> {
        let canary = self.canary.filter(|most| self.canary_is_up(*most));
        let waiting = match self.refused {
            _ if !self.delay.is_zero() => format!("to be launched again in {} s", self.delay.as_secs_f64().ceil()),
            Some(reason) => format!("for an offer that fits: the last ones {}", reason.words()),
            None => "for an offer".to_owned(),
        };
        let failure = self.failure.as_ref().filter(|_| self.counts.waiting + self.counts.starting > 0);
        let parts = [
            say(self.counts.waiting, "waits", "wait", &waiting),
            say(self.counts.starting, "starts", "start", ""),
            self.launching.clone(),
            failure.map(|failure| format!("the last one failed: {failure}")),
            say(self.counts.unhealthy, "is", "are", "not healthy yet"),
            say(self.counts.unready, "is", "are", "not ready yet"),
            say(self.counts.unreachable, "is", "are", "on agents that are not heard of"),
            say(self.counts.leaving, "ends", "end", ""),
            say(self.held, "is", "are", "unhealthy and not killed for now, because many were"),
            canary.map(|most| format!("the canary of {most} is up: continue, or take it back")),
            self.canary
                .is_none()
                .then(|| say(self.counts.old, "stays", "stay", "as before until more are ready"))
                .flatten(),
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

    fn progress(counts: Counts, canary: Option<u32>) -> Progress {
        Progress { wanted: 1, counts, canary, ..Progress::default() }
    }

    #[test]
    fn a_canary_is_up_once_as_many_as_it_may_have_are_ready() {
        let canary = |ready| progress(Counts { ready, old: 2, ..Counts::default() }, Some(1)).json()["canary"].clone();
        assert_eq!(canary(0), json!({"instances": 1, "isUp": false}));
        assert_eq!(canary(1), json!({"instances": 1, "isUp": true}));
        assert_eq!(Progress::default().json()["canary"], Value::Null);
    }

    #[test]
    fn what_is_waited_for_is_said() {
        let config = Timestamp::from_millis(2);
        let rows = [(2, Condition::Scheduled), (2, Condition::Running), (1, Condition::Running)];
        let leaving = Instance { goal: Goal::Stopped, ..instance(1, Condition::Running) };
        let all: Vec<_> = rows.map(|(of, condition)| instance(of, condition)).into_iter().chain([leaving]).collect();
        let counts = Counts::of(all.iter(), config);
        let under_way = Progress { wanted: 4, counts, refused: Some(Reason::InsufficientCpus), ..Progress::default() };
        assert_eq!(
            under_way.waits_for(),
            [
                "1 instance waits for an offer that fits: the last ones had too few CPUs left",
                "1 instance is not healthy yet",
                "1 instance ends",
                "1 instance stays as before until more are ready",
            ]
        );
        let starting = Counts { starting: 1, ..Counts::default() };
        let (launching, failure) = (Some("Pulling a:1".to_owned()), Some("no such image".to_owned()));
        let failing = Progress { launching, failure, ..progress(starting, None) };
        assert_eq!(failing.waits_for(), ["1 instance starts", "Pulling a:1", "the last one failed: no such image"]);
        assert!(Progress { counts: Counts::default(), launching: None, ..failing }.waits_for().is_empty());
        let json = under_way.json();
        assert_eq!((&json["new"], &json["old"], &json["notHealthy"]), (&json!(2), &json!(1), &json!(1)));
        assert!(progress(Counts { ready: 1, ..Counts::default() }, None).waits_for().is_empty());
    }
}
