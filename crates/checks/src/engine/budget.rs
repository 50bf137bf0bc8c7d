//! How many attempts may run at a time. Pure.
//!
//! In: attempts that are due, attempts that ended. Out: which one may start. Those that may not wait in order; commands
//! wait for themselves, so that they do not hold up the rest.

use std::collections::VecDeque;

use crate::timetable::Due;

/// What an attempt takes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Socket,
    Command,
}

#[derive(Debug)]
pub(super) struct Budget {
    max: usize,
    in_flight: usize,
    max_commands: usize,
    commands_in_flight: usize,
    sockets: VecDeque<Due>,
    commands: VecDeque<Due>,
}

impl Budget {
    pub(super) fn new(max: usize, max_commands: usize) -> Budget {
        Budget {
            max,
            in_flight: 0,
            max_commands,
            commands_in_flight: 0,
            sockets: VecDeque::new(),
            commands: VecDeque::new(),
        }
    }

    pub(super) fn wait(&mut self, due: Due, kind: Kind) {
        match kind {
            Kind::Socket => self.sockets.push_back(due),
            Kind::Command => self.commands.push_back(due),
        }
    }

    /// Whether somebody waits who may start.
    pub(super) fn has_next(&self) -> bool {
        self.in_flight < self.max && (!self.sockets.is_empty() || self.command_may_start())
    }

    /// The next one to start; it is in flight from now on.
    pub(super) fn next(&mut self) -> Option<(Due, Kind)> {
        if !self.has_next() {
            return None;
        }
        let command = if self.command_may_start() { self.commands.pop_front() } else { None };
        self.commands_in_flight += usize::from(command.is_some());
        let next = command.map(|due| (due, Kind::Command));
        let next = next.or_else(|| self.sockets.pop_front().map(|due| (due, Kind::Socket)))?;
        self.in_flight += 1;
        Some(next)
    }

    pub(super) fn release(&mut self, kind: Kind) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.commands_in_flight = self.commands_in_flight.saturating_sub(usize::from(kind == Kind::Command));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    fn command_may_start(&self) -> bool {
        !self.commands.is_empty() && self.commands_in_flight < self.max_commands
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn due(key: u64) -> Due {
        Due { key, run: key, due: Duration::ZERO }
    }

    fn started(budget: &mut Budget) -> Vec<u64> {
        std::iter::from_fn(|| budget.next()).map(|(due, _)| due.key).collect()
    }

    #[test]
    fn the_rest_waits_in_order() {
        let mut budget = Budget::new(2, 1);
        (1..=4).for_each(|key| budget.wait(due(key), Kind::Socket));
        assert_eq!(started(&mut budget), [1, 2]);
        assert!(!budget.has_next());
        budget.release(Kind::Socket);
        assert_eq!(started(&mut budget), [3]);
    }

    #[test]
    fn commands_do_not_hold_up_the_rest() {
        let mut budget = Budget::new(4, 1);
        (1..=2).for_each(|key| budget.wait(due(key), Kind::Command));
        (3..=4).for_each(|key| budget.wait(due(key), Kind::Socket));
        assert_eq!(started(&mut budget), [1, 3, 4]);
        budget.release(Kind::Command);
        assert_eq!(started(&mut budget), [2]);
        (0..2).for_each(|_| budget.release(Kind::Socket));
        assert!(!budget.is_idle());
        budget.release(Kind::Command);
        assert!(budget.is_idle());
    }
}
