//! A world of an executor, an agent that may crash at any point, and a framework, driven at random.

use std::collections::{BTreeMap, VecDeque};

use mesos::v1::task_status;
use proptest::prelude::*;

use super::*;

fn key() -> TaskKey {
    TaskKey { framework: "F".into(), task: "T".into() }
}

fn update(number: u8, state: TaskState) -> TaskStatus {
    TaskStatus {
        task_id: "T".into(),
        state: state.into(),
        uuid: Some(vec![number; 16]),
        source: Some(task_status::Source::Executor.into()),
        ..TaskStatus::default()
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn forwarded(actions: &[UpdateAction]) -> Vec<(u8, TaskState)> {
    let number = |action: &UpdateAction| match action {
        UpdateAction::Forward { status, latest, .. } => Some((status.uuid()[0], *latest)),
        _ => None,
    };
    actions.iter().filter_map(number).collect()
}

fn acknowledged(actions: &[UpdateAction]) -> usize {
    actions.iter().filter(|action| matches!(action, UpdateAction::AcknowledgeExecutor { .. })).count()
}

fn connected() -> StatusUpdates {
    StatusUpdates { connected: true, ..StatusUpdates::default() }
}

/// An executor's update, at the beginning.
fn receive(updates: &mut StatusUpdates, number: u8, state: TaskState) -> Vec<UpdateAction> {
    updates.receive(at(0), &key(), update(number, state))
}

#[test]
fn one_update_is_in_flight_and_carries_the_latest_state() {
    let mut updates = connected();
    let first = receive(&mut updates, 1, TaskState::TaskStarting);
    assert_eq!(forwarded(&first), [(1, TaskState::TaskStarting)]);
    assert!(matches!(first[0], UpdateAction::Persist(_)), "what is sent is on disk first");
    let second = receive(&mut updates, 2, TaskState::TaskRunning);
    assert_eq!((forwarded(&second).len(), acknowledged(&second)), (0, 1));
    assert_eq!(forwarded(&updates.wake(at(10))), [(1, TaskState::TaskRunning)]);
    let next = updates.acknowledge(at(11), &key(), &[1; 16]).unwrap();
    assert_eq!(forwarded(&next), [(2, TaskState::TaskRunning)]);
}

#[test]
fn repetitions_slow_down_to_ten_minutes_and_start_over_with_the_next_update() {
    let mut updates = connected();
    receive(&mut updates, 1, TaskState::TaskStarting);
    receive(&mut updates, 2, TaskState::TaskRunning);
    let mut waits = Vec::new();
    let mut now = at(0);
    for _ in 0..9 {
        let next = updates.wake_at().unwrap();
        waits.push((next - now).as_secs());
        now = next;
        assert_eq!(forwarded(&updates.wake(now)).len(), 1);
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
    updates.acknowledge(now, &key(), &[1; 16]).unwrap();
    assert_eq!(updates.wake_at(), Some(now + RETRY_MIN));
}

#[test]
fn only_the_oldest_can_be_acknowledged() {
    let mut updates = connected();
    assert_eq!(updates.acknowledge(at(0), &key(), &[1; 16]), Err(Unexpected::NoStream));
    receive(&mut updates, 1, TaskState::TaskStarting);
    receive(&mut updates, 2, TaskState::TaskRunning);
    assert_eq!(updates.acknowledge(at(0), &key(), &[2; 16]), Err(Unexpected::NotTheOldest));
    assert!(updates.acknowledge(at(0), &key(), &[1; 16]).is_ok());
    assert_eq!(updates.acknowledge(at(0), &key(), &[1; 16]), Err(Unexpected::NotTheOldest));
}

#[test]
fn duplicates_are_acknowledged_again_and_go_no_further() {
    let mut updates = connected();
    receive(&mut updates, 1, TaskState::TaskStarting);
    let waiting = receive(&mut updates, 1, TaskState::TaskStarting);
    assert_eq!((waiting.len(), acknowledged(&waiting)), (1, 1));
    updates.acknowledge(at(0), &key(), &[1; 16]).unwrap();
    let known = receive(&mut updates, 1, TaskState::TaskStarting);
    assert_eq!((known.len(), acknowledged(&known)), (1, 1));
}

#[test]
fn nothing_follows_the_end() {
    let mut updates = connected();
    receive(&mut updates, 1, TaskState::TaskFailed);
    let late = receive(&mut updates, 2, TaskState::TaskRunning);
    assert_eq!((late.len(), acknowledged(&late)), (1, 1));
    let end = updates.acknowledge(at(0), &key(), &[1; 16]).unwrap();
    assert_eq!(end.last(), Some(&UpdateAction::Remove(key())));
    assert!(updates.is_idle() && updates.wake_at().is_none());
}

#[test]
fn without_a_master_nothing_is_sent_and_then_everything() {
    let mut updates = StatusUpdates::default();
    let other = TaskKey { task: "U".into(), ..key() };
    assert_eq!(forwarded(&receive(&mut updates, 1, TaskState::TaskRunning)), []);
    updates.receive(at(0), &other, update(2, TaskState::TaskRunning));
    assert_eq!(updates.wake_at(), None);
    assert_eq!(forwarded(&updates.resume(at(5))).len(), 2);
    updates.wake(at(15));
    updates.pause();
    assert_eq!((updates.wake_at(), forwarded(&updates.wake(at(1000))).len()), (None, 0));
    assert_eq!(forwarded(&updates.resume(at(1001))).len(), 2);
    assert_eq!(updates.wake_at(), Some(at(1011)), "waiting starts over");
}

/// An event in the world.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The executor makes its next update.
    Make,
    /// The executor repeats everything the agent has not acknowledged.
    Repeat,
    /// The framework acknowledges the newest update it got, or an old one again.
    Acknowledge {
        old: bool,
    },
    Connect,
    Disconnect,
    Pass(u16),
    /// The agent dies. What it wanted to do in this step it did up to here.
    Crash {
        done: u8,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Make),
        2 => Just(Step::Repeat),
        5 => any::<bool>().prop_map(|old| Step::Acknowledge { old }),
        2 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        2 => (0..2000_u16).prop_map(Step::Pass),
        1 => (0..4_u8).prop_map(|done| Step::Crash { done }),
    ];
    proptest::collection::vec(step, 1..80)
}

#[derive(Default)]
struct World {
    updates: StatusUpdates,
    disk: BTreeMap<u64, UpdateRecord>,
    now: Duration,
    made: Vec<TaskStatus>,
    unacknowledged: VecDeque<TaskStatus>,
    received: Vec<u8>,
    removed: bool,
    /// The number of further actions that are carried out before the agent dies.
    fuse: Option<u8>,
    /// The executor has lost its agent, and subscribes again before it says anything else.
    lost: bool,
}

impl World {
    fn step(&mut self, step: Step, total: u8) {
        match step {
            Step::Make => self.make(total),
            Step::Repeat => self.repeat(),
            Step::Acknowledge { old } => self.acknowledge(old),
            Step::Connect => {
                let actions = self.updates.resume(self.now);
                self.carry_out(actions);
            }
            Step::Disconnect => self.updates.pause(),
            Step::Pass(seconds) => {
                self.now += at(seconds.into());
                let actions = self.updates.wake(self.now);
                self.carry_out(actions);
            }
            Step::Crash { done } => self.fuse = Some(done),
        }
    }

    fn make(&mut self, total: u8) {
        let number = self.made.len() as u8;
        if number >= total {
            return;
        }
        let state = if number + 1 == total { TaskState::TaskFinished } else { TaskState::TaskRunning };
        let status = update(number, state);
        self.made.push(status.clone());
        self.unacknowledged.push_back(status.clone());
        if self.lost { self.repeat() } else { self.deliver(status) }
    }

    fn repeat(&mut self) {
        self.lost = false;
        for status in self.unacknowledged.clone() {
            self.deliver(status);
            if self.lost {
                return;
            }
        }
    }

    /// The agent answers for tasks that are over without asking the manager.
    fn deliver(&mut self, status: TaskStatus) {
        if self.removed {
            self.unacknowledged.retain(|waiting| waiting.uuid != status.uuid);
            return;
        }
        let actions = self.updates.receive(self.now, &key(), status);
        self.carry_out(actions);
    }

    fn acknowledge(&mut self, old: bool) {
        let chosen = if old { self.received.first() } else { self.received.last() };
        let Some(number) = chosen.copied() else { return };
        if let Ok(actions) = self.updates.acknowledge(self.now, &key(), &[number; 16]) {
            self.carry_out(actions);
        }
    }

    fn carry_out(&mut self, actions: Vec<UpdateAction>) {
        // All that is to be persisted goes to disk in one commit, before the rest.
        let (persist, rest): (Vec<_>, Vec<_>) =
            actions.into_iter().partition(|action| matches!(action, UpdateAction::Persist(_)));
        if self.fuse == Some(0) {
            return self.crash();
        }
        for action in persist {
            self.persist(action);
        }
        for (done, action) in rest.into_iter().enumerate() {
            if self.fuse.is_some_and(|fuse| done + 1 >= fuse.into()) {
                return self.crash();
            }
            match action {
                UpdateAction::AcknowledgeExecutor { uuid, .. } => self.unacknowledged.retain(|s| s.uuid() != uuid),
                UpdateAction::Forward { status, .. } => self.received.push(status.uuid()[0]),
                UpdateAction::Remove(_) => self.removed = true,
                UpdateAction::Persist(_) => unreachable!("partitioned"),
            }
        }
        if self.fuse.is_some() {
            self.crash();
        }
    }

    fn persist(&mut self, action: UpdateAction) {
        match action {
            UpdateAction::Persist(UpdateChange::Put { number, record, .. }) => {
                self.disk.insert(number, *record);
            }
            UpdateAction::Persist(UpdateChange::Delete { numbers, .. }) => {
                numbers.iter().for_each(|number| {
                    self.disk.remove(number);
                });
                // The task's own record goes in the same commit.
                self.removed |= self.disk.is_empty();
            }
            _ => unreachable!("partitioned"),
        }
    }

    fn crash(&mut self) {
        self.fuse = None;
        self.lost = true;
        self.updates = StatusUpdates::default();
        for (number, record) in &self.disk {
            self.updates.recover(&key(), *number, record.clone());
        }
    }

    /// From here on everybody does their duty.
    fn settle(&mut self, total: u8) {
        self.fuse = None;
        for _ in 0..=total {
            self.make(total);
        }
        self.repeat();
        self.step(Step::Connect, total);
        for _ in 0..=total {
            self.acknowledge(false);
        }
    }
}

proptest! {
    #[test]
    fn every_update_arrives_at_least_once_and_in_order(steps in steps(), total in 1..12_u8) {
        let mut world = World::default();
        for step in steps {
            world.step(step, total);
            prop_assert!(world.received.iter().all(|number| usize::from(*number) < world.made.len()));
        }
        world.settle(total);
        let mut firsts = Vec::new();
        for number in &world.received {
            if !firsts.contains(number) {
                firsts.push(*number);
            }
        }
        prop_assert_eq!(firsts, (0..total).collect::<Vec<_>>(), "each once at least, for the first time in order");
        prop_assert!(world.received.is_sorted(), "never an older one after a newer one");
        prop_assert!(world.unacknowledged.is_empty(), "the executor may forget everything");
        prop_assert!(world.updates.is_idle() && world.disk.is_empty(), "nothing is left behind");
    }
}
