//! One instance of an app: what it is now, and what it is meant to become. Pure, and stored as it is.
//!
//! ```text
//!   Scheduled -> Staging -> Starting -> Running -> (Killing) -> gone, or Scheduled again as the next incarnation
//!                                  \-> Unreachable -> Running, or gone
//! ```

mod checked;
pub(crate) mod end;
pub(crate) mod ended;
pub(crate) mod failure;
mod killed;
pub(crate) mod member;
mod moving;
mod place;
mod record;
mod response;
pub(crate) mod termination;
mod times;

use std::time::Duration;

use checks::Verdict;
use mesos::v1::TaskState;
use serde::{Deserialize, Serialize};

pub(crate) use checked::{Checked, Paused};
pub(crate) use killed::Killed;
pub(crate) use moving::Moving;
pub(crate) use place::{Network, Place};
pub(crate) use response::Response;
pub(crate) use times::Times;

use crate::definition::RunSpec;
use crate::health::Change;
use crate::ids::{AppId, InstanceId};
use crate::time::Timestamp;
use member::Member;

/// The condition of an instance in its life, in the order it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Condition {
    /// Waits for an offer; there is no task.
    Scheduled,
    /// Launched; nothing was heard of it yet.
    Staging,
    /// Its executor has it.
    Starting,
    /// It runs.
    Running,
    /// It was told to end.
    Killing,
    /// Nobody hears of its agent.
    Unreachable,
}

impl Condition {
    /// The name Mesos has for it.
    pub(crate) fn state_name(self) -> &'static str {
        match self {
            Condition::Scheduled | Condition::Staging => "TASK_STAGING",
            Condition::Starting => "TASK_STARTING",
            Condition::Running => "TASK_RUNNING",
            Condition::Killing => "TASK_KILLING",
            Condition::Unreachable => "TASK_UNREACHABLE",
        }
    }

    /// True if a task in this condition can come to that one. Other news is old: an answer to a reconciliation, or an update
    /// told again.
    pub(crate) fn leads_to(self, next: Condition) -> bool {
        self == Condition::Unreachable || next >= self
    }

    /// The condition that a state of the task means, if it is none of its end.
    pub(crate) fn of_state(state: TaskState) -> Option<Condition> {
        match state {
            TaskState::TaskStaging => Some(Condition::Staging),
            TaskState::TaskStarting => Some(Condition::Starting),
            TaskState::TaskRunning => Some(Condition::Running),
            TaskState::TaskKilling => Some(Condition::Killing),
            TaskState::TaskUnreachable => Some(Condition::Unreachable),
            _ => None,
        }
    }
}

/// The end an instance is meant to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Goal {
    /// To run: when its task ends, the next incarnation is launched.
    Running,
    /// To end, and be forgotten.
    Stopped,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "record::Record")]
pub(crate) struct Instance {
    /// Stays over incarnations.
    pub id: InstanceId,
    /// Counted from 1.
    pub incarnation: u32,
    pub app: AppId,
    /// The configuration of the app that it was, or will be, launched with.
    pub config: Timestamp,
    pub condition: Condition,
    pub goal: Goal,
    #[serde(flatten)]
    pub place: Place,
    #[serde(flatten)]
    pub times: Times,
    #[serde(flatten)]
    pub checked: Checked,
    #[serde(flatten)]
    pub killed: Killed,
    /// The containers of a pod's instance.
    pub members: Vec<Member>,
    /// True if it was not heard of for so long that another takes its place.
    pub given_up: bool,
    #[serde(flatten)]
    pub moving: Moving,
    /// The agent's last word on how far its launch is, while it is launched. It is said again, so nobody stores it.
    #[serde(skip)]
    pub message: Option<String>,
}

impl Instance {
    /// A new instance that waits for an offer.
    pub(crate) fn scheduled(id: InstanceId, app: &RunSpec, now: Timestamp) -> Self {
        Instance {
            id,
            incarnation: 1,
            app: app.id.clone(),
            config: app.config_version(),
            condition: Condition::Scheduled,
            goal: Goal::Running,
            place: Place::default(),
            times: Times::scheduled(now),
            checked: Checked::of(app),
            killed: Killed::default(),
            members: Vec::new(),
            given_up: false,
            moving: Moving::default(),
            message: None,
        }
    }

    /// The id of its task, now or once it has one.
    pub(crate) fn task_id(&self) -> String {
        self.id.task(self.incarnation)
    }

    /// The ids of its tasks that are not over: one, or one for each container of a pod.
    pub(crate) fn task_ids(&self) -> Vec<String> {
        if self.members.is_empty() {
            return vec![self.task_id()];
        }
        let open = self.members.iter().filter(|member| !member.is_over());
        open.map(|member| self.id.member(&member.name, self.incarnation)).collect()
    }

    /// The id of the task that is to blame for its health: of a pod, that of its first container that is not healthy.
    pub(crate) fn unhealthy_task_id(&self) -> String {
        let sick =
            self.members.iter().find(|member| member.verdict == Verdict::Unhealthy).or_else(|| self.members.first());
        sick.map_or_else(|| self.task_id(), |member| self.id.member(&member.name, self.incarnation))
    }

    /// The container whose task this is, in a pod's instance.
    pub(crate) fn member_of(&self, task_id: &str) -> Option<&Member> {
        self.members.iter().find(|member| self.id.member(&member.name, self.incarnation) == task_id)
    }

    /// True if this is the id of one of its tasks.
    pub(crate) fn owns(&self, task_id: &str) -> bool {
        if self.members.is_empty() { self.task_id() == task_id } else { self.member_of(task_id).is_some() }
    }

    /// The id of the executor of a pod's instance.
    pub(crate) fn executor_id(&self) -> String {
        self.id.executor(self.incarnation)
    }

    /// The configuration that it counts as; none if it has to make way whatever it has.
    pub(crate) fn counts_as(&self) -> Option<Timestamp> {
        (!self.moving.is_under_way()).then_some(self.config)
    }

    /// True if it has a task that is not over.
    pub(crate) fn has_task(&self) -> bool {
        self.condition != Condition::Scheduled
    }

    /// Moves on to another condition; says whether it is another one.
    pub(crate) fn enter(&mut self, condition: Condition, now: Timestamp) -> bool {
        if self.condition == condition {
            return false;
        }
        self.condition = condition;
        self.message = None;
        self.times.since = now;
        self.given_up = false;
        if condition == Condition::Running {
            self.times.started_at.get_or_insert(now);
        }
        true
    }

    /// Takes up how far the launch of one of its tasks is; says whether it is news.
    pub(crate) fn is_told(&mut self, task_id: &str, message: &str) -> bool {
        if self.message.as_deref() == Some(message) {
            return false;
        }
        let (id, incarnation) = (&self.id, self.incarnation);
        let member = self.members.iter_mut().find(|member| id.member(&member.name, incarnation) == task_id);
        member.into_iter().for_each(|member| message.clone_into(&mut member.message));
        self.message = Some(message.to_owned());
        true
    }

    /// Its task is over and another one shall follow: the next incarnation, with nothing known of it.
    pub(crate) fn reincarnate(&mut self, app: &RunSpec, now: Timestamp) {
        let fails_since = self.times.fails_since;
        self.rebase(app, now);
        self.times.fails_since = fails_since;
        self.incarnation += 1;
    }

    /// Its task has failed: the row of failures begins now, unless it goes on, because the task was never up for `row`.
    pub(crate) fn fail(&mut self, row: Duration, now: Timestamp) {
        if self.longest_up(now) > row {
            self.times.fails_since = None;
        }
        self.times.fails_since.get_or_insert(now);
    }

    /// The time that its task has been up: running, and of one with checks from their last success to their next failure.
    fn longest_up(&self, now: Timestamp) -> Duration {
        if self.checked.health.is_empty() {
            return self.times.started_at.map_or(Duration::ZERO, |from| now.since(from));
        }
        let own = || self.checked.changes.all().filter(|change| change.incarnation == self.incarnation);
        let Some(healthy) = own().rfind(|change| change.verdict == Verdict::Healthy) else { return Duration::ZERO };
        let until = own().rev().take_while(|change| change.at > healthy.at).last();
        until.map_or(now, |change| change.at).since(healthy.at)
    }

    /// It waits, and will be launched with this configuration.
    pub(crate) fn rebase(&mut self, app: &RunSpec, now: Timestamp) {
        let (incarnation, killed) = (self.incarnation, self.killed.of_the_next());
        let changes = std::mem::take(&mut self.checked.changes);
        *self = Instance { incarnation, killed, ..Instance::scheduled(self.id.clone(), app, now) };
        self.checked.changes = changes;
    }

    /// One of its checks has another verdict than before.
    pub(crate) fn remember_verdict(&mut self, check: usize, now: Timestamp) {
        let Some(health) = self.checked.health.get(check) else { return };
        let verdict = health.verdict;
        let cause = health.last_failure_cause.clone().filter(|_| verdict == Verdict::Unhealthy);
        let change = Change { at: now, incarnation: self.incarnation, check, verdict, cause };
        self.checked.changes.remember(change);
    }

    /// True if it does what it is for: runs, and is healthy and ready as far as it has checks.
    pub(crate) fn is_ready(&self) -> bool {
        self.condition == Condition::Running
            && !self.killed.is_asked()
            && !self.checked.awaits_readiness
            && self.checked.is_healthy_enough()
    }

    /// The time since when it has been ready, if it is: it runs since, or its checks are content since.
    pub(crate) fn ready_since(&self) -> Timestamp {
        let verdicts = self.checked.health.iter().filter_map(|health| health.since);
        verdicts.chain([self.times.since]).max().unwrap_or(self.times.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_stored_on_one_level_whatever_its_parts() {
        let record = serde_json::json!({"id": "a.instance-u", "incarnation": 3, "app": "/a",
            "config": "1970-01-01T00:00:00.001Z", "condition": "Running", "goal": "Stopped", "host": "box",
            "site": {"host": "box", "region": "r"}, "agent_id": "S1", "ports": [31000], "ip": "10.0.0.1",
            "since": "1970-01-01T00:00:00.002Z", "fails_since": null, "staged_at": "1970-01-01T00:00:00.001Z", "started_at": null,
            "health": [], "awaits_readiness": true,
            "last_response": {"body": "", "contentType": "", "status": 200}, "check_result": {"tcp": {}},
            "checks_paused_until": "open", "killed_for_health_at": null, "killed_for_health": false, "members": [],
            "kill_asked_at": "1970-01-01T00:00:00.005Z", "given_up": false, "moves": true});
        let instance: Instance = serde_json::from_value(record.clone()).unwrap();
        assert_eq!(serde_json::json!(instance), record);
        assert!(instance.killed.is_asked() && instance.checked.paused == Some(Paused::Open));
    }

    #[test]
    fn the_next_incarnation_knows_nothing_of_the_last() {
        let at = Timestamp::from_millis;
        let mut app = RunSpec::new(AppId::new("a"), at(0));
        app.health_checks = serde_json::from_str("[{}]").unwrap();
        let mut instance = Instance::scheduled(InstanceId::new(&app.id, "u"), &app, at(0));
        assert!(!instance.has_task() && !instance.is_ready());
        assert!(instance.enter(Condition::Running, at(1)) && !instance.enter(Condition::Running, at(2)));
        assert!(!instance.is_ready());
        instance.checked.health[0].succeeded(at(3));
        assert!(instance.is_ready());
        instance.moving.begin();
        assert_eq!(instance.counts_as(), None, "it has to make way");
        assert!(instance.task_id().ends_with("._app.1"));
        app.health_checks = serde_json::from_str("[{}, {}]").unwrap();
        instance.reincarnate(&app, at(6));
        assert!(instance.task_id().ends_with("._app.2"));
        assert_eq!(
            (instance.checked.health.len(), instance.times.started_at, instance.checked.verdict()),
            (2, None, Verdict::Unknown)
        );
        assert_eq!(instance.counts_as(), Some(app.config_version()), "it is nowhere that it would have to leave");
    }

    #[test]
    fn a_row_of_failures_is_as_old_as_its_first_until_a_task_stays_up() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let row = Duration::from_secs(300);
        let app = RunSpec::new(AppId::new("a"), at(0));
        let mut instance = Instance::scheduled(InstanceId::new(&app.id, "u"), &app, at(0));
        for (up, down, since) in [(5, 6, 6), (7, 9, 6), (10, 310, 6), (311, 612, 612)] {
            instance.enter(Condition::Running, at(up));
            instance.fail(row, at(down));
            instance.reincarnate(&app, at(down));
            assert_eq!(instance.times.fails_since, Some(at(since)), "{down}");
        }
    }

    #[test]
    fn a_task_that_was_never_healthy_was_never_up() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let row = Duration::from_secs(300);
        let mut app = RunSpec::new(AppId::new("a"), at(0));
        app.health_checks = serde_json::from_str("[{}]").unwrap();
        let mut instance = Instance::scheduled(InstanceId::new(&app.id, "u"), &app, at(0));
        // In seconds: the start, the first success and the first failure after it if there are any, the end, the row since.
        for (up, healthy, sick, down, since) in [
            (0, None, None, 400, 400),
            (400, None, None, 900, 400),
            (900, Some(901), Some(1000), 2000, 400),
            (2000, Some(2001), Some(3000), 3001, 3001),
            (3001, Some(3002), None, 3400, 3400),
        ] {
            instance.enter(Condition::Running, at(up));
            for (verdict, when) in [(Verdict::Healthy, healthy), (Verdict::Unhealthy, sick)] {
                let Some(when) = when else { continue };
                instance.checked.health[0].verdict = verdict;
                instance.remember_verdict(0, at(when));
            }
            instance.fail(row, at(down));
            instance.reincarnate(&app, at(down));
            assert_eq!(instance.times.fails_since, Some(at(since)), "{down}");
        }
    }
}
