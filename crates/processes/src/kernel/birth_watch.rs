//! A watch over children that are not their programs yet, for a thread that waits for them and must not wait for long.
//!
//! In: the child that is being born, by a cell with its pidfd. Out: one that somebody stopped is killed, and it is said.
//! In a container everybody whom the kernel lets may stop the child, and the thread that starts it would wait until it goes
//! on. A child that is only slow is left alone. Owns one thread, which ends with the watch. To have been stopped is what
//! `/proc` says, so it is a matter of time: nothing can tell a child that is stopped at once from one that is just to go on.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::process::Stat;

/// The time that a birth may take without a look at it.
const PATIENCE: Duration = Duration::from_millis(30);

/// The time between two looks from then on.
const GLANCE: Duration = Duration::from_millis(5);

/// A thread that looks at children whose birth takes long.
#[derive(Debug)]
pub struct BirthWatch {
    births: Sender<Birth>,
}

/// A child that is being born, as far as others see.
#[derive(Debug)]
pub(super) struct Cradle {
    /// The kernel writes it before the child does anything.
    pub(super) pidfd: AtomicI32,
    was_stopped: AtomicBool,
}

struct Birth {
    cradle: Arc<Cradle>,
    over: Receiver<()>,
}

impl BirthWatch {
    /// Starts the thread, which is where the calling one is: in its network, for one.
    pub fn start() -> io::Result<BirthWatch> {
        let (births, begun) = channel::<Birth>();
        thread::Builder::new().name("births".to_owned()).spawn(move || begun.iter().for_each(|birth| birth.watch()))?;
        Ok(BirthWatch { births })
    }

    /// Watches while `bear` starts the child in the cradle. Its number is not looked at any more afterwards.
    pub(super) fn over<T>(&self, cradle: &Arc<Cradle>, bear: impl FnOnce() -> T) -> T {
        let (done, over) = sync_channel(0);
        let _alive_as_long_as_we = self.births.send(Birth { cradle: Arc::clone(cradle), over });
        let child = bear();
        // Taken between two looks only.
        let _taken = done.send(());
        child
    }
}

impl Birth {
    fn watch(self) {
        let mut patience = PATIENCE;
        while self.over.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            self.cradle.end_if_stopped();
            patience = GLANCE;
        }
    }
}

impl Cradle {
    pub(super) fn was_stopped(&self) -> bool {
        self.was_stopped.load(Ordering::Acquire)
    }

    /// The reaper of the child waits for us, so the number is its own.
    fn end_if_stopped(&self) {
        let Some(pid) = self.pid().filter(|pid| is_stopped(*pid)) else { return };
        self.was_stopped.store(true, Ordering::Release);
        let _is_dead_otherwise = kill_process(pid, Signal::KILL);
    }

    fn pid(&self) -> Option<Pid> {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.pidfd.load(Ordering::Acquire))).ok()?;
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok())?;
        Pid::from_raw(pid).filter(|_| pid > 0)
    }
}

impl Default for Cradle {
    fn default() -> Cradle {
        Cradle { pidfd: AtomicI32::new(-1), was_stopped: AtomicBool::new(false) }
    }
}

/// Stopped by a signal, or by one who traces it.
fn is_stopped(pid: Pid) -> bool {
    Stat::read(pid.as_raw_nonzero().get()).is_some_and(|stat| matches!(stat.state, b'T' | b't'))
}

#[cfg(test)]
#[path = "birth_watch_tests.rs"]
mod tests;
