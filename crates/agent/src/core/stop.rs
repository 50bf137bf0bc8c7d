//! The agent's leave: every executor is shut down, every pool dismissed, the last updates are delivered if that is
//! possible, and the master is told.

use shell::Now;

use super::life::Farewell;
use super::{Action, Core, Timer};

impl Core {
    /// Ends every task, then [`Action::Leave`].
    pub(crate) fn stop(&mut self, now: Now) {
        self.at(now);
        self.begin_stopping(None);
    }

    /// Begins to end every task; with the master's words, if it does not want this agent.
    pub(super) fn begin_stopping(&mut self, turned_away: Option<String>) {
        if self.life.stop(turned_away) {
            for key in self.frameworks.ids().iter().flat_map(|id| self.frameworks.keys_of(id)).collect::<Vec<_>>() {
                self.shutdown_executor(&key);
            }
        }
    }

    /// Whenever something has happened: is it enough for the next step?
    pub(super) fn go_on_stopping(&mut self) {
        if !self.life.is_about_to_leave() || self.frameworks.executors().any(|executor| executor.is_live()) {
            return;
        }
        for framework in self.pools.ids() {
            self.pools(|pools, around| pools.dismiss(around, &framework));
        }
        if self.pools.is_empty() {
            self.say_goodbye();
        }
    }

    fn say_goodbye(&mut self) {
        let delivered = self.updates.is_idle() || !self.link.is_connected();
        match self.life.say_goodbye(self.now.elapsed, self.settings.timeouts.farewell, delivered) {
            Some(Farewell::Wait(until)) => self.out.look_at(until, Timer::Farewell),
            Some(Farewell::Leave(None)) => self.out.act(Action::Leave),
            Some(Farewell::Leave(Some(message))) => self.out.act(Action::TurnedAway(message)),
            None => {}
        }
    }
}
