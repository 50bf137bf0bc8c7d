//! The order in which checks are due. Pure: time is a `Duration` since some origin, and an argument.
//!
//! In: checks with their ticks and waits, the time, attempts that ended. Out: who is due, and when to look again. What is due
//! within one tick of the clock is handed out together, so that many checks cost one wake-up. Per check there is at
//! most one attempt, and each has a number of its own: an attempt of before a pause cannot end one of after it.
//!
//! A B-tree ordered by time: a check costs two operations of well below a microsecond per attempt, and, unlike a
//! wheel, knows its next moment without turning.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use crate::spec::Schedule;

/// Names a check; never used twice.
pub(crate) type Key = u64;

/// Numbers an attempt; never used twice.
pub(crate) type Run = u64;

/// No tick is shorter, so that an interval of 0 does not take all of the CPU.
const SHORTEST_TICK: Duration = Duration::from_millis(1);

/// Checks that start together spread over at most this.
const SPREAD: Duration = Duration::from_secs(1);

/// Moments of a check are rounded up to a multiple of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick(u32);

impl Tick {
    /// The engine's tick, or a tenth of the shortest interval or timeout if that is shorter.
    pub(crate) fn of(schedule: &Schedule, tick: Duration) -> Tick {
        let interval = schedule.shortest_interval();
        let shortest = schedule.timeout.map_or(interval, |timeout| timeout.min(interval));
        let tick = (shortest / 10).clamp(SHORTEST_TICK.min(tick), tick);
        Tick(u32::try_from(tick.as_nanos()).unwrap_or(u32::MAX).max(1))
    }

    /// The length.
    pub(crate) fn length(self) -> Duration {
        Duration::from_nanos(self.0.into())
    }

    /// The first tick not before this.
    pub(crate) fn round_up(self, moment: Duration) -> Duration {
        Duration::from_nanos(self.round_up_nanos(nanos(moment)))
    }

    fn round_up_nanos(self, moment: u64) -> u64 {
        moment.div_ceil(self.0.into()).saturating_mul(self.0.into())
    }

    /// The tick in which to start what is due at this moment: the next one, or the last one if that is but a fifth of a
    /// tick ago. An attempt that took no time would else be a whole tick late after every interval.
    fn start(self, due: u64) -> u64 {
        self.round_up_nanos(due.saturating_sub(u64::from(self.0) / 5))
    }
}

/// Half a millennium is enough.
pub(crate) fn nanos(moment: Duration) -> u64 {
    u64::try_from(moment.as_nanos()).unwrap_or(u64::MAX)
}

/// The time from the start of a check that is one of many to its first attempt.
pub(crate) fn spread_phase(schedule: &Schedule, seed: &str) -> Duration {
    schedule.delay.saturating_add(phase(seed, schedule.interval.min(SPREAD)))
}

/// The time after its return at which a recovered check has its next attempt.
pub(crate) fn recovered_phase(schedule: &Schedule, seed: &str) -> Duration {
    phase(seed, schedule.interval)
}

/// By how much longer the wait after this attempt is: below `bound`, and another part of it each time.
pub(crate) fn jitter(key: Key, run: Run, bound: Duration) -> Duration {
    spread(key.rotate_left(32) ^ run.wrapping_mul(0xff51_afd7_ed55_8ccd), bound)
}

/// Below `bound`, spread evenly, and the same for the same seed on every machine (FNV-1a and a finishing mix).
fn phase(seed: &str, bound: Duration) -> Duration {
    let hash = seed
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    spread(hash, bound)
}

fn spread(hash: u64, bound: Duration) -> Duration {
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let part = u128::from(nanos(bound)).saturating_mul(u128::from(mixed)) >> 64;
    u64::try_from(part).map_or(Duration::ZERO, Duration::from_nanos)
}

/// An attempt that is to start now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Of which check.
    pub(crate) key: Key,
    /// The attempt.
    pub(crate) run: Run,
    /// The time at which it should have started.
    pub(crate) due: Duration,
}

/// The punctuality of attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Lag {
    /// The number that started.
    pub started: u64,
    /// The number of them that started more than two ticks after they were due.
    pub late: u64,
    /// The worst of them.
    pub worst: Duration,
}

/// Times are nanoseconds since the origin: a hundred thousand of these are kept.
#[derive(Debug)]
enum State {
    Waiting {
        due: u64,
    },
    Running {
        run: Run,
        /// Another is to follow at once.
        again: bool,
    },
    Paused,
}

#[derive(Debug)]
struct Row {
    state: State,
    tick: Tick,
}

/// All checks, by when they are due.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    rows: HashMap<Key, Row, BuildKeyHasher>,
    waiting: BTreeSet<(u64, Key)>,
    last_run: Run,
    lag: Lag,
}

impl Timetable {
    /// A new check, first due at this moment.
    pub(crate) fn add(&mut self, key: Key, tick: Tick, due: Duration) {
        self.remove(key);
        self.rows.insert(key, Row { tick, state: State::Paused });
        self.wait(key, due);
    }

    /// Forgets a check. What it runs ends unheard.
    pub(crate) fn remove(&mut self, key: Key) {
        self.leave_queue(key);
        self.rows.remove(&key);
    }

    /// No attempts from now on; the running one ends unheard.
    pub(crate) fn pause(&mut self, key: Key) {
        self.leave_queue(key);
        if let Some(row) = self.rows.get_mut(&key) {
            row.state = State::Paused;
        }
    }

    /// Due at once, if it was paused.
    pub(crate) fn resume(&mut self, key: Key, now: Duration) {
        if matches!(self.rows.get(&key), Some(Row { state: State::Paused, .. })) {
            self.wait(key, now);
        }
    }

    /// Due at this moment, whatever was planned; the running attempt ends unheard.
    pub(crate) fn put_off(&mut self, key: Key, until: Duration) {
        self.pause(key);
        self.wait(key, until);
    }

    /// Due at once, if it waits.
    pub(crate) fn hurry(&mut self, key: Key, now: Duration) {
        if matches!(self.rows.get(&key), Some(Row { state: State::Waiting { .. }, .. })) {
            self.put_off(key, now);
        }
    }

    /// Due at once, if it waits, or as soon as the attempt that runs has ended.
    pub(crate) fn once_more(&mut self, key: Key, now: Duration) {
        match self.rows.get_mut(&key).map(|row| &mut row.state) {
            Some(State::Running { again, .. }) => *again = true,
            _ => self.hurry(key, now),
        }
    }

    /// Moments are rounded to other ticks from now on, and if it waits, it is due at this moment at the latest.
    pub(crate) fn change(&mut self, key: Key, tick: Tick, latest: Duration) {
        self.leave_queue(key);
        let Some(row) = self.rows.get_mut(&key) else { return };
        row.tick = tick;
        if let State::Waiting { due } = row.state {
            self.wait(key, Duration::from_nanos(due).min(latest));
        }
    }

    /// An attempt has ended: the next one is due after this wait, unless it was asked for. False if this attempt is no longer
    /// the one that runs.
    pub(crate) fn finish(&mut self, key: Key, run: Run, now: Duration, wait: Duration) -> bool {
        match self.rows.get(&key).map(|row| &row.state) {
            Some(State::Running { run: running, again }) if *running == run => {
                let wait = if *again { Duration::ZERO } else { wait };
                self.wait(key, now.saturating_add(wait));
                true
            }
            _ => false,
        }
    }

    /// True if this attempt is the one its check waits for.
    pub(crate) fn is_running(&self, key: Key, run: Run) -> bool {
        self.rows.get(&key).is_some_and(|row| row.is_running(run))
    }

    /// The next check whose tick has come; it counts as running from now on.
    pub(crate) fn next_due(&mut self, now: Duration) -> Option<Due> {
        let (_, key) = self.waiting.first().copied().filter(|(wake, _)| *wake <= nanos(now))?;
        self.waiting.pop_first();
        let row = self.rows.get_mut(&key)?;
        let State::Waiting { due } = row.state else { return None };
        self.last_run += 1;
        row.state = State::Running { run: self.last_run, again: false };
        Some(Due { key, run: self.last_run, due: Duration::from_nanos(due) })
    }

    /// The time at which to look again.
    pub(crate) fn next_wake(&self) -> Option<Duration> {
        self.waiting.first().map(|(wake, _)| Duration::from_nanos(*wake))
    }

    /// An attempt starts now; returns how late it is.
    pub(crate) fn started(&mut self, due: &Due, now: Duration) -> Duration {
        let lateness = now.saturating_sub(due.due);
        let tick = self.rows.get(&due.key).map_or(Duration::ZERO, |row| row.tick.length());
        self.lag.started += 1;
        self.lag.late += u64::from(lateness > tick * 2);
        self.lag.worst = self.lag.worst.max(lateness);
        lateness
    }

    /// The punctuality of attempts until now.
    pub(crate) fn lag(&self) -> Lag {
        self.lag
    }

    fn wait(&mut self, key: Key, due: Duration) {
        if let Some(row) = self.rows.get_mut(&key) {
            let due = nanos(due);
            row.state = State::Waiting { due };
            self.waiting.insert((row.tick.start(due), key));
        }
    }

    fn leave_queue(&mut self, key: Key) {
        if let Some(Row { tick, state: State::Waiting { due } }) = self.rows.get(&key) {
            self.waiting.remove(&(tick.start(*due), key));
        }
    }
}

impl Row {
    fn is_running(&self, run: Run) -> bool {
        matches!(self.state, State::Running { run: running, .. } if running == run)
    }
}

/// Keys are numbered one by one, by us, and namespaces by the kernel: a multiplication spreads them well enough.
pub(crate) type BuildKeyHasher = BuildHasherDefault<KeyHasher>;

/// See [`BuildKeyHasher`].
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(u64::try_from(number).unwrap_or(u64::MAX));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

#[cfg(test)]
#[path = "timetable_tests.rs"]
mod tests;
