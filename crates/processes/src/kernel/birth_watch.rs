//! A watch over children that are not their programs yet, for a thread that waits for them and must not wait for long.
//!
//! In: the child that is being born, by a cell with its pidfd. Out: one that somebody stopped is killed, and it is said.
//! In a container everybody whom the kernel lets may stop the child, and the thread that starts it would wait until it goes
//! on. A child that is only slow is left alone. Owns one thread, which ends with the watch. To have been stopped is what
//! `/proc` says, so it is a matter of time: nothing can tell a child that is stopped at once from one that is just to go on.
//!
//! A birth wakes nobody, as long as there was another one a moment ago: to hand it to the thread and to take it back would
//! cost a twentieth of what it costs to start a program. The thread comes round by itself, and looks at a birth that it
//! meets twice.

use std::cell::Cell;
use std::fs;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::process::Stat;

/// The time between two rounds. A birth is looked at when it has taken one of them, and before it has taken two.
const ROUND: Duration = Duration::from_millis(15);

/// The time between two looks at the same birth from then on.
const GLANCE: Duration = Duration::from_millis(5);

/// A thread that looks at children whose birth takes long. For one thread that starts them, as there is one birth at a time.
#[derive(Debug)]
pub struct BirthWatch {
    room: Arc<Room>,
    _of_one_thread: PhantomData<Cell<()>>,
}

/// A child that is being born, as far as others see.
#[derive(Debug)]
pub(super) struct Cradle {
    /// The kernel writes it before the child does anything.
    pub(super) pidfd: AtomicI32,
    was_stopped: AtomicBool,
}

/// The place where both threads leave word.
#[derive(Debug, Default)]
#[expect(clippy::disallowed_types, reason = "held for as long as a look takes; to hand a birth over takes two wakings")]
struct Room {
    book: std::sync::Mutex<Book>,
    called: Condvar,
}

#[derive(Debug, Default)]
struct Book {
    /// The birth that goes on.
    birth: Option<Arc<Cradle>>,
    /// The number of births so far.
    births: u64,
    /// True if the thread has to be called for the next birth.
    sleeps: bool,
    is_over: bool,
}

impl BirthWatch {
    /// Starts the thread, which is where the calling one is: in its network, for one.
    pub fn start() -> io::Result<BirthWatch> {
        let room = Arc::new(Room::default());
        let watched = Arc::clone(&room);
        thread::Builder::new().name("births".to_owned()).spawn(move || watched.watch())?;
        Ok(BirthWatch { room, _of_one_thread: PhantomData })
    }

    /// Watches while `bear` starts the child in the cradle. Its number is not looked at any more afterwards.
    pub(super) fn over<T>(&self, cradle: &Arc<Cradle>, bear: impl FnOnce() -> T) -> T {
        self.room.begin(cradle);
        let child = bear();
        // Between two looks only.
        self.room.book().birth = None;
        child
    }
}

impl Drop for BirthWatch {
    fn drop(&mut self) {
        self.room.book().is_over = true;
        self.room.called.notify_one();
    }
}

impl Room {
    /// It is whole between any two of its changes.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, cradle: &Arc<Cradle>) {
        let mut book = self.book();
        book.birth = Some(Arc::clone(cradle));
        book.births += 1;
        if std::mem::take(&mut book.sleeps) {
            self.called.notify_one();
        }
    }

    /// Rounds while there are births, and sleep while there are none.
    fn watch(&self) {
        let (mut book, mut met) = (self.book(), 0);
        while !book.is_over {
            let is_met_again = std::mem::replace(&mut met, book.births) == book.births;
            book = match (&book.birth, is_met_again) {
                (Some(cradle), true) => {
                    cradle.end_if_stopped();
                    self.rest(book, GLANCE)
                }
                (None, true) => self.sleep(book),
                (Some(_) | None, false) => self.rest(book, ROUND),
            };
        }
    }

    fn rest<'a>(&self, book: MutexGuard<'a, Book>, time: Duration) -> MutexGuard<'a, Book> {
        self.called.wait_timeout(book, time).unwrap_or_else(PoisonError::into_inner).0
    }

    fn sleep<'a>(&self, mut book: MutexGuard<'a, Book>) -> MutexGuard<'a, Book> {
        book.sleeps = true;
        self.called.wait(book).unwrap_or_else(PoisonError::into_inner)
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
