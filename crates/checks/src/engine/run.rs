//! The engine's thread: one loop that sleeps in epoll, and in every turn
//!
//! 1. lets attempts go on whose descriptors are ready, all of them, before anything is called too late;
//! 2. reads its letters;
//! 3. ends attempts whose time is up;
//! 4. starts what is due in this tick, a batch at a time.
//!
//! It sleeps until the next tick in which something is due. While attempts are in flight it comes round every tick,
//! in order to notice when it was away itself.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustls::ClientConfig;

use super::budget::{Budget, Kind};
use super::clock::Clock;
use super::entry::{Begin, Entry, Running};
use super::mailbox::{Letter, Receiver};
use super::patience::{Absences, Expiry, Patience};
use super::{Check, EngineOptions};
use crate::outcome::{Failure, Outcome, Reason};
use crate::probe::poller::{EVENTS, Interest, Poller};
use crate::probe::tools::{Here, Tools};
use crate::probe::undertaker::Undertaker;
use crate::probe::{Attempt, tls};
use crate::timetable::{Due, Key, Timetable};

/// The key of the mailbox in the epoll set.
const BELL: Key = Key::MAX;

/// How many attempts start before the first answers are looked at.
const BATCH: usize = 32;

/// To start a command takes as long as to start so many others.
const WEIGHT_OF_COMMAND: usize = 8;

/// Where bodies and output are read to.
const SCRATCH: usize = 64 * 1024;

/// How long to sleep when nothing is due at all.
const IDLE: Duration = Duration::from_secs(3600);

/// How often to look after killed commands before the thread ends.
const LAST_VISITS: usize = 100;

pub(super) struct Prober {
    options: EngineOptions,
    letters: Receiver,
    clock: Clock,
    checks: HashMap<Key, Entry>,
    timetable: Timetable,
    deadlines: BTreeSet<(Duration, Key)>,
    budget: Budget,
    absences: Absences,
    kit: Kit,
}

/// What attempts work with.
struct Kit {
    poller: Poller,
    here: Here,
    undertaker: Undertaker,
    tls: Arc<ClientConfig>,
    scratch: Vec<u8>,
}

impl Kit {
    fn new() -> io::Result<Kit> {
        let tls = tls::config().map_err(io::Error::other)?;
        let undertaker = Undertaker::default();
        Ok(Kit { poller: Poller::new()?, here: Here::new()?, undertaker, tls, scratch: vec![0; SCRATCH] })
    }

    fn lend(&mut self, key: Key) -> Tools<'_> {
        let Kit { poller, here, undertaker, tls, scratch } = self;
        Tools { key, poller, here, undertaker, tls, scratch }
    }
}

/// Whether the loop goes on.
#[derive(PartialEq, Eq)]
enum Turn {
    Next,
    Last,
}

impl Prober {
    pub(super) fn new(options: EngineOptions, letters: Receiver) -> io::Result<Prober> {
        let kit = Kit::new()?;
        kit.poller.add(letters.bell(), BELL, Interest::Read)?;
        Ok(Prober {
            options,
            letters,
            clock: Clock::start(),
            checks: HashMap::new(),
            timetable: Timetable::default(),
            deadlines: BTreeSet::new(),
            budget: Budget::new(options.max_in_flight, options.max_commands_in_flight),
            absences: Absences::default(),
            kit,
        })
    }

    pub(super) fn run(mut self) {
        let mut looked = self.clock.now();
        let mut ready = Vec::new();
        loop {
            match self.turn(&mut looked, &mut ready) {
                Ok(Turn::Next) => {}
                Ok(Turn::Last) => break,
                Err(error) => {
                    tracing::error!(%error, "the check engine cannot go on");
                    break;
                }
            }
        }
        self.close();
    }

    fn turn(&mut self, looked: &mut Duration, ready: &mut Vec<Key>) -> io::Result<Turn> {
        self.look(looked, ready)?;
        self.advance_all(ready)?;
        if self.read_letters() == Turn::Last {
            return Ok(Turn::Last);
        }
        self.expire(*looked, ready)?;
        self.start_batch();
        self.tidy();
        Ok(Turn::Next)
    }

    /// One look does not take in everything. Whoever had not been looked at could not be called late.
    fn advance_all(&mut self, ready: &mut Vec<Key>) -> io::Result<()> {
        for _ in 0..=self.checks.len() / EVENTS {
            let all = ready.len() < EVENTS;
            ready.drain(..).for_each(|key| self.advance(key));
            if all {
                break;
            }
            self.kit.poller.wait(Duration::ZERO, ready)?;
        }
        ready.drain(..).for_each(|key| self.advance(key));
        Ok(())
    }

    /// Sleeps until something is ready or due, and notes how long the loop was away: busy, or not woken in time.
    fn look(&mut self, looked: &mut Duration, ready: &mut Vec<Key>) -> io::Result<()> {
        let before = self.clock.now();
        let sleep = self.sleep(before);
        self.kit.poller.wait(sleep, ready)?;
        let now = self.clock.now();
        let busy = before.saturating_sub(*looked);
        self.absences.note(busy.saturating_add(now.saturating_sub(before.saturating_add(sleep))));
        *looked = now;
        Ok(())
    }

    fn sleep(&self, now: Duration) -> Duration {
        if self.budget.has_next() {
            return Duration::ZERO;
        }
        let attentive = !self.budget.is_idle() || self.kit.undertaker.is_busy();
        let next_glance = attentive.then(|| now.saturating_add(self.options.tick));
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        let next = [self.timetable.next_wake(), deadline, next_glance].into_iter().flatten().min();
        next.map_or(IDLE, |next| next.saturating_sub(now)).min(IDLE)
    }

    fn advance(&mut self, key: Key) {
        if key == BELL {
            return self.letters.silence();
        }
        let Some(entry) = self.checks.get_mut(&key) else { return };
        let Some(running) = &mut entry.running else { return };
        let mut tools = self.kit.lend(key);
        if let Poll::Ready(outcome) = running.attempt.advance(&entry.spec.probe, &entry.place, &mut tools) {
            self.finish(key, outcome);
        }
    }

    fn read_letters(&mut self) -> Turn {
        while let Some(letter) = self.letters.next() {
            match letter {
                Letter::Add(key, check) => self.add(key, *check),
                Letter::Pause(key) => self.pause(key),
                Letter::Resume(key) => self.timetable.resume(key, self.clock.now()),
                Letter::Remove(key) => self.remove(key),
                Letter::Lag(answer) => drop(answer.send(self.timetable.lag())),
                Letter::Stop => return Turn::Last,
            }
        }
        Turn::Next
    }

    fn add(&mut self, key: Key, check: Check) {
        let (entry, due) = Entry::new(check, self.options.tick, self.clock.now());
        self.timetable.add(key, entry.cadence, due);
        self.checks.insert(key, entry);
    }

    fn pause(&mut self, key: Key) {
        self.timetable.pause(key);
        if let Some(running) = self.take_running(key) {
            running.attempt.dismiss(&mut self.kit.undertaker);
        }
    }

    fn remove(&mut self, key: Key) {
        self.pause(key);
        self.timetable.remove(key);
        self.checks.remove(&key);
    }

    /// Takes an attempt out of everything that knows of it.
    fn take_running(&mut self, key: Key) -> Option<Box<Running>> {
        let entry = self.checks.get_mut(&key)?;
        let deadline = entry.deadline();
        let running = entry.running.take()?;
        self.budget.release(entry.kind());
        if let Some(deadline) = deadline {
            self.deadlines.remove(&(deadline, key));
        }
        Some(running)
    }

    fn finish(&mut self, key: Key, outcome: Outcome) {
        if let Some(running) = self.take_running(key) {
            let Running { begin, attempt, .. } = *running;
            // First hang up, then tell: telling may take a while.
            drop(attempt);
            self.conclude(key, &begin, outcome);
        }
    }

    fn conclude(&mut self, key: Key, begin: &Begin, outcome: Outcome) {
        let now = self.clock.now();
        if !self.timetable.finish(key, begin.run, now) {
            return;
        }
        let Some(entry) = self.checks.get_mut(&key) else { return };
        if entry.conclude(begin, outcome, now, self.clock.time_of_day()).is_err() {
            self.remove(key);
        }
    }

    /// The thread may have been stopped at any point since it looked, even before it read the clock. So it looks again
    /// after that, and calls nothing late but what was due then.
    fn expire(&mut self, looked: Duration, ready: &mut Vec<Key>) -> io::Result<()> {
        if self.deadlines.first().is_none_or(|(deadline, _)| *deadline > looked) {
            return Ok(());
        }
        self.kit.poller.wait(Duration::ZERO, ready)?;
        self.advance_all(ready)?;
        while let Some((_, key)) = self.deadlines.first().copied().filter(|(deadline, _)| *deadline <= looked) {
            self.deadlines.pop_first();
            self.expire_one(key, looked);
        }
        Ok(())
    }

    fn expire_one(&mut self, key: Key, now: Duration) {
        let Some(entry) = self.checks.get_mut(&key) else { return };
        let Some(running) = &mut entry.running else { return };
        let Some(patience) = running.patience.take() else { return };
        let outcome = match patience.expire(now, &self.absences) {
            Expiry::Extended(patience) => {
                running.patience = Some(patience);
                self.deadlines.extend(entry.deadline().map(|deadline| (deadline, key)));
                return;
            }
            Expiry::TimedOut => Outcome::Failure(Failure::TimedOut { after: patience.timeout, output: String::new() }),
            Expiry::EngineLate { lost } => Outcome::Inconclusive(Reason::EngineLate { lost }),
        };
        if let Poll::Ready(outcome) = running.attempt.expire(outcome, &mut self.kit.undertaker) {
            self.finish(key, outcome);
        }
    }

    fn start_batch(&mut self) {
        let now = self.clock.now();
        while let Some(due) = self.timetable.next_due(now) {
            let kind = self.checks.get(&due.key).map_or(Kind::Socket, Entry::kind);
            self.budget.wait(due, kind);
        }
        let mut started = 0;
        while started < BATCH {
            let Some((due, kind)) = self.budget.next() else { return };
            self.start(&due, kind);
            started += if kind == Kind::Command { WEIGHT_OF_COMMAND } else { 1 };
        }
    }

    fn start(&mut self, due: &Due, kind: Kind) {
        let wanted = self.timetable.is_running(due.key, due.run);
        let Some(entry) = self.checks.get_mut(&due.key).filter(|_| wanted) else {
            return self.budget.release(kind);
        };
        let at = self.clock.now();
        let lateness = self.timetable.started(due, at);
        let begin = Begin { run: due.run, at, time_of_day: self.clock.time_of_day(), lateness };
        match attempt(entry, &mut self.kit.lend(due.key)) {
            Ok(attempt) => {
                let timeout = entry.spec.schedule.timeout;
                let patience = timeout.map(|timeout| Patience::new(at, timeout, &self.absences));
                entry.running = Some(Box::new(Running { begin, attempt, patience }));
                self.deadlines.extend(entry.deadline().map(|deadline| (deadline, due.key)));
            }
            Err(outcome) => {
                self.budget.release(kind);
                self.conclude(due.key, &begin, outcome);
            }
        }
    }

    /// Nobody's namespace is kept alive by a thread that lingers in it.
    fn tidy(&mut self) {
        self.kit.undertaker.come_by();
        if let Err(error) = self.kit.here.go(None) {
            tracing::error!(%error, "the check engine cannot return to its own network namespace");
        }
    }

    fn close(mut self) {
        self.letters.silence();
        let keys: Vec<Key> = self.checks.keys().copied().collect();
        keys.into_iter().for_each(|key| self.remove(key));
        for _ in 0..LAST_VISITS {
            self.kit.undertaker.come_by();
            if !self.kit.undertaker.is_busy() {
                return;
            }
            let _woken_early_is_fine = self.kit.poller.wait(self.options.tick, &mut Vec::new());
        }
    }
}

/// A check that makes no sense fails, and says which field.
fn attempt(entry: &Entry, tools: &mut Tools<'_>) -> Result<Attempt, Outcome> {
    let invalid = |error: crate::SpecError| Outcome::Failure(Failure::Invalid { cause: error.to_string() });
    entry.spec.validate().map_err(invalid)?;
    Attempt::start(&entry.spec.probe, &entry.place, tools)
}
