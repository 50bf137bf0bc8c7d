//! The decisions of the core that are not handed out yet, and the moments at which it looks again.
//!
//! Comes in: actions and timers. Goes out: the actions in their order, the timers that are due. A timer only says
//! *look*: whether anything is due, the state itself knows.

use std::collections::BTreeSet;
use std::time::Duration;

use mesos::v1::FrameworkId;

use super::Action;
use crate::ids::ExecutorKey;
use crate::log::Change;

/// The part of the books to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Executor(ExecutorKey),
    Pool(FrameworkId),
    Recovery,
    Sweep,
    Farewell,
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    actions: Vec<Action>,
    timers: BTreeSet<(Duration, Timer)>,
}

impl Outbox {
    pub(super) fn act(&mut self, action: impl Into<Action>) {
        self.actions.push(action.into());
    }

    pub(super) fn persist(&mut self, change: Change) {
        self.act(Action::Persist(change));
    }

    pub(super) fn take(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    pub(super) fn look_at(&mut self, at: Duration, timer: Timer) {
        self.timers.insert((at, timer));
    }

    pub(super) fn next(&self) -> Option<Duration> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub(super) fn due(&mut self, now: Duration) -> Option<Timer> {
        self.next().filter(|at| *at <= now)?;
        self.timers.pop_first().map(|(_, timer)| timer)
    }
}
