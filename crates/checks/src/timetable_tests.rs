//! Hours of a timetable in simulated time, by hand and at random.

use proptest::prelude::*;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);
const TICK: Duration = Duration::from_millis(10);

fn schedule(delay: u64, interval: u64, timeout: Option<u64>) -> Schedule {
    let ms = Duration::from_millis;
    Schedule { delay: ms(delay), interval: ms(interval), timeout: timeout.map(ms), ..Schedule::default() }
}

fn tick(interval: u64) -> Tick {
    Tick::of(&schedule(0, interval, None), TICK)
}

fn all_due(timetable: &mut Timetable, now: Duration) -> Vec<Due> {
    std::iter::from_fn(|| timetable.next_due(now)).collect()
}

#[test]
fn ticks_shrink_for_fast_checks() {
    assert_eq!(Tick::of(&schedule(0, 1000, Some(1000)), TICK).length(), TICK);
    assert_eq!(Tick::of(&schedule(0, 1000, Some(50)), TICK).length(), 5 * MILLISECOND);
    assert_eq!(Tick::of(&schedule(0, 30, Some(1000)), TICK).length(), 3 * MILLISECOND);
    assert_eq!(Tick::of(&schedule(0, 0, None), TICK).length(), MILLISECOND);
}

#[test]
fn the_interval_counts_from_the_end() {
    let mut timetable = Timetable::default();
    timetable.add(1, tick(1000), Duration::ZERO);
    let due = timetable.next_due(Duration::ZERO).unwrap();
    assert_eq!(timetable.next_wake(), None, "no overlap: nothing is due while one runs");
    assert!(timetable.finish(1, due.run, 700 * MILLISECOND, 1000 * MILLISECOND));
    assert_eq!(timetable.next_wake(), Some(1700 * MILLISECOND));
    assert_eq!(all_due(&mut timetable, 1699 * MILLISECOND), []);
    assert_eq!(all_due(&mut timetable, 1700 * MILLISECOND).len(), 1);
}

#[test]
fn what_is_due_within_a_tick_comes_together() {
    let mut timetable = Timetable::default();
    (3..=12).for_each(|key| timetable.add(key, tick(1000), key as u32 * MILLISECOND));
    assert_eq!(timetable.next_wake(), Some(TICK));
    assert_eq!(all_due(&mut timetable, TICK).len(), 10, "also who is due a fifth of a tick later");
}

#[test]
fn an_attempt_of_before_a_pause_ends_unheard() {
    let mut timetable = Timetable::default();
    timetable.add(1, tick(1000), Duration::ZERO);
    let before = timetable.next_due(Duration::ZERO).unwrap();
    timetable.pause(1);
    timetable.resume(1, TICK);
    timetable.resume(1, TICK);
    let after = all_due(&mut timetable, TICK);
    assert_eq!(after.len(), 1, "one loop only");
    assert!(!timetable.finish(1, before.run, 2 * TICK, TICK));
    assert!(timetable.finish(1, after[0].run, 2 * TICK, TICK));
}

#[test]
fn lateness_is_measured_from_the_moment_due() {
    let mut timetable = Timetable::default();
    timetable.add(1, tick(1000), 5 * MILLISECOND);
    let due = timetable.next_due(500 * MILLISECOND).unwrap();
    assert_eq!(timetable.started(&due, 505 * MILLISECOND), 500 * MILLISECOND);
    assert_eq!(timetable.lag(), Lag { started: 1, late: 1, worst: 500 * MILLISECOND });
}

#[test]
fn putting_off_and_hurrying() {
    let mut timetable = Timetable::default();
    timetable.add(1, tick(1000), Duration::ZERO);
    timetable.put_off(1, 900 * MILLISECOND);
    assert_eq!(timetable.next_wake(), Some(900 * MILLISECOND));
    timetable.hurry(1, 100 * MILLISECOND);
    let due = timetable.next_due(100 * MILLISECOND).unwrap();
    timetable.hurry(1, 200 * MILLISECOND);
    assert_eq!(timetable.next_wake(), None, "it runs already");
    timetable.put_off(1, 900 * MILLISECOND);
    assert!(!timetable.finish(1, due.run, 300 * MILLISECOND, TICK), "an attempt of before ends unheard");
    timetable.pause(1);
    timetable.hurry(1, 300 * MILLISECOND);
    assert_eq!(timetable.next_wake(), None, "paused is paused");
}

#[test]
fn one_that_is_asked_for_while_another_runs_follows_it_at_once() {
    let mut timetable = Timetable::default();
    timetable.add(1, tick(1000), Duration::ZERO);
    let first = timetable.next_due(Duration::ZERO).unwrap();
    timetable.once_more(1, 100 * MILLISECOND);
    timetable.once_more(1, 200 * MILLISECOND);
    assert!(timetable.finish(1, first.run, 300 * MILLISECOND, Duration::from_secs(3600)));
    let second = timetable.next_due(300 * MILLISECOND).unwrap();
    assert!(timetable.finish(1, second.run, 400 * MILLISECOND, 600 * MILLISECOND), "however often it was asked for");
    assert_eq!(timetable.next_wake(), Some(1000 * MILLISECOND));
    timetable.once_more(1, 500 * MILLISECOND);
    assert_eq!(timetable.next_wake(), Some(500 * MILLISECOND));
    timetable.pause(1);
    timetable.once_more(1, 600 * MILLISECOND);
    assert_eq!(timetable.next_wake(), None, "paused is paused");
}

#[test]
fn jitter_is_below_its_bound_and_another_one_each_time() {
    let bound = 100 * MILLISECOND;
    let parts: Vec<Duration> = (0..1000).map(|run| jitter(7, run, bound)).collect();
    assert!(parts.iter().all(|part| *part < bound));
    let mean = parts.iter().sum::<Duration>() / 1000;
    assert!((40 * MILLISECOND..60 * MILLISECOND).contains(&mean), "{mean:?}");
    assert_eq!(jitter(7, 1, Duration::ZERO), Duration::ZERO);
}

#[test]
fn ten_thousand_spread_evenly() {
    let plan = schedule(0, 1000, None);
    let mut per_tenth = [0; 10];
    for check in 0..10_000 {
        let phase = recovered_phase(&plan, &format!("task-{check}/0"));
        per_tenth[phase.as_millis() as usize / 100] += 1;
    }
    assert!(per_tenth.iter().all(|count| (800..1200).contains(count)), "{per_tenth:?}");
}

#[test]
fn a_delay_and_interval_of_zero_start_at_once() {
    assert_eq!(spread_phase(&schedule(0, 0, None), "a/0"), Duration::ZERO);
    let slow = spread_phase(&schedule(15_000, 60_000, None), "a/0");
    assert!((Duration::from_secs(15)..Duration::from_secs(16)).contains(&slow), "{slow:?}");
}

#[derive(Clone, Debug)]
enum Move {
    Pass(u64),
    Finish,
    FinishAnOldOne,
    Pause,
    Resume,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (1_u64..400).prop_map(Move::Pass),
        Just(Move::Finish),
        Just(Move::FinishAnOldOne),
        Just(Move::Pause),
        Just(Move::Resume),
    ];
    proptest::collection::vec(one, 0..200)
}

proptest! {
    /// A model of one check: the run it waits for, the earliest moment of the next, whether it is paused.
    #[test]
    fn one_loop_never_early_never_two(moves in moves(), interval in 0_u64..300) {
        let mut timetable = Timetable::default();
        let tick = tick(interval);
        let wait = Duration::from_millis(interval);
        timetable.add(7, tick, Duration::ZERO);
        let (mut now, mut running, mut earliest, mut paused) = (Duration::ZERO, None, Duration::ZERO, false);
        let mut old: Vec<Run> = Vec::new();
        for step in moves {
            match step {
                Move::Pass(ms) => now += Duration::from_millis(ms),
                Move::Finish => if let Some(run) = running.take() {
                    prop_assert!(timetable.finish(7, run, now, wait));
                    earliest = now + wait;
                    old.push(run);
                },
                Move::FinishAnOldOne => for run in &old {
                    prop_assert!(!timetable.finish(7, *run, now, wait));
                },
                Move::Pause => {
                    timetable.pause(7);
                    old.extend(running.take());
                    paused = true;
                }
                Move::Resume => {
                    timetable.resume(7, now);
                    earliest = if paused { now } else { earliest };
                    paused = false;
                }
            }
            let due = all_due(&mut timetable, now);
            let expected = !paused && running.is_none() && Duration::from_nanos(tick.start(nanos(earliest))) <= now;
            prop_assert_eq!(due.len(), usize::from(expected), "at {:?}", now);
            running = due.first().map(|due| due.run).or(running);
        }
    }

    #[test]
    fn wakes_exactly_when_somebody_is_due(dues in proptest::collection::vec(1_u64..5000, 1..50)) {
        let mut timetable = Timetable::default();
        for (key, due) in (0..).zip(&dues) {
            timetable.add(key, tick(1000), Duration::from_millis(*due));
        }
        let mut seen = 0;
        while let Some(wake) = timetable.next_wake() {
            let before = wake.checked_sub(Duration::from_nanos(1));
            prop_assert!(before.is_none_or(|before| all_due(&mut timetable, before).is_empty()));
            let due = all_due(&mut timetable, wake);
            prop_assert!(!due.is_empty());
            prop_assert!(due.iter().all(|due| due.due <= wake + TICK / 5 && wake < due.due + TICK));
            seen += due.len();
        }
        prop_assert_eq!(seen, dues.len());
    }
}
