//! The engine's thread: one loop that sleeps in epoll, and in every turn
//!
//! 1. lets attempts go on whose descriptors are ready (`visits`);
//! 2. reads its messages (`messages`);
//! 3. ends attempts whose time is up, and starts what is due in this tick (`attempts`);
//! 4. lets attempts go on that take more than others (`shares`);
//! 5. delivers the events.
//!
//! Each of these takes a bounded time; what is left over is first in the next turn.
//!
//! It sleeps until the next tick in which something is due. While attempts are in flight it comes round every tick,
//! in order to notice when it was away itself.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::EngineOptions;
use super::budget::Budget;
use super::context::Context;
use super::entry::{Entry, Policy};
use super::mailbox::Receiver;
use super::metrics::Counters;
use super::outbox::Outbox;
use super::patience::Absences;
use super::series::Ledger;
use super::shares::Shares;
use crate::clock::Clock;
use crate::probe::poller::Interest;
use crate::timetable::{BuildKeyHasher, Key, Timetable};

/// The key of the mailbox in the epoll set.
pub(super) const BELL: Key = Key::MAX;

/// The time to sleep when nothing is due at all.
const IDLE: Duration = Duration::from_secs(3600);

pub(super) struct Prober {
    pub(super) options: EngineOptions,
    pub(super) messages: Receiver,
    pub(super) checks: HashMap<Key, Box<Entry>, BuildKeyHasher>,
    pub(super) policies: HashSet<Arc<Policy>>,
    pub(super) timetable: Timetable,
    pub(super) deadlines: BTreeSet<(Duration, Key)>,
    pub(super) budget: Budget,
    pub(super) absences: Absences,
    pub(super) shares: Shares,
    pub(super) counters: Counters,
    pub(super) ledger: Ledger,
    pub(super) outbox: Outbox,
    pub(super) context: Context,
}

/// The turn that follows: the next, or none because this was the last.
#[derive(PartialEq, Eq)]
pub(super) enum Turn {
    Next,
    Last,
}

impl Prober {
    pub(super) fn new(options: EngineOptions, clock: Clock, messages: Receiver) -> io::Result<Prober> {
        let context = Context::new(clock, options.reach.clone(), options.command_cgroups)?;
        context.poller.add(messages.bell(), BELL, Interest::Read)?;
        Ok(Prober {
            budget: Budget::new(options.limits()),
            options,
            messages,
            checks: HashMap::default(),
            policies: HashSet::new(),
            timetable: Timetable::default(),
            deadlines: BTreeSet::new(),
            absences: Absences::default(),
            shares: Shares::default(),
            counters: Counters::default(),
            ledger: Ledger::default(),
            outbox: Outbox::default(),
            context,
        })
    }

    pub(super) fn run(mut self) {
        self.context.look();
        let mut ready = VecDeque::new();
        loop {
            match self.turn(&mut ready) {
                Ok(Turn::Next) => {}
                Ok(Turn::Last) => break,
                Err(error) => {
                    tracing::error!(%error, "the check engine cannot go on");
                    break;
                }
            }
        }
        // Dropped when all else is gone.
        let _letters = self.close();
    }

    pub(super) fn turn(&mut self, ready: &mut VecDeque<Key>) -> io::Result<Turn> {
        self.look(ready)?;
        self.advance_ready(ready);
        if self.read_messages() == Turn::Last {
            return Ok(Turn::Last);
        }
        self.expire(self.context.looked.at);
        self.start_batch();
        self.advance_greedy();
        self.deliver_in_time(self.context.looked.at);
        self.context.tidy();
        Ok(Turn::Next)
    }

    /// Sleeps until there is work. The time it slept too long, and the time of the last turn, is absence.
    /// No new readiness is asked for before every ready attempt was visited.
    fn look(&mut self, ready: &mut VecDeque<Key>) -> io::Result<()> {
        let before = self.context.clock.now();
        let mut sleep = Duration::ZERO;
        if ready.is_empty() {
            sleep = self.sleep(before);
            self.context.sleep(sleep, ready)?;
        }
        let busy = before.saturating_sub(self.context.looked.at);
        let rested = self.context.look().saturating_sub(before);
        let absence = busy.saturating_add(rested.saturating_sub(sleep));
        self.absences.note(absence);
        self.counters.away(absence);
        self.context.slept(rested);
        Ok(())
    }

    fn sleep(&self, now: Duration) -> Duration {
        if self.budget.has_next() {
            return Duration::ZERO;
        }
        let attentive = self.budget.in_flight() > 0 || self.context.is_busy();
        let next_glance = attentive.then(|| now.saturating_add(self.options.tick));
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        let refilled = self.budget.refilled_in().map(|time| now.saturating_add(time));
        let turn = self.shares.next_in().map(|time| now.saturating_add(time));
        let next = [self.timetable.next_wake(), deadline, next_glance, refilled, turn].into_iter().flatten().min();
        next.map_or(IDLE, |next| next.saturating_sub(now)).min(IDLE)
    }

    pub(super) fn close(mut self) -> Receiver {
        self.messages.silence();
        self.deliver_all();
        let keys: Vec<Key> = self.checks.keys().copied().collect();
        keys.into_iter().for_each(|key| self.remove(key));
        self.context.close(self.options.tick);
        self.messages
    }
}
