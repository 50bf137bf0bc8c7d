//! Whether agents are still there: pings, broken streams, and giving up on those that stay away.

use std::time::Duration;

use super::agent::{Agent, Link};
use super::agent_removal::Departure;
use super::{Action, Core, RemovalLimit, commands};
use crate::ids::{AgentId, StreamId};
use shell::Now;

const TIMED_OUT: &str = "health check timed out";

impl Core {
    /// The stream is gone: the agent may be back soon. What it was offering is not to be had until then.
    pub(crate) fn agent_stream_closed(&mut self, now: Now, stream: &StreamId) {
        self.now = now;
        let until = now.elapsed + self.settings.agent_reregister_timeout;
        let Some(agent) = self.agents.behind(stream) else { return };
        agent.link = Link::Disconnected { until };
        let id = agent.id.clone();
        tracing::info!(agent = %id, "agent disconnected");
        self.allocator.set_agent_active(&id, false);
        self.rescind_offers(|offer| offer.agent == id);
        self.lose_unsaved_tasks(&id);
    }

    /// Pings who is due, and gives up on who has not answered or not come back.
    pub(super) fn check_agents(&mut self) {
        for id in self.agents.ids() {
            match self.check_agent(&id) {
                Look::Fine => {}
                Look::Ping => {
                    self.command(&id, commands::ping());
                }
                Look::Lost(why) => {
                    self.counters.unreachable_completed += u64::from(why == TIMED_OUT);
                    self.remove_agent(&id, Departure::Unreachable(why));
                }
            }
        }
        self.give_up_recovered();
    }

    fn check_agent(&mut self, id: &AgentId) -> Look {
        let now = self.now.elapsed;
        let Some(agent) = self.agents.get_mut(id) else { return Look::Fine };
        if matches!(agent.link, Link::Disconnected { until } if until <= now) {
            return Look::Lost("agent did not re-register within the timeout");
        }
        if agent.pings.given_up && self.removals.is_due(now) {
            return self.give_up(id);
        }
        if agent.pings.next > now {
            return Look::Fine;
        }
        agent.count_ping();
        agent.pings.next = now + self.settings.agent_ping_timeout;
        if agent.pings.missed >= self.settings.max_agent_ping_timeouts && !agent.pings.given_up {
            agent.pings.given_up = true;
            self.counters.unreachable_scheduled += 1;
            return self.give_up(id);
        }
        Look::Ping
    }

    /// Marks an agent unreachable that has left too many pings unanswered, unless too many others were marked lately;
    /// then it waits for its turn, and a pong in time saves it.
    fn give_up(&mut self, id: &AgentId) -> Look {
        if !self.removals.take(self.now.elapsed) {
            tracing::warn!(agent = %id, "agent does not answer; it waits for others to be marked unreachable");
            return Look::Ping;
        }
        Look::Lost(TIMED_OUT)
    }

    /// Agents from before the master's restart that did not come back: none of them if they are too many, else one after
    /// the other.
    fn give_up_recovered(&mut self) {
        if self.agents.absent().recovered.is_empty() || self.now.elapsed < self.settings.agent_reregister_timeout {
            return;
        }
        if let Some(limit) = self.removal_limit() {
            return self.act(Action::GiveUp(limit));
        }
        self.removals.expected = None;
        while self.removals.is_due(self.now.elapsed)
            && let Some(id) = self.agents.take_recovered()
        {
            tracing::warn!(agent = %id, "agent did not come back after the master's restart");
            self.mark_unreachable(&id);
            self.counters.recovery_removals += 1;
            self.removals.take(self.now.elapsed);
        }
    }

    /// Whether more of the agents that were known are missing than may be.
    fn removal_limit(&self) -> Option<RemovalLimit> {
        let known = self.removals.expected?;
        let limit_percent = self.settings.recovery_agent_removal_limit_percent;
        let missing = self.agents.absent().recovered.len();
        let share = missing as f64 / known.max(1) as f64;
        let timeout = self.settings.agent_reregister_timeout;
        (share * 100.0 > limit_percent).then_some(RemovalLimit { missing, known, limit_percent, timeout })
    }
}

/// The pace at which agents are given up.
#[derive(Debug)]
pub(super) struct Removals {
    /// Between two agents; without one there is no limit.
    interval: Option<Duration>,
    /// When the next one may be given up.
    next: Duration,
    /// How many agents were known at the start, until those that stay away have been looked at.
    expected: Option<usize>,
}

impl Removals {
    pub(super) fn new(expected: usize, interval: Option<Duration>) -> Self {
        Removals { interval, next: Duration::ZERO, expected: Some(expected) }
    }

    fn is_due(&self, now: Duration) -> bool {
        self.next <= now
    }

    /// Takes the turn of one agent, if it is one.
    fn take(&mut self, now: Duration) -> bool {
        let is_due = self.is_due(now);
        if let Some(interval) = self.interval.filter(|_| is_due) {
            self.next = now + interval;
        }
        is_due
    }
}

/// What a look at an agent calls for.
enum Look {
    Fine,
    Ping,
    Lost(&'static str),
}

impl Agent {
    /// The time of one ping is over and the next goes out.
    fn count_ping(&mut self) {
        if self.pings.answered {
            self.pings.missed = 0;
        } else {
            self.pings.missed += 1;
        }
        self.pings.answered = false;
    }
}
