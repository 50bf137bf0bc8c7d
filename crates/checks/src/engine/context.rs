//! The resources of the engine's thread, which lends them to attempts.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

use super::meter::Meter;
use crate::clock::Clock;
use crate::place::Here;
use crate::probe::kept::KeptSockets;
use crate::probe::nursery::Nursery;
use crate::probe::poller::Poller;
use crate::probe::reaper::Reaper;
use crate::probe::tools::Tools;
use crate::spec::Reach;
use crate::timetable::Key;
use processes::null;

/// The room that bodies and output are read to.
const SCRATCH: usize = 64 * 1024;

/// The time between two looks after killed commands before the thread ends.
const LAST_VISITS: usize = 100;

/// A look at both clocks, from which the time of day of every other moment of a turn follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glance {
    pub(super) at: Duration,
    time_of_day: SystemTime,
}

impl Glance {
    fn at(clock: &Clock) -> Glance {
        Glance { at: clock.now(), time_of_day: clock.time_of_day() }
    }

    pub(super) fn time_of_day(self, moment: Duration) -> SystemTime {
        self.time_of_day + moment.saturating_sub(self.at)
    }
}

#[derive(Debug)]
pub(super) struct Context {
    pub(super) clock: Clock,
    /// The last look at who is ready.
    pub(super) looked: Glance,
    meter: Meter,
    pub(super) poller: Poller,
    pub(super) reaper: Reaper,
    pub(super) kept: KeptSockets,
    here: Here,
    cgroups: Nursery,
    reach: Reach,
    null: OwnedFd,
    scratch: Vec<u8>,
}

impl Context {
    pub(super) fn new(clock: Clock, reach: Reach, cgroups: bool) -> io::Result<Context> {
        Ok(Context {
            looked: Glance::at(&clock),
            clock,
            meter: Meter::default(),
            poller: Poller::new()?,
            reaper: Reaper::default(),
            kept: KeptSockets::new(),
            here: Here::new()?,
            cgroups: Nursery::new(cgroups),
            reach,
            null: null()?,
            scratch: vec![0; SCRATCH],
        })
    }

    /// Sleeps until something is ready, for no longer than this.
    pub(super) fn sleep(&self, time: Duration, ready: &mut VecDeque<Key>) -> rustix::io::Result<()> {
        #[cfg(any(feature = "fuzzing", test))]
        if let Some(fuzzer) = self.clock.virtual_time() {
            self.poller.wait(fuzzer.patience().min(time), ready)?;
            if ready.is_empty() {
                fuzzer.leap(time);
            }
            return Ok(());
        }
        self.poller.wait(time, ready)
    }

    /// Looks at both clocks: a turn begins.
    pub(super) fn look(&mut self) -> Duration {
        self.looked = Glance::at(&self.clock);
        self.looked.at
    }

    /// The thread has slept for so long.
    pub(super) fn slept(&mut self, time: Duration) {
        self.meter.slept(time);
    }

    /// Work begins, now.
    pub(super) fn begin(&mut self) -> Duration {
        let now = self.clock.now();
        self.meter.begin(now, || self.clock.worked());
        now
    }

    /// The time worked since `begun`.
    pub(super) fn took(&mut self, begun: Duration) -> Duration {
        let now = self.clock.now();
        self.meter.took(begun, now, || self.clock.worked())
    }

    /// For one step of an attempt of this check, which started then.
    pub(super) fn lend(&mut self, key: Key, started: Duration) -> Tools<'_> {
        let Context { clock, poller, reaper, kept, here, cgroups, reach, null, scratch, looked: _, meter: _ } = self;
        Tools { key, clock, started, poller, here, reaper, cgroups, kept, reach, null, scratch }
    }

    /// True if something that was killed is not gone yet.
    pub(super) fn is_busy(&self) -> bool {
        self.reaper.is_busy() || self.cgroups.is_busy()
    }

    /// Cleans up after a turn. A thread that lingered in a namespace would keep it alive.
    pub(super) fn tidy(&mut self) {
        self.reaper.reap();
        self.cgroups.tidy();
        if let Err(error) = self.here.go_home() {
            tracing::error!(%error, "the check engine cannot return to its own network namespace");
        }
    }

    /// Waits for what was killed, and leaves no directory behind.
    pub(super) fn close(&mut self, tick: Duration) {
        for _ in 0..LAST_VISITS {
            self.reaper.reap();
            self.cgroups.tidy();
            if !self.is_busy() {
                break;
            }
            let _woken_early_is_fine = self.poller.wait(tick, &mut VecDeque::new());
        }
        self.cgroups.close();
    }
}
