//! All health checks of a task: how each stands, what they say together, and when that is enough to kill. Pure.
//!
//! In: what the engine says of single checks. Out: a [`HealthChange`] for the life of the task, with the `healthy` of
//! Mesos and the richer status beside it. A task with one check and nothing else behaves exactly as Mesos' own.

use std::time::Duration;

use checks::{Event, Outcome, Rule, Verdict, VerdictEvent};
use health::verdict::to_wire;
use health::{Kind, health_checks};
use mesos::v1::cygnet::{HealthCheckResult, HealthRule, TaskHealth};
use mesos::v1::{HealthCheck, TaskInfo};

use super::finding::Finding;
use super::standing::Standing;
use crate::clock::Moment;

/// A change in what a task's health checks say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HealthChange {
    /// The verdict of all together; unknown while one has no verdict.
    pub verdict: Verdict,
    /// They failed so often that the task is to be killed.
    pub kill: bool,
    /// The failure it is about, for people.
    pub failure: Option<String>,
    /// The results of all.
    pub health: TaskHealth,
}

#[derive(Clone, Debug)]
struct Member {
    id: Option<String>,
    name: Option<String>,
    standing: Standing,
    wants_kill: bool,
}

/// The health checks of one task.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    rule: Rule,
    /// The framework wants to know of every failure.
    explained: bool,
    members: Vec<Member>,
}

/// The health of a task before the first attempt; nothing if it has no health checks.
pub(crate) fn unknown(task: &TaskInfo) -> Option<TaskHealth> {
    let health = Health::new(task, |kind| Standing::fresh(kind, Moment::after_boot(Duration::ZERO)));
    (!health.members.is_empty()).then(|| health.to_wire())
}

impl Health {
    /// The health of this task, whose checks stand as an earlier process knew.
    pub(crate) fn new(task: &TaskInfo, standing: impl Fn(Kind) -> Standing) -> Health {
        let rule = match task.health_rule() {
            HealthRule::All => Rule::All,
            HealthRule::Any => Rule::Any,
        };
        let member = |(index, check): (usize, &HealthCheck)| Member {
            id: check.id.clone(),
            name: check.name.clone(),
            standing: standing(Kind::Health(index)),
            wants_kill: false,
        };
        Health { rule, explained: task.explained(), members: health_checks(task).enumerate().map(member).collect() }
    }

    /// The verdict of all checks together.
    pub(crate) fn verdict(&self) -> Verdict {
        self.rule.of(self.members.iter().map(|member| member.standing.state().verdict))
    }

    /// The standings of the checks.
    pub(crate) fn standings(&mut self) -> impl Iterator<Item = &mut Standing> {
        self.members.iter_mut().map(|member| &mut member.standing)
    }

    /// Takes in an attempt. Most change nothing.
    pub(crate) fn take(&mut self, index: usize, event: &Event) -> Option<HealthChange> {
        let member = self.members.get_mut(index)?;
        if !member.standing.take(event, self.explained) {
            return None;
        }
        if let Some(said) = event.verdict {
            member.wants_kill = matches!(said, VerdictEvent::Unhealthy { kill: true, .. });
        }
        let wants_kill = event.verdict.is_some() && member.wants_kill;
        let failed = matches!(event.outcome, Outcome::Failure(_));
        let failure = failed.then(|| named(member.name.as_deref(), event.outcome.cause()));
        let kill = match self.rule {
            Rule::All => wants_kill,
            Rule::Any => event.verdict.is_some() && self.members.iter().all(|member| member.wants_kill),
        };
        Some(HealthChange { verdict: self.verdict(), kill, failure, health: self.to_wire() })
    }

    fn to_wire(&self) -> TaskHealth {
        TaskHealth {
            verdict: Some(to_wire(self.verdict()).into()),
            checks: self.members.iter().map(Member::to_wire).collect(),
        }
    }
}

impl Member {
    fn to_wire(&self) -> HealthCheckResult {
        let (state, finding) = (self.standing.state(), self.standing.finding());
        HealthCheckResult {
            id: self.id.clone(),
            name: self.name.clone(),
            verdict: Some(to_wire(state.verdict).into()),
            consecutive_failures: Some(state.consecutive_failures),
            consecutive_successes: Some(state.consecutive_successes),
            kind: finding.map(|finding| finding.kind.clone()),
            cause: finding.map(|finding| finding.cause.clone()),
            since: finding.map(|finding| finding.since),
            reported_at: finding.map(|finding| finding.at),
            duration_seconds: finding.map(|finding| finding.duration.as_secs_f64()),
            phases: finding.map(Finding::phases),
            excerpt: finding.and_then(|finding| finding.excerpt.clone()),
            forgiven_failures: Some(self.standing.forgiven_failures()).filter(|failures| *failures > 0),
        }
    }
}

fn named(name: Option<&str>, cause: String) -> String {
    match name {
        Some(name) => format!("'{name}': {cause}"),
        None => cause,
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use checks::spec::Judgement;
    use checks::verdict::step;
    use checks::{Answer, Failure, Outcome, VerdictState};
    use mesos::v1::cygnet::task_health;

    use super::*;

    /// Two checks, `a` and `b`, killed at the second failure in a row.
    struct World {
        health: Health,
        states: [VerdictState; 2],
        clock: u64,
    }

    impl World {
        fn new(rule: HealthRule) -> World {
            let named = |name: &str| HealthCheck {
                id: Some(format!("id of {name}")),
                name: Some(name.to_owned()),
                ..HealthCheck::default()
            };
            let task = TaskInfo {
                health_check: Some(named("a")),
                health_checks: vec![named("b")],
                health_rule: Some(rule.into()),
                ..TaskInfo::default()
            };
            World {
                health: Health::new(&task, |kind| Standing::fresh(kind, Moment::after_boot(Duration::ZERO))),
                states: [VerdictState::default(); 2],
                clock: 0,
            }
        }

        fn attempt(&mut self, index: usize, outcome: Outcome) -> Option<HealthChange> {
            let judgement = Judgement { grace: Duration::ZERO, consecutive_failures: 2, ..Judgement::default() };
            let (state, verdict) = step(self.states[index], &judgement, Duration::ZERO, &outcome);
            self.states[index] = state;
            self.clock += 1;
            let at = UNIX_EPOCH + Duration::from_secs(self.clock);
            let mut event = Event::new(index as u64 + 1, at, outcome);
            (event.verdict, event.state) = (verdict, state);
            self.health.take(index, &event)
        }

        fn up(&mut self, index: usize) -> Option<HealthChange> {
            self.attempt(index, Outcome::Success(Answer::Connected))
        }

        fn down(&mut self, index: usize) -> Option<HealthChange> {
            self.attempt(index, Outcome::Failure(Failure::Refused))
        }
    }

    #[test]
    fn all_must_be_healthy_and_one_is_enough_to_kill() {
        let mut world = World::new(HealthRule::All);
        let first = world.up(0).unwrap();
        assert_eq!((first.verdict, first.health.verdict()), (Verdict::Unknown, task_health::Verdict::Unknown));
        assert_eq!(world.up(1).unwrap().verdict, Verdict::Healthy);
        assert_eq!(world.up(1), None, "nothing new");
        let failed = world.down(1).unwrap();
        assert_eq!((failed.verdict, failed.kill), (Verdict::Unhealthy, false));
        assert_eq!(failed.failure.as_deref(), Some("'b': connection refused"));
        assert!(world.down(1).unwrap().kill);
    }

    #[test]
    fn any_is_killed_only_when_all_have_failed_often_enough() {
        let mut world = World::new(HealthRule::Any);
        assert_eq!(world.down(0).unwrap().verdict, Verdict::Unknown);
        assert_eq!(world.up(1).unwrap().verdict, Verdict::Healthy);
        let failed = world.down(0).unwrap();
        assert_eq!((failed.verdict, failed.kill), (Verdict::Healthy, false));
        let both = world.down(1).unwrap();
        assert_eq!((both.verdict, both.kill), (Verdict::Unhealthy, false));
        assert!(world.down(1).unwrap().kill);
    }

    #[test]
    fn results_name_each_check_with_its_cause_and_since_when() {
        let mut world = World::new(HealthRule::All);
        world.up(0);
        world.down(1);
        let change = world.down(1).unwrap();
        let [a, b] = change.health.checks.as_slice() else { panic!() };
        assert_eq!((a.id(), b.id()), ("id of a", "id of b"));
        assert_eq!((a.name(), a.verdict(), a.kind(), a.since()), ("a", task_health::Verdict::Healthy, "success", 1.0));
        assert_eq!((b.name(), b.verdict(), b.cause()), ("b", task_health::Verdict::Unhealthy, "connection refused"));
        assert_eq!((b.consecutive_failures(), b.kind(), b.since()), (2, "refused", 2.0));
    }

    #[test]
    fn a_framework_that_explains_is_told_of_failures_that_do_not_count() {
        let judgement = Judgement { grace: Duration::from_secs(60), ..Judgement::default() };
        for explained in [true, false] {
            let task = TaskInfo {
                health_check: Some(HealthCheck::default()),
                explained: Some(explained),
                ..TaskInfo::default()
            };
            let mut health = Health::new(&task, |kind| Standing::fresh(kind, Moment::after_boot(Duration::ZERO)));
            let mut state = VerdictState::default();
            let mut attempt = |outcome: Outcome| {
                let verdict;
                (state, verdict) = step(state, &judgement, Duration::ZERO, &outcome);
                let mut event = Event::new(1, UNIX_EPOCH + Duration::from_secs(5), outcome);
                (event.verdict, event.state) = (verdict, state);
                health.take(0, &event)
            };
            let told: Vec<_> = (0..3).filter_map(|_| attempt(Outcome::Failure(Failure::Status(503)))).collect();
            if explained {
                let last = &told[2].health.checks[0];
                assert_eq!((last.kind(), last.forgiven_failures(), last.consecutive_failures()), ("status", 3, 0));
                assert_eq!((last.verdict(), last.reported_at()), (task_health::Verdict::Unknown, 5.0));
                assert_eq!(told[0].failure.as_deref(), Some("503 Service Unavailable"));
                assert!(told.iter().all(|change| !change.kill && change.verdict == Verdict::Unknown));
            } else {
                assert_eq!(told, [], "as Mesos has it");
            }
            let healthy = attempt(Outcome::Success(Answer::Connected)).unwrap();
            assert_eq!((healthy.verdict, healthy.health.checks[0].forgiven_failures), (Verdict::Healthy, None));
            assert_eq!(attempt(Outcome::Success(Answer::Connected)), None);
        }
    }

    #[test]
    fn a_task_without_health_checks_has_no_health() {
        assert_eq!(unknown(&TaskInfo::default()), None);
        let checked = TaskInfo { health_check: Some(HealthCheck::default()), ..TaskInfo::default() };
        assert_eq!(unknown(&checked).unwrap().verdict(), task_health::Verdict::Unknown);
    }
}
