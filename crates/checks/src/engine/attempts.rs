//! How attempts begin, go on and end.

use std::time::Duration;

use super::attendance::Attendance;
use super::budget::Kind;
use super::entry::{Begin, End, Entry, Running, Silence};
use super::listener::Told;
use super::patience::Patience;
use super::run::Prober;
use super::shares::Work;
use crate::outcome::{Answer, Outcome, Phases, Reason, Said};
use crate::probe::Attempt;
use crate::timetable::{Due, Key};

/// How many attempts start before the first answers are looked at.
const BATCH: usize = 32;

/// To start a command takes as long as to start so many others.
const WEIGHT_OF_COMMAND: usize = 8;

/// What came out of an attempt.
struct Found {
    outcome: Outcome,
    phases: Phases,
    said: Option<Box<Said>>,
}

impl Prober {
    pub(super) fn start_batch(&mut self) {
        let now = self.kit.clock.now();
        while let Some(due) = self.timetable.next_due(now) {
            let kind = self.checks.get(&due.key).map_or(Kind::Socket, |entry| entry.kind());
            self.budget.wait(due, kind);
        }
        self.budget.fill(now);
        let mut started = 0;
        while started < BATCH {
            let Some((due, kind)) = self.budget.next() else { return };
            self.start(&due, kind);
            started += if kind == Kind::Command { WEIGHT_OF_COMMAND } else { 1 };
        }
    }

    fn start(&mut self, due: &Due, kind: Kind) {
        let wanted = self.timetable.is_running(due.key, due.run);
        let Some(entry) = self.checks.get_mut(&due.key).filter(|_| wanted) else {
            return self.budget.release(kind);
        };
        let at = self.kit.begin();
        let lateness = self.timetable.started(due, at);
        self.start_errors.count(lateness);
        let timeout = entry.policy.schedule.timeout;
        let attendance = Attendance::begin(at, timeout, &self.absences);
        let begin = Begin { run: due.run, at, time_of_day: self.kit.clock.time_of_day(), lateness, attendance };
        let kept = entry.kept.take();
        if entry.silenced() != Silence::None {
            entry.silence(Silence::None);
        }
        match Attempt::start(&entry.probe, &entry.place, kept, &mut self.kit.lend(due.key, at)) {
            Ok(attempt) => {
                let patience = timeout.map(|timeout| Patience::new(at, timeout, &self.absences));
                let work = Work::begin(entry.was_greedy);
                entry.running = Some(Box::new(Running { begin, attempt, patience, work, rests: false }));
                self.deadlines.extend(entry.deadline().map(|deadline| (deadline, due.key)));
                // To start a command costs us, but is not its doing.
                if kind == Kind::Socket {
                    self.charge(due.key, at);
                }
            }
            Err(outcome) => {
                self.budget.release(kind);
                self.conclude(due.key, &begin, Found { outcome, phases: Phases::default(), said: None });
            }
        }
    }

    /// Takes an attempt out of everything that knows of it.
    pub(super) fn take_running(&mut self, key: Key) -> Option<Box<Running>> {
        let entry = self.checks.get_mut(&key)?;
        let deadline = entry.deadline();
        let running = entry.running.take()?;
        self.budget.release(entry.kind());
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, key));
        }
        Some(running)
    }

    /// First hangs up, then tells: telling may take a while.
    pub(super) fn finish(&mut self, key: Key, outcome: Outcome) {
        let Some(running) = self.take_running(key) else { return };
        let Running { begin, attempt, work, patience, .. } = *running;
        let phases = attempt.phases();
        let Some(entry) = self.checks.get_mut(&key) else { return };
        let said = attempt.said(&entry.probe, &outcome);
        let (kept, cpu) = attempt.dissolve(&entry.place, &mut self.kit.lend(key, begin.at));
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
        let at = self.kit.clock.now();
        let outcome = of_the_living(entry, found.outcome);
        let outcome = begin.attendance.excuse(outcome, &entry.probe, (at, self.looked), &self.absences);
        let phases = completed(found.phases, &outcome, at.saturating_sub(begin.at));
        self.counters.ended(&outcome);
        let (time_of_day, said) = (self.kit.clock.time_of_day(), found.said);
        let event = entry.conclude(begin, End { outcome, phases, said, at, time_of_day });
        let wait = entry.wait(key, begin.run);
        self.timetable.finish(key, begin.run, at, wait);
        self.outbox.push(key, event);
    }

    /// Tells what is to be told now: before a longer rest, that is everything.
    pub(super) fn tell_in_time(&mut self, now: Duration) {
        self.tell(now, self.rests_for(self.options.tick, now));
    }

    pub(super) fn tell_all(&mut self) {
        self.tell(self.kit.clock.now(), true);
    }

    fn tell(&mut self, now: Duration, rests: bool) {
        let Some(mut events) = self.outbox.due(now, self.options.tick, rests) else { return };
        for (key, event) in events.drain(..) {
            match self.checks.get_mut(&key).map(|entry| entry.tell(event)) {
                Some(Told::Missed) => self.counters.missed += 1,
                Some(Told::Unheard) => self.remove(key),
                Some(Told::Heard) | None => {}
            }
        }
        self.outbox.reuse(events);
    }

    fn rests_for(&self, time: Duration, now: Duration) -> bool {
        let due = self.timetable.next_wake();
        self.budget.in_flight() == 0 && due.is_none_or(|due| due > now.saturating_add(time))
    }
}

/// What fails because the task has ended says nothing about its health.
fn of_the_living(entry: &Entry, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failure(_) if entry.place.has_ended() => Outcome::Inconclusive(Reason::TaskEnded),
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
