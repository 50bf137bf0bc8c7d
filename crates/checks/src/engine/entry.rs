//! One check as the engine keeps it: its definition, its verdict so far, and the attempt that runs.
//!
//! There may be a hundred thousand of these: what is the same for many is shared, what is rare is in a box.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::attendance::Attendance;
use super::budget::Lane;
use super::check::Order;
use super::late::{Late, is_too_long};
use super::listener::{Delivery, Listener};
use super::patience::Patience;
use super::report::{Activity, ByHand, CheckReport};
use super::series::Number;
use super::shares::Work;
use super::standing::Standing;
use super::{Event, Start};
use crate::outcome::{Outcome, Phases, Reason, Said};
use crate::place::Place;
use crate::probe::Attempt;
use crate::probe::prepared::Prepared;
use crate::probe::stream::Stream;
use crate::spec::{CheckId, Judgement, Schedule};
use crate::timetable::{Key, Run, Tick, jitter, nanos, recovered_phase, spread_phase};
use crate::verdict::VerdictState;

/// The times at which to ask, and the way to judge: many checks have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Policy {
    pub(super) schedule: Schedule,
    pub(super) judgement: Judgement,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: CheckId,
    pub(super) probe: Prepared,
    pub(super) place: Place,
    pub(super) policy: Arc<Policy>,
    pub(super) tick: Tick,
    pub(super) running: Option<Box<Running>>,
    /// A connection for the next attempt.
    pub(super) kept: Option<Box<Stream>>,
    /// True if the last attempt took more than is ordinary of the engine's time.
    pub(super) was_greedy: bool,
    /// The name that its attempts are counted under.
    pub(super) series: Number,
    /// The number of the handle it was added by.
    owner: u32,
    events: Listener,
    standing: Standing,
    silence: Silence,
}

/// The state of attempts: made or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    None,
    Paused,
    /// Nanoseconds since the engine's start.
    Until(u64),
}

/// The start of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begin {
    pub(super) run: Run,
    pub(super) at: Duration,
    pub(super) lateness: Duration,
    pub(super) attendance: Attendance,
}

/// The end of an attempt.
#[derive(Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) phases: Phases,
    pub(super) said: Option<Box<Said>>,
    pub(super) at: Duration,
    pub(super) time_of_day: SystemTime,
}

/// An attempt in flight.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) begin: Begin,
    pub(super) attempt: Attempt,
    /// Nothing if there is no limit, or its time is up and it is being ended.
    pub(super) patience: Option<Patience>,
    pub(super) work: Work,
    /// True if it waits for a turn, and not for its descriptors.
    pub(super) rests: bool,
}

impl Entry {
    /// The entry, and when its first attempt is due.
    pub(super) fn new(order: Order, policy: Arc<Policy>, tick: Duration, now: Duration) -> (Entry, Duration) {
        let Order { id, seed, probe, place, start, events, owner, .. } = order;
        let schedule = &policy.schedule;
        let (state, age, phase) = match start {
            Start::Fresh => (VerdictState::default(), Duration::ZERO, schedule.delay),
            Start::Spread => (VerdictState::default(), Duration::ZERO, spread_phase(schedule, &seed)),
            Start::Recovered { state, age } => (state, age, recovered_phase(schedule, &seed)),
        };
        let entry = Entry {
            id,
            probe,
            place,
            tick: Tick::of(schedule, tick),
            policy,
            running: None,
            kept: None,
            was_greedy: false,
            series: 0,
            owner,
            events,
            standing: Standing::new(state, now, age),
            silence: Silence::None,
        };
        (entry, now.saturating_add(phase))
    }

    pub(super) fn lane(&self) -> Lane {
        if self.probe.is_command() { Lane::Command } else { Lane::Socket }
    }

    /// The moment at which the running attempt's time is up.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let patience = self.running.as_ref()?.patience?;
        Some(self.tick.round_up(patience.deadline))
    }

    /// From now to the next attempt.
    pub(super) fn wait(&self, key: Key, run: Run) -> Duration {
        let schedule = &self.policy.schedule;
        self.standing.state().interval(schedule).saturating_add(jitter(key, run, schedule.jitter))
    }

    /// Another policy; returns the one of before.
    pub(super) fn reschedule(&mut self, policy: Arc<Policy>, tick: Duration) -> Arc<Policy> {
        self.tick = Tick::of(&policy.schedule, tick);
        std::mem::replace(&mut self.policy, policy)
    }

    /// The latest time at which the next attempt is due, if nothing else was planned; a first one, and one after a snooze, is due
    /// when it was planned.
    pub(super) fn latest(&self, now: Duration) -> Duration {
        match (self.standing.has_begun(), self.silence) {
            (true, Silence::None) => now.saturating_add(self.standing.state().interval(&self.policy.schedule)),
            _ => Duration::MAX,
        }
    }

    pub(super) fn silence(&mut self, silence: Silence) {
        self.silence = silence;
        self.kept = None;
    }

    pub(super) fn silenced(&self) -> Silence {
        self.silence
    }

    /// Judges an attempt that ended.
    pub(super) fn conclude(&mut self, begin: &Begin, end: End) -> Event {
        let duration = end.at.saturating_sub(begin.at);
        let verdict = self.standing.conclude(begin.at, end.at, &end.outcome, &end.phases, &self.policy.judgement);
        Event {
            verdict,
            state: self.standing.state(),
            started: end.time_of_day.checked_sub(duration).unwrap_or(end.time_of_day),
            duration,
            lateness: begin.lateness,
            phases: end.phases,
            said: end.said,
            ..Event::new(self.id, end.time_of_day, end.outcome)
        }
    }

    /// Sets the verdict by hand.
    pub(super) fn set_by_hand(&mut self, by_hand: ByHand, now: Duration, time_of_day: SystemTime) -> Event {
        let outcome =
            Outcome::Inconclusive(Reason::SetByHand { author: by_hand.author.clone(), reason: by_hand.reason.clone() });
        let verdict = self.standing.set_by_hand(by_hand, now);
        Event { verdict, state: self.standing.state(), ..Event::new(self.id, time_of_day, outcome) }
    }

    /// Attempts decide again.
    pub(super) fn leave_to_attempts(&mut self) {
        self.standing.leave_to_attempts();
    }

    pub(super) fn deliver(&mut self, event: Event) -> Delivery {
        self.events.deliver(event)
    }

    /// Itself, if it is late: not while it is paused, nor while an attempt runs that may take for ever.
    pub(super) fn late(&self, now: Duration) -> Option<Late> {
        let schedule = &self.policy.schedule;
        let woke = match self.silence {
            Silence::Paused => return None,
            Silence::Until(until) => Duration::from_nanos(until),
            Silence::None => Duration::ZERO,
        };
        let may_take_for_ever = self.running.is_some() && schedule.timeout.is_none();
        let ago = now.saturating_sub(self.standing.last_ended(schedule.delay).max(woke));
        let is_late = !may_take_for_ever && is_too_long(ago, self.standing.state().interval(schedule), schedule);
        is_late.then_some(Late { owner: self.owner, id: self.id, ago })
    }

    pub(super) fn report(&self, now: Duration, time_of_day: SystemTime) -> CheckReport {
        let left = |until: u64| Duration::from_nanos(until.saturating_sub(nanos(now)));
        let activity = match self.silence {
            Silence::Paused => Activity::Paused,
            Silence::Until(until) if until > nanos(now) => Activity::Snoozed { left: left(until) },
            Silence::Until(_) | Silence::None => Activity::Active,
        };
        self.standing.report(activity, now, time_of_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Check;
    use crate::spec::{CheckSpec, HttpProbe, Probe, Reach};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_fresh_check_is_due_after_its_delay_and_not_a_moment_later() {
        let due = |start, delay| {
            let schedule = Schedule { delay, ..Schedule::default() };
            let spec =
                CheckSpec { probe: Probe::Http(HttpProbe::default()), schedule, judgement: Judgement::default() };
            let (events, _unread) = tokio::sync::mpsc::unbounded_channel();
            let order = Order::of(Check::new(1, spec, events).starting(start), &Reach::Anywhere);
            let policy = Arc::new(order.policy);
            Entry::new(order, policy, Duration::from_millis(10), SECOND).1
        };
        assert_eq!(due(Start::Fresh, Duration::ZERO), SECOND);
        assert_eq!(due(Start::Fresh, SECOND), 2 * SECOND);
        let spread = due(Start::Spread, SECOND);
        assert!(2 * SECOND < spread && spread < 3 * SECOND, "{spread:?}");
    }

    /// With its probe, and the hundred or so that timetable and table need, this is what a check takes before its first
    /// attempt; its history is up to 520 more.
    #[test]
    fn it_is_small() {
        assert!(size_of::<Entry>() <= 176, "{}", size_of::<Entry>());
    }
}
