//! The agent's leave: every executor is shut down, every pool dismissed, the last updates are delivered if that is
//! possible, and the master is told.

use std::time::Duration;

use super::{Action, Core, Phase, Timer};
use shell::Now;

/// How far it is.
#[derive(Debug, Default)]
pub(super) struct Stopping {
    /// Until when the last updates may take.
    farewell: Option<Duration>,
    left: bool,
    /// What the master said, if it was the master who wants the agent gone.
    turned_away: Option<String>,
}

impl Core {
    /// Ends every task, then [`Action::Leave`].
    pub(crate) fn stop(&mut self, now: Now) {
        self.now = now;
        self.begin_stopping(Stopping::default());
    }

    /// The master does not want this agent.
    pub(super) fn turn_away(&mut self, message: String) {
        self.begin_stopping(Stopping { turned_away: Some(message), ..Stopping::default() });
    }

    fn begin_stopping(&mut self, stopping: Stopping) {
        if matches!(self.phase, Phase::Stopping(_)) {
            return;
        }
        self.phase = Phase::Stopping(stopping);
        for framework in self.frameworks.keys().cloned().collect::<Vec<_>>() {
            for key in self.executors_of(&framework) {
                self.shutdown_executor(&key);
            }
        }
    }

    /// Whenever something has happened: is it enough for the next step?
    pub(super) fn go_on_stopping(&mut self) {
        if !matches!(self.phase, Phase::Stopping(Stopping { left: false, .. })) || self.has_live_executors() {
            return;
        }
        for framework in self.pools.keys().cloned().collect::<Vec<_>>() {
            self.dismiss_pool(&framework);
        }
        if self.pools.is_empty() {
            self.say_goodbye();
        }
    }

    fn say_goodbye(&mut self) {
        let now = self.now.elapsed;
        let delivered = self.updates.is_idle() || !self.connected;
        let limit = now + self.settings.farewell_timeout;
        let Phase::Stopping(stopping) = &mut self.phase else { return };
        let until = *stopping.farewell.get_or_insert(limit);
        if !delivered && now < until {
            return self.look_at(until, Timer::Farewell);
        }
        stopping.left = true;
        let end = stopping.turned_away.take().map_or(Action::Leave, Action::TurnedAway);
        self.act(end);
    }

    fn has_live_executors(&self) -> bool {
        let mut executors = self.frameworks.values().flat_map(|framework| framework.executors.values());
        executors.any(super::Executor::is_live)
    }
}
