//! The life of attempts: how they begin, go on and end.

use std::time::Duration;

use super::attendance::Attendance;
use super::budget::Lane;
use super::entry::{Begin, End, Entry, Running, Silence};
use super::listener::Delivery;
use super::patience::Patience;
use super::run::Prober;
use super::shares::Work;
use crate::outcome::{Answer, Outcome, Phases, Reason, Said};
use crate::probe::Attempt;
use crate::timetable::{Due, Key};

/// The number of attempts that start before the first answers are looked at.
const BATCH: usize = 32;

/// To start a command takes as long as to start so many others.
const WEIGHT_OF_COMMAND: usize = 8;

/// The findings of an attempt.
struct Found {
    outcome: Outcome,
    phases: Phases,
    said: Option<Box<Said>>,
}

impl Prober {
    pub(super) fn start_batch(&mut self) {
        let now = self.context.clock.now();
        while let Some(due) = self.timetable.next_due(now) {
            let lane = self.checks.get(&due.key).map_or(Lane::Socket, |entry| entry.lane());
            self.budget.wait(due, lane);
        }
        self.budget.fill(now);
        let mut started = 0;
        while started < BATCH {
            let Some((due, lane)) = self.budget.next() else { return };
            self.start(&due, lane);
            started += if lane == Lane::Command { WEIGHT_OF_COMMAND } else { 1 };
        }
    }

    fn start(&mut self, due: &Due, lane: Lane) {
        let wanted = self.timetable.is_running(due.key, due.run);
        let Some(entry) = self.checks.get_mut(&due.key).filter(|_| wanted) else {
            return self.budget.release(lane);
        };
        let at = self.context.begin();
        let lateness = self.timetable.started(due, at);
        self.counters.start_errors.count(lateness);
        let timeout = entry.policy.schedule.timeout;
        let attendance = Attendance::begin(at, timeout, &self.absences);
        let begin = Begin { run: due.run, at, lateness, attendance };
        let kept = entry.kept.take();
        if entry.silenced() != Silence::None {
            entry.silence(Silence::None);
        }
        match Attempt::start(&entry.probe, &entry.place, kept, &mut self.context.lend(due.key, at)) {
            Ok(attempt) => {
                let patience = timeout.map(|timeout| Patience::new(at, timeout, &self.absences));
                let work = Work::begin(entry.was_greedy);
                entry.running = Some(Box::new(Running { begin, attempt, patience, work, rests: false }));
                self.deadlines.extend(entry.deadline().map(|deadline| (deadline, due.key)));
                // To start a command costs us, but is not its doing.
                if lane == Lane::Socket {
                    self.charge(due.key, at);
                }
            }
            Err(outcome) => {
                self.budget.release(lane);
                self.conclude(due.key, &begin, Found { outcome, phases: Phases::default(), said: None });
            }
        }
    }

    /// Takes an attempt out of everything that knows of it.
    pub(super) fn take_running(&mut self, key: Key) -> Option<Box<Running>> {
        let entry = self.checks.get_mut(&key)?;
        let deadline = entry.deadline();
        let running = entry.running.take()?;
        self.budget.release(entry.lane());
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, key));
        }
        Some(running)
    }

    /// Hangs up first and then reports, because that may take a while.
    pub(super) fn finish(&mut self, key: Key, outcome: Outcome) {
        let Some(running) = self.take_running(key) else { return };
        let Running { begin, attempt, work, patience, .. } = *running;
        let phases = attempt.phases();
        let Some(entry) = self.checks.get_mut(&key) else { return };
        let said = attempt.said(&entry.probe, &outcome);
        let (kept, cpu) = attempt.dissolve(&entry.place, &mut self.context.lend(key, begin.at));
        entry.kept = kept;
        let time_is_up = patience.is_none() && entry.policy.schedule.timeout.is_some();
        entry.was_greedy = work.is_suspicious(time_is_up);
        self.budget.pay(cpu);
        self.counters.command_cpu = self.counters.command_cpu.saturating_add(cpu);
        self.conclude(key, &begin, Found { outcome, phases, said });
    }

    fn conclude(&mut self, key: Key, begin: &Begin, found: Found) {
        let Some(entry) = self.checks.get_mut(&key).filter(|_| self.timetable.is_running(key, begin.run)) else {
            return;
        };
        let at = self.context.clock.now();
        let outcome = of_the_living(entry, found.outcome);
        let outcome = begin.attendance.excuse(outcome, &entry.probe, (at, self.context.looked.at), &self.absences);
        let phases = completed(found.phases, &outcome, at.saturating_sub(begin.at));
        self.counters.ended(&outcome);
        self.ledger.count(entry.series, &outcome, &phases, at.saturating_sub(begin.at));
        let (time_of_day, said) = (self.context.looked.time_of_day(at), found.said);
        let event = entry.conclude(begin, End { outcome, phases, said, at, time_of_day });
        let wait = entry.wait(key, begin.run);
        self.timetable.finish(key, begin.run, at, wait);
        self.outbox.push(key, event);
    }

    /// Delivers the events whose time has come: before a longer rest, that is all of them.
    pub(super) fn deliver_in_time(&mut self, now: Duration) {
        self.deliver(now, self.rests_for(self.options.tick, now));
    }

    pub(super) fn deliver_all(&mut self) {
        self.deliver(self.context.clock.now(), true);
    }

    fn deliver(&mut self, now: Duration, rests: bool) {
        let Some(mut events) = self.outbox.due(now, self.options.tick, rests) else { return };
        for (key, event) in events.drain(..) {
            match self.checks.get_mut(&key).map(|entry| entry.deliver(event)) {
                Some(Delivery::Dropped) => self.counters.missed += 1,
                Some(Delivery::Closed) => self.remove(key),
                Some(Delivery::Delivered) | None => {}
            }
        }
        self.outbox.reuse(events);
    }

    fn rests_for(&self, time: Duration, now: Duration) -> bool {
        let due = self.timetable.next_wake();
        self.budget.in_flight() == 0 && due.is_none_or(|due| due > now.saturating_add(time))
    }
}

/// The outcome, unless it is a failure of a task that has ended or is just ending, which says nothing about its health.
fn of_the_living(entry: &Entry, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failure(_) if entry.place.is_ending() => Outcome::Inconclusive(Reason::TaskEnded),
        outcome => outcome,
    }
}

/// A connection that is all that was asked for has no other moment than the end.
fn completed(phases: Phases, outcome: &Outcome, duration: Duration) -> Phases {
    match outcome {
        Outcome::Success(Answer::Connected) => Phases { connected: Some(duration), ..phases },
        _ => phases,
    }
}
