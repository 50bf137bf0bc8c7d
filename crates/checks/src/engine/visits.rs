//! Attempts in flight, visited: because a descriptor is ready, because it is their turn, or because their time is up.
//!
//! Whatever a peer sends, a visit takes a bounded time (`probe::stream`), and so do all visits of one turn of the loop:
//! an attempt that was not visited is the first in the next turn. So nothing holds up what is due.

use std::collections::VecDeque;
use std::task::Poll;
use std::time::Duration;

use super::entry::Running;
use super::patience::Expiry;
use super::run::{BELL, Prober};
use crate::outcome::{Outcome, Reason};
use crate::probe::kept::WATCHES;
use crate::timetable::Key;

/// The time visits of one kind may take before the loop goes on.
const SLICE: Duration = Duration::from_millis(4);

/// The same, for the greedy.
const SLICE_OF_THE_GREEDY: Duration = Duration::from_millis(1);

impl Prober {
    pub(super) fn advance_ready(&mut self, ready: &mut VecDeque<Key>) {
        let until = self.context.clock.now().saturating_add(SLICE);
        while let Some(key) = ready.pop_front() {
            self.advance(key);
            if self.context.clock.now() > until {
                return;
            }
        }
    }

    /// Something that a check waits for is ready, perhaps.
    fn advance(&mut self, key: Key) {
        if key == BELL {
            return self.messages.silence();
        }
        if key & WATCHES != 0 {
            return self.context.kept.ended(key);
        }
        match self.checks.get_mut(&key) {
            Some(entry) if entry.running.is_some() => self.visit_or_queue(key),
            // No attempt runs: the peer closes the connection that was kept, or has died.
            Some(entry) => entry.kept = None,
            None => {}
        }
    }

    /// A greedy attempt has to wait for its turn. What still wakes one that does is its end, which is no work.
    fn visit_or_queue(&mut self, key: Key) {
        let Some(running) = self.checks.get_mut(&key).and_then(|entry| entry.running.as_mut()) else { return };
        let waits = running.work.is_greedy() && !running.rests && running.attempt.rest(&self.context.poller);
        if !waits {
            return self.visit(key);
        }
        running.rests = true;
        self.shares.wait(key, running.begin.run, running.work);
    }

    fn visit(&mut self, key: Key) {
        let begun = self.context.begin();
        let Some(entry) = self.checks.get_mut(&key) else { return };
        let Some(running) = &mut entry.running else { return };
        let mut tools = self.context.lend(key, running.begin.at);
        let polled = running.attempt.advance(&entry.probe, &entry.place, &mut tools);
        self.charge(key, begun);
        if let Poll::Ready(outcome) = polled {
            self.finish(key, outcome);
        }
    }

    /// Charges an attempt for the work since `begun`. It may have woken itself while it waits for its turn.
    pub(super) fn charge(&mut self, key: Key, begun: Duration) {
        let took = self.context.took(begun);
        let Some(running) = self.checks.get_mut(&key).and_then(|entry| entry.running.as_mut()) else { return };
        running.work.add(took);
        if running.work.is_greedy() {
            self.shares.pay(took);
        }
        if running.rests {
            running.attempt.rest(&self.context.poller);
        }
    }

    /// The greedy have their turns.
    pub(super) fn advance_greedy(&mut self) {
        let begun = self.context.clock.now();
        self.shares.fill(begun);
        while let Some((key, run)) = self.shares.next() {
            let entry = self.checks.get_mut(&key).and_then(|entry| entry.running.as_mut());
            if let Some(running) = entry.filter(|running| running.begin.run == run) {
                running.rests = false;
                self.visit(key);
            }
            if self.context.clock.now().saturating_sub(begun) > SLICE_OF_THE_GREEDY {
                return;
            }
        }
    }

    /// The thread may have been stopped at any point since it looked, even before it read the clock. So no attempt is called
    /// late but by what was due then, and only after another visit.
    pub(super) fn expire(&mut self, looked: Duration) {
        let until = self.context.clock.now().saturating_add(SLICE);
        while let Some((_, key)) = self.deadlines.first().copied().filter(|(deadline, _)| *deadline <= looked) {
            self.deadlines.pop_first();
            self.visit(key);
            self.expire_one(key, looked);
            if self.context.clock.now() > until {
                return;
            }
        }
    }

    fn expire_one(&mut self, key: Key, now: Duration) {
        let Some(entry) = self.checks.get_mut(&key) else { return };
        let Some(running) = &mut entry.running else { return };
        let Some(patience) = running.patience.take() else { return };
        let outcome = match patience.expire(now, &self.absences) {
            Expiry::Extended(patience) => {
                running.patience = Some(patience);
                self.deadlines.extend(entry.deadline().map(|deadline| (deadline, key)));
                return;
            }
            Expiry::TimedOut => Outcome::Failure(running.attempt.timed_out(patience.timeout)),
            Expiry::EngineLate { lost } => Outcome::Inconclusive(Reason::EngineLate { lost }),
        };
        let Running { begin, attempt, .. } = &mut **running;
        let mut tools = self.context.lend(key, begin.at);
        if let Poll::Ready(outcome) = attempt.expire(outcome, &mut tools) {
            self.finish(key, outcome);
        }
    }
}
