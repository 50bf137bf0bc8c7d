//! Stories of a clock that somebody sets while something is waited for: nothing is decided by it.

use super::*;

/// Outputs of a second: kills, wishes for offers, questions about tasks, launches, and events.
type Second = (usize, usize, usize, usize, Vec<&'static str>);

impl World {
    /// The machine's time is set: an hour ahead, an hour back, or not at all.
    fn set_clock(&mut self, hours: i64) {
        self.now.wall = Timestamp::from_millis(self.now.wall.millis() + hours * 3_600_000);
    }

    /// The outputs of each of the seconds from now on.
    fn seconds(&mut self, count: usize) -> Vec<Second> {
        let second = |_| {
            self.pass(Duration::from_secs(1));
            let [kills, revives, asked] =
                [call::Type::Kill, call::Type::Revive, call::Type::Reconcile].map(|kind| self.take(kind).len());
            (kills, revives, asked, self.offer().len(), self.told())
        };
        (0..count).map(second).collect()
    }
}

/// The outputs after a story if the time is set now and again.
fn after(story: &dyn Fn(&mut World), hours: i64) -> Vec<Second> {
    let mut world = World::of(Loaded::default(), Timestamp::from_millis(1_000_000_000));
    story(&mut world);
    world.calls.clear();
    world.told();
    world.set_clock(hours);
    let mut seconds = world.seconds(45);
    world.set_clock(hours);
    seconds.extend(world.seconds(620));
    seconds
}

#[track_caller]
fn no_clock_changes(what: &str, story: &dyn Fn(&mut World), happens: impl Fn(&Second) -> bool, at: &[usize]) {
    let usual = after(story, 0);
    let seen: Vec<_> = usual.iter().enumerate().filter(|(_, second)| happens(second)).map(|(at, _)| at + 1).collect();
    assert_eq!(seen.get(..at.len()), Some(at), "{what}");
    for hours in [1, -1] {
        assert_eq!(after(story, hours), usual, "{what}, {hours} h");
    }
}

#[test]
fn a_clock_that_jumps_changes_no_backoff() {
    let fails = |world: &mut World| {
        world.add(1, json!({"backoffSeconds": 100}));
        let task = world.bring_up().remove(0);
        world.update(&task, TaskState::TaskFailed, None);
    };
    no_clock_changes("backoff", &fails, |second| second.3 > 0, &[100]);
    let sick = |world: &mut World| {
        world.add(1, json!({"backoffSeconds": 100}));
        let task = world.launch().remove(0);
        world.set_clock(-1);
        world.update(&task, TaskState::TaskRunning, Some(false));
        world.update(&task, TaskState::TaskKilled, Some(false));
    };
    no_clock_changes("no backoff of a health kill", &sick, |second| second.3 > 0, &[1]);
}

#[test]
fn a_clock_that_jumps_changes_no_launch_timeout_and_no_kill_again() {
    let launched = |world: &mut World| {
        world.add(1, json!({}));
        world.offer();
    };
    no_clock_changes("launch timeout", &launched, |second| second.0 > 0, &[300, 330, 360]);
    let removed = |world: &mut World| {
        world.add(1, json!({}));
        world.bring_up();
        world.tell(|core, now| core.remove(&web(), true, now)).unwrap();
    };
    no_clock_changes("kill again", &removed, |second| second.0 > 0, &[30, 60, 90]);
}

#[test]
fn a_clock_that_jumps_changes_no_brake_window_and_no_pause() {
    let all_sick = |world: &mut World| {
        world.add(10, json!({}));
        let tasks = world.bring_up();
        for task in &tasks {
            (0..3).for_each(|_| world.update(task, TaskState::TaskRunning, Some(false)));
            let id = InstanceId::of_task(task).unwrap();
            world.tell(|core, now| core.kill_for_health(&id, now));
        }
    };
    let killed = |second: &Second| second.4.contains(&"unhealthy_instance_kill_event");
    no_clock_changes("brake", &all_sick, killed, &[60]);
    let paused = |world: &mut World| {
        all_sick(world);
        let ids: Vec<_> = world.core.instances.values().map(|found| found.id.clone()).collect();
        let pause = Some(Pause::For(Duration::from_secs(100)));
        ids.iter().for_each(|id| world.tell(|core, now| core.pause_checks(id, pause, now)));
        assert!(ids.iter().all(|id| world.core.checking.is_paused(id, world.now.moment)));
        world.set_clock(1);
        assert!(ids.iter().all(|id| world.core.checking.is_paused(id, world.now.moment)));
    };
    no_clock_changes("pause", &paused, |second| second.0 > 0, &[30]);
}

#[test]
fn a_clock_that_jumps_changes_no_reconciliation_no_expunge_and_no_deadline() {
    let runs = |world: &mut World| {
        world.add(1, json!({}));
        world.bring_up();
        world.tell(|core, now| core.subscribed("framework", "master:5050", now));
    };
    no_clock_changes("reconcile", &runs, |second| second.2 > 0, &[1, 3, 7, 15, 30]);
    let away = |world: &mut World| {
        world.add(1, json!({"unreachableStrategy": {"inactiveAfterSeconds": 60, "expungeAfterSeconds": 120}}));
        let task = world.bring_up().remove(0);
        world.update(&task, TaskState::TaskUnreachable, None);
    };
    no_clock_changes("expunge", &away, |second| second.4.contains(&"instance_changed_event"), &[60]);
    let late = |world: &mut World| {
        world.add(1, json!({"upgradeStrategy": {"deadlineSeconds": 100}}));
        world.bring_up();
        world.change(json!({"cmd": "other"}), false).unwrap();
    };
    no_clock_changes("deadline", &late, |second| second.4.contains(&"deployment_failed"), &[100]);
}

#[test]
fn what_was_stored_with_another_time_is_as_old_as_can_be_believed() {
    let now = Now { moment: Moment::from_millis(5_000), wall: Timestamp::from_millis(10_000) };
    let age = |wall| now.moment.since(now.moment_of(Timestamp::from_millis(wall)));
    assert_eq!(age(7_000), Duration::from_secs(3));
    assert_eq!((age(50_000), now.moment_of(Timestamp::from_millis(50_000))), (Duration::ZERO, now.moment));
    assert_eq!(age(i64::MIN), Duration::from_secs(365 * 24 * 60 * 60));
    assert_eq!(now.moment_until(Timestamp::from_millis(12_000)).since(now.moment), Duration::from_secs(2));
    assert_eq!(now.moment_until(Timestamp::from_millis(0)), now.moment);
}

#[test]
fn a_kill_of_before_a_restart_is_repeated_whatever_the_clock_says() {
    for hours in [-1, 0, 1] {
        let mut world = World::new();
        world.add(1, json!({}));
        world.bring_up();
        world.tell(|core, now| core.remove(&web(), true, now)).unwrap();
        world.set_clock(hours);
        let mut world = world.restart();
        world.calls.clear();
        world.pass(Duration::from_secs(30));
        assert_eq!(world.take(call::Type::Kill).len(), 1, "{hours} h");
    }
}
