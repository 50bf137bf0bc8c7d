//! What the core waits for. A timer only says *look*: whether anything is due, the state itself knows.

use std::time::Duration;

use mesos::v1::FrameworkId;

use super::executor::State;
use super::{Core, Phase};
use crate::ids::ExecutorKey;
use shell::Now;

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Executor(ExecutorKey),
    Pool(FrameworkId),
    Recovery,
    Farewell,
}

impl Core {
    pub(super) fn look_at(&mut self, at: Duration, timer: Timer) {
        self.timers.insert((at, timer));
    }

    /// When [`Core::wake`] is due.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        let timer = self.timers.first().map(|(at, _)| *at);
        timer.into_iter().chain(self.updates.wake_at()).min()
    }

    /// Time has passed.
    pub(crate) fn wake(&mut self, now: Now) {
        self.now = now;
        while let Some((at, timer)) = self.timers.first().cloned().filter(|(at, _)| *at <= now.elapsed) {
            self.timers.remove(&(at, timer.clone()));
            match timer {
                Timer::Executor(key) => self.look_at_executor(&key),
                Timer::Pool(framework) => self.look_at_pool(&framework),
                Timer::Recovery => self.look_at_recovery(),
                Timer::Farewell => {}
            }
        }
        let actions = self.updates.wake(now.elapsed);
        self.carry_out_updates(actions);
    }

    fn look_at_executor(&mut self, key: &ExecutorKey) {
        let Some(executor) = self.executor(key) else { return };
        let now = self.now.elapsed;
        match executor.state {
            State::Preparing { until } | State::Registering { until } if until <= now => self.give_up_executor(key),
            State::Terminating { until, killed: false } if until <= now => self.kill_executor(key),
            State::Terminating { until, killed: true } if until <= now => self.executor_terminated(key, None),
            _ => {}
        }
    }

    fn look_at_recovery(&mut self) {
        if matches!(self.phase, Phase::Recovering { until } if until <= self.now.elapsed) {
            self.finish_recovery();
        }
    }
}
