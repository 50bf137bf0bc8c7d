//! Lives of tasks in simulated time: the ones Mesos' own tests tell, and random ones.

use std::time::Duration;

use checks::Verdict::{Healthy, Unhealthy, Unknown};
use mesos::v1::cygnet::{TaskHealth, task_health};
use mesos::v1::task_status::Reason;
use mesos::v1::{CheckStatusInfo, Resource, TaskResourceLimitation, TaskState, check_status_info};
use proptest::prelude::*;
use rustix::process::Signal;

use processes::WaitStatus;

use super::{Action, Ending, ExitStatus, Input, Lifecycle, Past, Plan, Update};
use crate::clock::Moment;
use crate::life::health::HealthChange;

use TaskState::{TaskFailed, TaskFinished, TaskKilled, TaskKilling, TaskRunning, TaskStarting};

fn unhealthy(kill: bool) -> Input {
    let failure = Some("500 Internal Server Error".to_owned());
    Input::Health(HealthChange { verdict: Unhealthy, kill, failure, health: health(task_health::Verdict::Unhealthy) })
}

fn healthy() -> Input {
    let health = health(task_health::Verdict::Healthy);
    Input::Health(HealthChange { verdict: Healthy, kill: false, failure: None, health })
}

fn health(verdict: task_health::Verdict) -> TaskHealth {
    TaskHealth { verdict: Some(verdict.into()), checks: Vec::new() }
}

/// A life with a clock, and everything that came of it.
struct World {
    lifecycle: Lifecycle,
    now: Moment,
    actions: Vec<(Moment, Action)>,
}

impl World {
    fn new() -> World {
        let lifecycle = Lifecycle::new(seconds(5));
        World { lifecycle, now: Moment::after_boot(seconds(1000)), actions: Vec::new() }
    }

    fn running(killing_state: bool) -> World {
        let mut world = World::new();
        world.take(Input::Subscribed { killing_state });
        world.take(Input::Launch(plan()));
        world.take(Input::Spawned);
        world
    }

    fn take(&mut self, input: Input) -> &mut World {
        let actions = self.lifecycle.handle(self.now, input);
        self.actions.extend(actions.into_iter().map(|action| (self.now, action)));
        self
    }

    /// Lets time pass, ticking whenever the life cycle asked for it.
    fn pass(&mut self, time: Duration) -> &mut World {
        let end = self.now + time;
        while let Some(at) = self.lifecycle.wake_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.take(Input::Tick);
        }
        self.now = end;
        self
    }

    fn updates(&self) -> Vec<&Update> {
        self.actions.iter().filter_map(|(_, action)| as_update(action)).collect()
    }

    fn states(&self) -> Vec<TaskState> {
        self.updates().iter().map(|update| update.state).collect()
    }

    fn signals(&self) -> Vec<(f64, Signal)> {
        let start = Moment::after_boot(seconds(1000));
        let signal = |(at, action): &(Moment, Action)| match action {
            Action::Signal(signal) => Some((at.since(start).as_secs_f64(), *signal)),
            _ => None,
        };
        self.actions.iter().filter_map(signal).collect()
    }

    fn exit(&self) -> Option<ExitStatus> {
        self.actions.iter().find_map(|(_, action)| match action {
            Action::Exit(verdict) => Some(*verdict),
            _ => None,
        })
    }
}

fn as_update(action: &Action) -> Option<&Update> {
    match action {
        Action::Update(update) => Some(update),
        _ => None,
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn http(status_code: Option<u32>) -> CheckStatusInfo {
    CheckStatusInfo {
        r#type: Some(mesos::v1::check_info::Type::Http.into()),
        http: Some(check_status_info::Http { status_code }),
        ..CheckStatusInfo::default()
    }
}

fn plan() -> Plan {
    Plan {
        kill_grace: seconds(3),
        max_completion_time: None,
        empty_check_status: Some(http(None)),
        unknown_health: Some(health(task_health::Verdict::Unknown)),
    }
}

const fn status(raw: i32) -> Ending {
    Ending::Status(WaitStatus::from_raw(raw))
}

const TERMINATED: Ending = status(15);

#[test]
fn a_task_that_ends_by_itself() {
    let mut world = World::running(true);
    world.take(Input::Exited(status(0))).take(Input::TerminalAcknowledged);
    assert_eq!(world.states(), [TaskStarting, TaskRunning, TaskFinished]);
    assert_eq!(world.updates()[2].message.as_deref(), Some("Command exited with status 0"));
    assert_eq!(world.exit(), Some(ExitStatus::Success));
    assert!(world.updates().iter().all(|update| update.verdict == Unknown && update.check_status == Some(http(None))));
}

#[test]
fn what_a_terminal_message_says() {
    let end = |raw| {
        let mut world = World::running(true);
        world.take(Input::Exited(status(raw)));
        let last = world.updates()[2];
        assert_eq!(last.state, TaskFailed);
        last.message.clone().unwrap()
    };
    assert_eq!(end(3 << 8), "Command exited with status 3");
    assert_eq!(end(9), "Command terminated with signal Killed");
    assert_eq!(end(11 | 0x80), "Command terminated with signal Segmentation fault (core dumped)");
}

#[test]
fn the_terminal_update_is_waited_for_a_minute() {
    let mut world = World::running(true);
    world.take(Input::Exited(status(0))).pass(seconds(59));
    assert_eq!(world.exit(), None);
    world.pass(seconds(1));
    assert_eq!(world.exit(), Some(ExitStatus::Failure));
}

#[test]
fn a_kill_first_asks_and_then_insists() {
    let mut world = World::running(true);
    world.take(Input::Kill { grace: None }).pass(seconds(4)).take(Input::Exited(status(9)));
    assert_eq!(world.states(), [TaskStarting, TaskRunning, TaskKilling, TaskKilled]);
    assert_eq!(world.signals(), [(0.0, Signal::TERM), (3.0, Signal::KILL)]);
    let killed = world.updates()[3];
    assert_eq!((killed.reason, killed.verdict), (None, Unknown));
}

fn out_of_memory() -> Ending {
    let limitation = TaskResourceLimitation { resources: vec![Resource::scalar("mem", 32.0)] };
    Ending::OutOfMemory { message: "Memory limit exceeded".to_owned(), limitation }
}

#[test]
fn a_task_that_ran_out_of_memory_is_killed_at_once_and_has_failed() {
    // Whether the kernel's word comes before the end of its processes, after it, or while they are killed anyway.
    for before in [vec![Input::OutOfMemory], vec![], vec![Input::Kill { grace: None }, Input::OutOfMemory]] {
        let (mut world, told) = (World::running(true), before.contains(&Input::OutOfMemory));
        for input in before {
            world.take(input);
        }
        let killed = world.signals().iter().any(|(at, signal)| (*at, *signal) == (0.0, Signal::KILL));
        assert_eq!(killed, told);
        world.take(Input::Exited(out_of_memory()));
        let last = world.updates().last().copied().unwrap().clone();
        assert_eq!((last.state, last.reason), (TaskFailed, Some(Reason::ContainerLimitationMemory)));
        assert_eq!(last.message.as_deref(), Some("Memory limit exceeded"));
        assert_eq!(last.limitation.unwrap().resources, [Resource::scalar("mem", 32.0)]);
    }
}

#[test]
fn a_framework_that_does_not_know_killing_never_sees_it() {
    let mut world = World::running(false);
    world.take(Input::Kill { grace: None }).take(Input::Exited(status(0)));
    assert_eq!(world.states(), [TaskStarting, TaskRunning, TaskKilled]);
}

#[test]
fn a_second_kill_can_only_shorten() {
    let mut world = World::running(true);
    world.take(Input::Kill { grace: Some(seconds(20)) }).pass(seconds(2));
    world.take(Input::Kill { grace: Some(seconds(30)) }).take(Input::Kill { grace: Some(seconds(10)) });
    world.pass(seconds(9));
    assert_eq!(world.signals(), [(0.0, Signal::TERM), (10.0, Signal::KILL)]);
    let mut late = World::running(true);
    late.take(Input::Kill { grace: Some(seconds(20)) }).pass(seconds(5)).take(Input::Kill { grace: Some(seconds(1)) });
    assert_eq!(late.signals(), [(0.0, Signal::TERM), (5.0, Signal::KILL)]);
}

#[test]
fn a_kill_before_the_process_runs_waits_for_it() {
    let mut world = World::new();
    world.take(Input::Subscribed { killing_state: true }).take(Input::Launch(plan()));
    world.take(Input::Kill { grace: Some(seconds(1)) }).pass(seconds(5));
    assert_eq!(world.signals(), []);
    world.take(Input::Spawned);
    assert_eq!(world.states(), [TaskStarting, TaskRunning, TaskKilling]);
    assert_eq!(world.signals(), [(5.0, Signal::TERM)]);
}

#[test]
fn a_health_kill_says_so_before_and_after() {
    let mut world = World::running(true);
    world.take(unhealthy(false)).take(unhealthy(true));
    world.take(healthy()).take(Input::Exited(TERMINATED));
    assert_eq!(world.states(), [TaskStarting, TaskRunning, TaskRunning, TaskRunning, TaskKilling, TaskKilled]);
    let healthy: Vec<_> = world.updates().iter().map(|update| update.verdict).collect();
    assert_eq!(healthy, [Unknown, Unknown, Unhealthy, Unhealthy, Unknown, Unhealthy]);
    assert_eq!(world.updates()[3].message.as_deref(), Some("500 Internal Server Error"));
    assert_eq!(world.updates()[3].reason, Some(Reason::TaskHealthCheckStatusUpdated));
    assert_eq!(world.updates()[5].reason, None);
}

#[test]
fn check_and_health_check_do_not_shadow_each_other() {
    let mut world = World::running(true);
    world.take(Input::Check(http(Some(200)))).take(healthy());
    world.take(Input::Check(http(Some(200)))).take(Input::Check(http(None)));
    let said: Vec<_> =
        world.updates().iter().skip(2).map(|update| (update.verdict, update.check_status.unwrap())).collect();
    assert_eq!(said, [(Unknown, http(Some(200))), (Healthy, http(Some(200))), (Healthy, http(None))]);
}

#[test]
fn a_check_that_never_has_a_result_is_silent() {
    let mut world = World::running(true);
    world.take(Input::Check(http(None))).take(Input::Check(http(None)));
    assert_eq!(world.states(), [TaskStarting, TaskRunning]);
}

#[test]
fn a_task_that_takes_too_long_fails() {
    let mut world = World::new();
    world.take(Input::Subscribed { killing_state: true });
    world.take(Input::Launch(Plan { max_completion_time: Some(seconds(7)), ..plan() })).take(Input::Spawned);
    world.pass(seconds(8)).take(Input::Exited(status(9)));
    assert_eq!(world.signals(), [(7.0, Signal::TERM), (7.0, Signal::KILL)]);
    assert_eq!(world.states(), [TaskStarting, TaskRunning, TaskFailed]);
    assert_eq!(world.updates()[2].reason, Some(Reason::MaxCompletionTimeReached));
}

#[test]
fn a_kill_stops_the_completion_timer() {
    let mut world = World::new();
    world.take(Input::Launch(Plan { max_completion_time: Some(seconds(7)), ..plan() })).take(Input::Spawned);
    world.take(Input::Kill { grace: Some(seconds(20)) }).pass(seconds(10)).take(Input::Exited(TERMINATED));
    assert_eq!(world.states(), [TaskStarting, TaskRunning, TaskKilled]);
}

#[test]
fn shutdown_leaves_two_of_its_seconds_unused() {
    let mut world = World::running(true);
    world.take(Input::Shutdown).pass(seconds(4));
    assert_eq!(world.signals(), [(0.0, Signal::TERM), (3.0, Signal::KILL)]);
    assert_eq!(world.exit(), None);
    world.pass(seconds(1));
    assert_eq!(world.exit(), Some(ExitStatus::Failure));
}

#[test]
fn without_a_task_shutdown_is_fine_and_kill_is_not() {
    assert_eq!(World::new().take(Input::Shutdown).exit(), Some(ExitStatus::Success));
    assert_eq!(World::new().take(Input::Kill { grace: None }).exit(), Some(ExitStatus::Failure));
}

#[test]
fn an_unknown_end_is_a_failure_that_keeps_who_killed() {
    let mut world = World::running(true);
    world.take(unhealthy(true)).take(Input::Exited(Ending::Unknown("lost".to_owned())));
    let last = world.updates().last().copied().unwrap().clone();
    assert_eq!((last.state, last.verdict, last.message.as_deref()), (TaskFailed, Unhealthy, Some("lost")));
}

#[test]
fn a_task_that_cannot_start_fails_after_starting() {
    let mut world = World::new();
    world.take(Input::Launch(plan())).take(Input::SpawnFailed("no".to_owned()));
    assert_eq!(world.states(), [TaskStarting, TaskFailed]);
    let mut killed = World::new();
    killed.take(Input::Launch(plan())).take(Input::Kill { grace: None }).take(Input::SpawnFailed("no".to_owned()));
    assert_eq!(killed.states(), [TaskStarting, TaskKilled]);
}

#[test]
fn an_end_waits_for_an_agent_that_is_away_and_a_minute_for_one_that_is_not() {
    let mut world = World::running(true);
    world.take(Input::Disconnected).take(Input::Exited(status(0))).pass(seconds(3600));
    assert_eq!((world.states().last(), world.exit()), (Some(&TaskFinished), None));
    world.take(Input::Subscribed { killing_state: true }).pass(seconds(59));
    assert_eq!(world.exit(), None);
    world.take(Input::Disconnected).pass(seconds(10)).take(Input::Subscribed { killing_state: true });
    world.pass(seconds(59));
    assert_eq!(world.exit(), None);
    assert_eq!(world.pass(seconds(1)).exit(), Some(ExitStatus::Failure));
}

#[test]
fn a_successor_goes_on_with_the_kill_and_repeats_nothing() {
    let mut world = World::running(true);
    world.take(unhealthy(true)).pass(seconds(1));
    let kill = world.lifecycle.kill().cloned();
    let last = world.updates().last().map(|update| (*update).clone());
    let past =
        |term_sent| Past { plan: plan(), last: last.clone(), kill: kill.clone(), term_sent, launched: world.now };
    let (_, actions) = Lifecycle::resume(seconds(5), past(false));
    assert_eq!(actions, [Action::Signal(Signal::TERM)]);
    let (lifecycle, actions) = Lifecycle::resume(seconds(5), past(true));
    assert_eq!(actions, []);
    let mut heir = World { lifecycle, now: world.now, actions: Vec::new() };
    heir.pass(seconds(2)).take(Input::Exited(status(9)));
    assert_eq!(heir.signals(), [(3.0, Signal::KILL)]);
    assert_eq!(heir.states(), [TaskKilled]);
    assert_eq!(heir.updates()[0].verdict, Unhealthy);
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![Just(status(0)), Just(status(1 << 8)), Just(status(9)), Just(Ending::Unknown("gone".to_owned()))]
}

fn input() -> impl Strategy<Value = Input> {
    let grace = prop::option::of((0u64..20).prop_map(seconds));
    let max = prop::option::of((1u64..60).prop_map(seconds));
    prop_oneof![
        1 => any::<bool>().prop_map(|killing_state| Input::Subscribed { killing_state }),
        1 => Just(Input::Disconnected),
        3 => max.prop_map(|max_completion_time| Input::Launch(Plan { max_completion_time, ..plan() })),
        2 => grace.prop_map(|grace| Input::Kill { grace }),
        1 => Just(Input::Shutdown),
        4 => Just(Input::Spawned),
        1 => Just(Input::SpawnFailed("no".to_owned())),
        1 => ending().prop_map(Input::Exited),
        6 => prop_oneof![Just(healthy()), any::<bool>().prop_map(unhealthy)],
        4 => (200u32..203).prop_map(|code| Input::Check(http(Some(code)))),
        1 => Just(Input::TerminalAcknowledged),
        2 => Just(Input::Tick),
    ]
}

/// The rules of every life, however many executors it took.
fn is_in_order(updates: &[&Update]) {
    let states: Vec<_> = updates.iter().map(|update| update.state).collect();
    let rank = |state: &TaskState| match state {
        TaskStarting => 0,
        TaskRunning => 1,
        TaskKilling => 2,
        _ => 3,
    };
    assert!(states.is_sorted_by_key(rank), "{states:?}");
    for once in [0, 2, 3] {
        assert!(states.iter().filter(|state| rank(state) == once).count() <= 1, "{states:?}");
    }
    for update in updates {
        let from_checks = [Reason::TaskCheckStatusUpdated, Reason::TaskHealthCheckStatusUpdated];
        let is_from_checks = update.reason.is_some_and(|reason| from_checks.contains(&reason));
        assert!(!is_from_checks || update.state == TaskRunning);
        assert!(update.check_status.is_some());
    }
}

proptest! {
    #[test]
    fn every_life_is_in_order(steps in prop::collection::vec((input(), 0u64..5), 1..60)) {
        let mut world = World::new();
        for (input, pause) in steps {
            // Before the process runs a kill only waits; its grace begins with SIGTERM.
            let begun = world.signals().iter().any(|(_, signal)| *signal == Signal::TERM);
            let before = world.lifecycle.kill().filter(|_| begun).cloned();
            world.take(input);
            if let (Some(before), Some(after)) = (before, world.lifecycle.kill()) {
                // Later than before only if it was carried out meanwhile.
                let struck = world.actions.iter().any(|(_, action)| *action == Action::Signal(Signal::KILL));
                prop_assert!(after.deadline() <= before.deadline() || struck);
            }
            world.pass(seconds(pause));
        }
        is_in_order(&world.updates());
        // Nothing comes after the end, and time stands still then.
        if let Some(at) = world.actions.iter().position(|(_, action)| matches!(action, Action::Exit(_))) {
            prop_assert_eq!(at + 1, world.actions.len());
            prop_assert_eq!(world.lifecycle.wake_at(), None);
        }
    }

    #[test]
    fn a_life_stays_in_order_whoever_goes_on_with_it(steps in prop::collection::vec((input(), 0u64..5, 0u8..6), 1..60)) {
        let mut world = World::new();
        world.take(Input::Launch(plan()));
        let launched = world.now;
        let mut killed = false;
        for (input, pause, dies) in steps {
            world.take(input).pass(seconds(pause));
            if world.exit().is_some() {
                break;
            }
            killed |= world.lifecycle.kill().is_some();
            if dies == 0 {
                let last = world.updates().last().map(|update| (*update).clone());
                let term_sent = !world.signals().is_empty();
                let past = Past { plan: plan(), last, kill: world.lifecycle.kill().cloned(), term_sent, launched };
                let (lifecycle, actions) = Lifecycle::resume(seconds(5), past);
                world.lifecycle = lifecycle;
                world.actions.extend(actions.into_iter().map(|action| (world.now, action)));
            }
        }
        is_in_order(&world.updates());
        // A kill that was begun is never forgotten.
        let end = world.updates().last().map(|update| (*update).clone()).unwrap();
        prop_assert!(!(killed && end.state == TaskFinished));
    }

    #[test]
    fn every_kill_ends_in_a_kill_signal_within_its_shortest_grace(graces in prop::collection::vec((0u64..30, 0u64..10), 1..8)) {
        let mut world = World::running(true);
        let begun = world.now;
        let mut deadline = None;
        for (grace, pause) in graces {
            let wanted = (begun + seconds(grace)).max(world.now);
            let earlier = deadline.map_or(wanted, |deadline: Moment| deadline.min(wanted));
            deadline = Some(earlier);
            world.take(Input::Kill { grace: Some(seconds(grace)) }).pass(seconds(pause));
        }
        world.pass(seconds(40));
        let struck = world.signals().into_iter().find(|(_, signal)| *signal == Signal::KILL).map(|(at, _)| at);
        prop_assert_eq!(struck, deadline.map(|deadline| deadline.since(begun).as_secs_f64()));
    }
}
