//! The resources of the engine's thread, which lends them to attempts.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::meter::Meter;
use crate::clock::Clock;
use crate::place::Here;
use crate::probe::cgroup::Cgroups;
use crate::probe::kept::KeptSockets;
use crate::probe::poller::Poller;
use crate::probe::reaper::Reaper;
use crate::probe::tools::Tools;
use crate::spec::Reach;
use crate::timetable::Key;
use processes::null;

/// Where bodies and output are read to.
const SCRATCH: usize = 64 * 1024;

/// How often to look after killed commands before the thread ends.
const LAST_VISITS: usize = 100;

#[derive(Debug)]
pub(super) struct Context {
    pub(super) clock: Clock,
    meter: Meter,
    pub(super) poller: Poller,
    pub(super) reaper: Reaper,
    pub(super) kept: KeptSockets,
    here: Here,
    cgroups: Cgroups,
    reach: Reach,
    null: OwnedFd,
    scratch: Vec<u8>,
}

impl Context {
    pub(super) fn new(clock: Clock, reach: Reach, cgroups: bool) -> io::Result<Context> {
        Ok(Context {
            clock,
            meter: Meter::default(),
            poller: Poller::new()?,
            reaper: Reaper::default(),
            kept: KeptSockets::new(),
            here: Here::new()?,
            cgroups: Cgroups::new(cgroups),
            reach,
            null: null()?,
            scratch: vec![0; SCRATCH],
        })
    }

    /// Sleeps until something is ready, for no longer than this.
    pub(super) fn sleep(&self, time: Duration, ready: &mut VecDeque<Key>) -> rustix::io::Result<()> {
        #[cfg(any(fuzzing, test))]
        if let Some(fuzzer) = self.clock.virtual_time() {
            self.poller.wait(fuzzer.patience().min(time), ready)?;
            if ready.is_empty() {
                fuzzer.leap(time);
            }
            return Ok(());
        }
        self.poller.wait(time, ready)
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
        let Context { clock, poller, reaper, kept, here, cgroups, reach, null, scratch, meter: _ } = self;
        Tools { key, clock, started, poller, here, reaper, cgroups, kept, reach, null, scratch }
    }

    /// Whether something that was killed is not gone yet.
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
