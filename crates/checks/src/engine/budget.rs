//! The bounds on attempts that run at a time, and on the CPU that commands take. Pure.
//!
//! In: attempts that are due, attempts that ended, the CPU that commands used. Out: which one may start. Those that may
//! not wait in order; commands wait for themselves, so that they do not hold up the rest.
//!
//! CPU is an [`Account`], which pays for commands when they have ended. While it is overdrawn no command starts.

use std::collections::VecDeque;
use std::time::Duration;

use super::account::Account;
use crate::timetable::Due;

/// The kind of room that an attempt takes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Socket,
    Command,
}

/// The room there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) in_flight: usize,
    pub(super) commands: usize,
    /// Of one CPU.
    pub(super) cpu_share: f64,
}

#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    in_flight: usize,
    commands_in_flight: usize,
    sockets: VecDeque<Due>,
    commands: VecDeque<Due>,
    cpu: Account,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Budget {
        Budget {
            limits,
            in_flight: 0,
            commands_in_flight: 0,
            sockets: VecDeque::new(),
            commands: VecDeque::new(),
            cpu: Account::new(limits.cpu_share),
        }
    }

    /// Time passes.
    pub(super) fn fill(&mut self, now: Duration) {
        self.cpu.fill(now);
    }

    /// A command has used so much.
    pub(super) fn pay(&mut self, cpu: Duration) {
        self.cpu.pay(cpu);
    }

    pub(super) fn wait(&mut self, due: Due, lane: Lane) {
        match lane {
            Lane::Socket => self.sockets.push_back(due),
            Lane::Command => self.commands.push_back(due),
        }
    }

    /// True if an attempt waits that may start.
    pub(super) fn has_next(&self) -> bool {
        self.in_flight < self.limits.in_flight && (!self.sockets.is_empty() || self.command_may_start())
    }

    /// The next one to start; it is in flight from now on.
    pub(super) fn next(&mut self) -> Option<(Due, Lane)> {
        if !self.has_next() {
            return None;
        }
        let command = if self.command_may_start() { self.commands.pop_front() } else { None };
        self.commands_in_flight += usize::from(command.is_some());
        let next = command.map(|due| (due, Lane::Command));
        let next = next.or_else(|| self.sockets.pop_front().map(|due| (due, Lane::Socket)))?;
        self.in_flight += 1;
        Some(next)
    }

    pub(super) fn release(&mut self, lane: Lane) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.commands_in_flight = self.commands_in_flight.saturating_sub(usize::from(lane == Lane::Command));
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn waiting(&self) -> usize {
        self.sockets.len() + self.commands.len()
    }

    /// In how long a command that waits for nothing but CPU may start.
    pub(super) fn refilled_in(&self) -> Option<Duration> {
        self.cpu.even_in().filter(|_| !self.commands.is_empty())
    }

    fn command_may_start(&self) -> bool {
        !self.commands.is_empty() && self.commands_in_flight < self.limits.commands && !self.cpu.is_overdrawn()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(key: u64) -> Due {
        Due { key, run: key, due: Duration::ZERO }
    }

    fn budget(in_flight: usize, commands: usize) -> Budget {
        Budget::new(Limits { in_flight, commands, cpu_share: 0.5 })
    }

    fn started(budget: &mut Budget) -> Vec<u64> {
        std::iter::from_fn(|| budget.next()).map(|(due, _)| due.key).collect()
    }

    #[test]
    fn the_rest_waits_in_order() {
        let mut budget = budget(2, 1);
        (1..=4).for_each(|key| budget.wait(due(key), Lane::Socket));
        assert_eq!(started(&mut budget), [1, 2]);
        assert!(!budget.has_next());
        assert_eq!(budget.waiting(), 2);
        budget.release(Lane::Socket);
        assert_eq!(started(&mut budget), [3]);
    }

    #[test]
    fn commands_do_not_hold_up_the_rest() {
        let mut budget = budget(4, 1);
        (1..=2).for_each(|key| budget.wait(due(key), Lane::Command));
        (3..=4).for_each(|key| budget.wait(due(key), Lane::Socket));
        assert_eq!(started(&mut budget), [1, 3, 4]);
        budget.release(Lane::Command);
        assert_eq!(started(&mut budget), [2]);
        (0..2).for_each(|_| budget.release(Lane::Socket));
        assert_eq!(budget.in_flight(), 1);
        budget.release(Lane::Command);
        assert_eq!(budget.in_flight(), 0);
    }

    #[test]
    fn commands_wait_until_what_others_used_is_paid_for() {
        let seconds = Duration::from_secs;
        let mut budget = budget(9, 9);
        budget.pay(seconds(2));
        (1..=2).for_each(|key| budget.wait(due(key), Lane::Command));
        budget.wait(due(3), Lane::Socket);
        assert_eq!(started(&mut budget), [3], "others are not concerned");
        assert_eq!(budget.refilled_in(), Some(seconds(3)), "half a second was there, half a second comes per second");
        budget.fill(seconds(2));
        assert_eq!(started(&mut budget), [0_u64; 0]);
        budget.fill(seconds(3));
        assert_eq!(started(&mut budget), [1, 2]);
        assert_eq!(budget.refilled_in(), None);
    }
}
