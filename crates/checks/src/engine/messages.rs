//! The messages to the engine's thread, carried out.

use std::sync::Arc;
use std::time::Duration;

use super::check::Order;
use super::entry::{Entry, Policy, Silence};
use super::mailbox::Message;
use super::metrics::Metrics;
use super::report::ByHand;
use super::run::{Prober, Turn};
use super::{CheckReport, Late};
use crate::spec::Schedule;
use crate::timetable::{Key, nanos};

/// The number of messages read in one turn: a sender of many does not hold up what is due.
const AT_A_TIME: usize = 256;

impl Prober {
    pub(super) fn read_messages(&mut self) -> Turn {
        for _ in 0..AT_A_TIME {
            let Some(message) = self.messages.next() else { return Turn::Next };
            match message {
                Message::Add(key, order) => self.add(key, *order),
                Message::Remove(key) => self.remove(key),
                Message::Pause(key) => self.pause(key),
                Message::Snooze(key, time) => self.snooze(key, time),
                Message::Resume(key) => self.resume(key),
                Message::CheckNow(key) => self.check_now(key),
                Message::SetSchedule(key, schedule) => self.set_schedule(key, *schedule),
                Message::SetVerdict(key, by_hand) => self.set_verdict(key, *by_hand),
                Message::ClearVerdict(key) => self.clear_verdict(key),
                Message::Report(key, answer) => {
                    self.deliver_all();
                    if let Some(report) = self.report(key) {
                        let _who_asked_has_gone = answer.send(report);
                    }
                }
                Message::Metrics(answer) => {
                    // All earlier events are delivered before the answer.
                    self.deliver_all();
                    let _who_asked_has_gone = answer.send(self.metrics());
                }
                Message::Series(answer) => {
                    let _who_asked_has_gone = answer.send(self.ledger.all(self.context.clock.now()));
                }
                Message::Late(answer) => {
                    let _who_asked_has_gone = answer.send(self.late());
                }
                Message::Stop => return Turn::Last,
                Message::ShutDown(waits) => {
                    self.messages.hang_up_at_the_end(waits);
                    return Turn::Last;
                }
            }
        }
        self.messages.ring();
        Turn::Next
    }

    fn add(&mut self, key: Key, mut order: Order) {
        let (policy, now) = (self.share(order.policy), self.context.clock.now());
        let series = order.series.take().map_or(0, |name| self.ledger.join(*name, now));
        let (mut entry, due) = Entry::new(order, policy, self.options.tick, now);
        entry.series = series;
        self.timetable.add(key, entry.tick, due);
        self.checks.insert(key, Box::new(entry));
    }

    fn share(&mut self, policy: Policy) -> Arc<Policy> {
        if let Some(shared) = self.policies.get(&policy) {
            return Arc::clone(shared);
        }
        let shared = Arc::new(policy);
        self.policies.insert(Arc::clone(&shared));
        shared
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.stop(key);
        self.timetable.remove(key);
        let Some(entry) = self.checks.remove(&key) else { return };
        self.ledger.leave(entry.series, self.context.looked.at);
        if !entry.probe.is_command() {
            self.context.kept.forget(&entry.place);
        }
        self.forget(&entry.policy);
    }

    /// Forgets a policy with no other owner: one reference is the caller's, the other one ours.
    fn forget(&mut self, policy: &Arc<Policy>) {
        if Arc::strong_count(policy) == 2 {
            self.policies.remove(policy);
        }
    }

    /// An attempt that runs goes on, but its deadline is rounded to other ticks.
    fn set_schedule(&mut self, key: Key, schedule: Schedule) {
        let Some(entry) = self.checks.get(&key) else { return };
        let policy = self.share(Policy { schedule, ..*entry.policy });
        let now = self.context.clock.now();
        let Some(entry) = self.checks.get_mut(&key) else { return };
        let deadline = entry.deadline();
        let before = entry.reschedule(policy, self.options.tick);
        let (after, latest) = (entry.deadline(), entry.latest(now));
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, key));
        }
        self.deadlines.extend(after.map(|deadline| (deadline, key)));
        self.timetable.change(key, entry.tick, latest);
        self.forget(&before);
    }

    fn pause(&mut self, key: Key) {
        self.stop(key);
        if let Some(entry) = self.checks.get_mut(&key) {
            entry.silence(Silence::Paused);
        }
    }

    fn snooze(&mut self, key: Key, time: Duration) {
        let until = self.context.clock.now().saturating_add(time);
        self.stop(key);
        if let Some(entry) = self.checks.get_mut(&key) {
            entry.silence(Silence::Until(nanos(until)));
            self.timetable.put_off(key, until);
        }
    }

    fn resume(&mut self, key: Key) {
        let now = self.context.clock.now();
        let Some(entry) = self.checks.get_mut(&key) else { return };
        match entry.silenced() {
            Silence::None => {}
            Silence::Paused => self.timetable.resume(key, now),
            Silence::Until(_) => self.timetable.hurry(key, now),
        }
        entry.silence(Silence::None);
    }

    fn check_now(&mut self, key: Key) {
        if self.checks.get(&key).is_some_and(|entry| entry.silenced() == Silence::None) {
            self.timetable.once_more(key, self.context.clock.now());
        }
    }

    /// Ends the attempt that runs, unheard, and makes no other.
    fn stop(&mut self, key: Key) {
        self.timetable.pause(key);
        if let Some(running) = self.take_running(key) {
            running.attempt.dismiss(&mut self.context.lend(key, running.begin.at));
        }
    }

    fn set_verdict(&mut self, key: Key, by_hand: ByHand) {
        let now = self.context.clock.now();
        if let Some(entry) = self.checks.get_mut(&key) {
            self.outbox.push(key, entry.set_by_hand(by_hand, now, self.context.looked.time_of_day(now)));
        }
    }

    fn clear_verdict(&mut self, key: Key) {
        if let Some(entry) = self.checks.get_mut(&key) {
            entry.leave_to_attempts();
        }
    }

    fn report(&self, key: Key) -> Option<CheckReport> {
        let now = self.context.clock.now();
        Some(self.checks.get(&key)?.report(now, self.context.looked.time_of_day(now)))
    }

    fn late(&self) -> Vec<Late> {
        let now = self.context.clock.now();
        self.checks.values().filter_map(|entry| entry.late(now)).collect()
    }

    fn metrics(&self) -> Metrics {
        Metrics {
            checks: self.checks.len(),
            in_flight: self.budget.in_flight(),
            waiting: self.budget.waiting(),
            attempts: self.counters.by_kind(),
            missed: self.counters.missed,
            lag: self.timetable.lag(),
            start_error_p50: self.counters.start_errors.at(0.5),
            start_error_p99: self.counters.start_errors.at(0.99),
            stalls: self.counters.stalls,
            stalled: self.counters.stalled,
            command_cpu: self.counters.command_cpu,
        }
    }
}
