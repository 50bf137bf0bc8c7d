//! Signs of life of agents: pings, broken streams, and giving up on those that stay away.

use mesos::v1::cygnet::AgentEvent;

use super::agent_removal::Departure;
use super::agents::NextPing;
use super::{Action, Core, RemovalLimit};
use crate::ids::{AgentId, StreamId};
use shell::Now;

const TIMED_OUT: &str = "health check timed out";

impl Core {
    /// The stream is gone: the agent may be back soon. What it was offering is not to be had until then.
    pub(crate) fn agent_stream_closed(&mut self, now: Now, stream: &StreamId) {
        self.now = now;
        let until = now.elapsed + self.settings.agents.reregister_timeout;
        let Some(agent) = self.agents.on_stream(stream) else { return };
        agent.disconnect(until);
        let id = agent.id().clone();
        tracing::info!(agent = %id, "agent disconnected");
        self.allocator.set_agent_active(&id, false);
        self.rescind_offers(|offer| offer.agent == id);
        self.lose_unsaved_tasks(&id);
    }

    /// Pings who is due, and gives up on who has not answered or not come back.
    pub(super) fn check_agents(&mut self) {
        for id in self.agents.ids() {
            match self.check_agent(&id) {
                Finding::Fine => {}
                Finding::Ping => {
                    self.command(&id, AgentEvent::ping());
                }
                Finding::Lost(why) => {
                    self.counters.agents.unreachable_completed += u64::from(why == TIMED_OUT);
                    self.remove_agent(&id, Departure::Unreachable(why));
                }
            }
        }
        self.give_up_recovered();
    }

    fn check_agent(&mut self, id: &AgentId) -> Finding {
        let now = self.now.elapsed;
        let Some(agent) = self.agents.get_mut(id) else { return Finding::Fine };
        if agent.is_late(now) {
            return Finding::Lost("agent did not re-register within the timeout");
        }
        if agent.is_silent() && self.removals.are_allowed(now) {
            return self.give_up(id);
        }
        match agent.next_ping(now, self.settings.agents.ping_timeout, self.settings.agents.max_ping_timeouts) {
            NextPing::Later => Finding::Fine,
            NextPing::Due => Finding::Ping,
            NextPing::TooManyMissed => {
                self.counters.agents.unreachable_scheduled += 1;
                self.give_up(id)
            }
        }
    }

    /// Marks an agent unreachable that has left too many pings unanswered, unless too many others were marked lately;
    /// then it waits for its turn, and a pong in time saves it.
    fn give_up(&mut self, id: &AgentId) -> Finding {
        if self.removals.take_turn(self.now.elapsed) {
            return Finding::Lost(TIMED_OUT);
        }
        tracing::warn!(agent = %id, "agent does not answer; it waits for others to be marked unreachable");
        Finding::Ping
    }

    /// Agents from before the master's restart that did not come back: none of them if they are too many, else one after
    /// the other.
    fn give_up_recovered(&mut self) {
        if !self.agents.is_recovered(None) || self.now.elapsed < self.settings.agents.reregister_timeout {
            return;
        }
        if let Some(limit) = self.removal_limit() {
            return self.out.push(Action::GiveUp(limit));
        }
        self.agents.expect_no_more();
        while let Some(id) = self.agents.absent().recovered.keys().next().cloned()
            && self.removals.take_turn(self.now.elapsed)
        {
            tracing::warn!(agent = %id, "agent did not come back after the master's restart");
            self.mark_unreachable(&id);
            self.counters.agents.recovery_removals += 1;
        }
    }

    /// The limit, if more of the agents that were known are missing than may be.
    fn removal_limit(&self) -> Option<RemovalLimit> {
        let known = self.agents.expected()?;
        let (missing, limit_percent) =
            (self.agents.absent().recovered.len(), self.settings.agents.recovery_removal_limit_percent);
        let share = missing as f64 / known.max(1) as f64;
        let timeout = self.settings.agents.reregister_timeout;
        (share * 100.0 > limit_percent).then_some(RemovalLimit { missing, known, limit_percent, timeout })
    }
}

/// The outcome of a look at an agent.
enum Finding {
    Fine,
    Ping,
    Lost(&'static str),
}
