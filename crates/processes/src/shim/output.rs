//! The logs of a program, kept within their bounds for as long as it runs.
//!
//! While nothing is written this costs nothing: the kernel tells of the next write by a signal. From then on the length of
//! the logs is looked at, the more often the faster they grow, until they rest.

use std::fs::File;
use std::time::Duration;

use rustix::process::{Signal, WaitOptions};

use super::since_boot;
use crate::kernel::Waiting;
use crate::log_bounds::Rotations;
use crate::program::Logs;
use crate::rotation::{Log, Pace};

/// The logs of a program that have bounds.
#[derive(Debug)]
pub(super) struct Output {
    logs: Vec<Log>,
    /// Absent if there is nothing to look after.
    signals: Option<Waiting>,
    pace: Pace,
    /// The time since boot of the next look; without one the kernel tells when something is written.
    next: Option<Duration>,
}

impl Output {
    /// These two, in a process that has no threads yet. A log that cannot be kept short is no reason not to run.
    pub(super) fn new(logs: &Logs, [stdout, stderr]: [&File; 2], rotations: Rotations) -> Output {
        let stdout = rotations.stdout.and_then(|bound| Log::new(stdout, &logs.stdout, bound).ok());
        let stderr = rotations.stderr.and_then(|bound| Log::new(stderr, &logs.stderr, bound).ok());
        let logs: Vec<_> = stdout.into_iter().chain(stderr).collect();
        let signals = if logs.is_empty() { None } else { Waiting::for_signals(&[Signal::CHILD, Signal::IO]).ok() };
        Output { logs, next: signals.as_ref().map(|_| since_boot()), signals, pace: Pace::default() }
    }

    /// The way to wait for children: if there are logs to look after, by [`Output::wait`].
    pub(super) fn patience(&self) -> WaitOptions {
        if self.signals.is_some() { WaitOptions::NOHANG } else { WaitOptions::empty() }
    }

    /// Waits for the signal that a child has ended, or for the time of the next look, and takes that.
    pub(super) fn wait(&mut self) {
        let Some(signals) = &self.signals else { return };
        let patience = self.next.map(|next| next.saturating_sub(since_boot()));
        match signals.wait(patience) {
            Some(Signal::IO) if self.next.is_none() => self.next_look(),
            None if patience.is_some() => self.look(),
            _ => {}
        }
    }

    /// Looks at the logs, and cuts what is too long.
    pub(super) fn look(&mut self) {
        let growth = self.growth();
        match growth {
            Some((bytes, room)) => self.pace.grew(bytes, room),
            None => self.pace.rested(),
        }
        // A log that cannot be cut now is one of a full or broken disk.
        self.logs.iter_mut().for_each(|log| drop(log.rotate()));
        self.next = None;
        // What came before the kernel was asked it does not tell of.
        if growth.is_some() || !self.notify() || self.growth().is_some() {
            self.next_look();
        }
    }

    fn next_look(&mut self) {
        self.next = Some(since_boot() + self.pace.delay());
    }

    /// Of the log that fills first: the bytes that came, and those there was room for.
    fn growth(&mut self) -> Option<(u64, u64)> {
        let growth = self.logs.iter_mut().filter_map(|log| log.growth().ok());
        growth.filter(|(bytes, _)| *bytes > 0).max_by_key(|(bytes, room)| bytes / room.max(&1))
    }

    /// True if the kernel will tell.
    fn notify(&self) -> bool {
        self.logs.iter().all(|log| log.notify().is_ok())
    }
}
