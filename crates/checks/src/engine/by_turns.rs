//! The engine without its thread: its owner takes the turns of its loop, and moves its clock. For fuzzers and tests.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::check::{Check, Order};
use super::mailbox::{Message, Sender, mailbox};
use super::options::EngineOptions;
use super::run::Prober;
use crate::clock::Clock;
use crate::clock::virtual_time::VirtualTime;
use crate::timetable::Key;

/// An engine whose loop stands still between turns.
pub(crate) struct ByTurns {
    prober: Prober,
    ready: VecDeque<Key>,
    time: Arc<VirtualTime>,
    messages: Sender,
}

impl ByTurns {
    pub(crate) fn new(options: EngineOptions, time: VirtualTime) -> io::Result<ByTurns> {
        let time = Arc::new(time);
        let (messages, receiver) = mailbox()?;
        let prober = Prober::new(options, Clock::virtual_one(&time), receiver)?;
        Ok(ByTurns { prober, ready: VecDeque::new(), time, messages })
    }

    pub(crate) fn add(&self, check: Check) {
        let order = Order::of(check, &self.prober.options.reach);
        self.messages.send(Message::Add(self.messages.next_key(), Box::new(order)));
    }

    pub(crate) fn now(&self) -> Duration {
        self.time.now()
    }

    /// The part of that in which it worked.
    pub(crate) fn worked(&self) -> Duration {
        self.time.worked()
    }

    /// One turn of the loop. It sleeps no longer than until then.
    pub(crate) fn turn(&mut self, horizon: Duration) -> io::Result<()> {
        self.time.go_on(horizon);
        let turned = self.prober.turn(&mut self.ready);
        self.time.stop();
        turned.map(drop)
    }

    /// The end of all checks.
    pub(crate) fn close(self) {
        drop(self.prober.close());
    }
}
