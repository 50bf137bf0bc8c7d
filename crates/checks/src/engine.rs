//! The engine: handles to add, pause, resume and remove checks, and the thread that carries them out.
//!
//! In: [`Check`]s, through an [`Engine`]. Out: one [`Event`] per finished attempt, into the channel each check came
//! with. Owns one thread, `checks`, with one epoll loop (`run`), which is told what to do over one channel and woken
//! through one eventfd. The thread ends when the last [`Engine`] and [`CheckHandle`] are gone.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::kernel::files;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::spec::CheckSpec;
use crate::timetable::Lag;
use crate::verdict::{VerdictEvent, VerdictState};
use mailbox::{Letter, Sender, mailbox};
use run::Prober;

mod budget;
mod clock;
mod entry;
mod mailbox;
mod patience;
mod run;

/// Chosen by the owner of a check, for whoever reads its events.
pub type CheckId = u64;

/// How the engine works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// What is due within a tick is started together. Checks faster than ten ticks have a shorter one.
    pub tick: Duration,
    /// How many attempts may run at a time; the others wait, and count as late.
    pub max_in_flight: usize,
    /// How many of these may be commands.
    pub max_commands_in_flight: usize,
}

impl Default for EngineOptions {
    fn default() -> EngineOptions {
        EngineOptions { tick: Duration::from_millis(10), max_in_flight: 4096, max_commands_in_flight: 64 }
    }
}

/// The engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The limit of open files cannot be raised.
    #[error("cannot raise the limit of open files: {0}")]
    FileLimit(io::Error),
    /// No epoll, no eventfd, no thread.
    #[error("cannot set up the check engine: {0}")]
    SetUp(io::Error),
    /// An option that makes no sense.
    #[error("option '{0}' must not be 0")]
    Option(&'static str),
}

/// A check to carry out.
#[derive(Debug)]
pub struct Check {
    /// Comes back in every event; unique per receiver.
    pub id: CheckId,
    /// Its hash spreads the first attempts: the same seed, the same phase. For instance `task-id/0`.
    pub seed: String,
    /// What to ask, when, and how to judge.
    pub spec: CheckSpec,
    /// Where.
    pub place: Place,
    /// Anew, or where another process stopped.
    pub start: Start,
    /// Who hears of it. The check ends when nobody listens any more.
    pub events: UnboundedSender<Event>,
}

/// Where a check begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After its delay.
    Fresh,
    /// Within one interval, as if it had never stopped.
    Recovered {
        /// As in the last event.
        state: VerdictState,
        /// The time since the original start, from which grace is counted.
        age: Duration,
    },
}

/// An attempt that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which check.
    pub check: CheckId,
    /// When it ended.
    pub at: SystemTime,
    /// What it found.
    pub outcome: Outcome,
    /// What that means, if it is news.
    pub verdict: Option<VerdictEvent>,
    /// All that is to be remembered.
    pub state: VerdictState,
    /// When it started.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// How long after it was due the engine started it.
    pub lateness: Duration,
}

/// The engine; clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Engine {
    sender: Arc<Sender>,
}

impl Engine {
    /// Starts the thread, and raises this process' limit of open files to what is allowed.
    pub fn start(options: EngineOptions) -> Result<Engine, EngineError> {
        options.validate()?;
        let files = files::raise_limit().map_err(EngineError::FileLimit)?;
        let (sender, receiver) = mailbox().map_err(EngineError::SetUp)?;
        let prober = Prober::new(options.within(files), receiver).map_err(EngineError::SetUp)?;
        let thread = thread::Builder::new().name("checks".to_owned());
        thread.spawn(move || prober.run()).map_err(EngineError::SetUp)?;
        Ok(Engine { sender: Arc::new(sender) })
    }

    /// Begins to carry out a check, until its handle is dropped.
    pub fn add(&self, check: Check) -> CheckHandle {
        let key = self.sender.next_key();
        self.sender.send(Letter::Add(key, Box::new(check)));
        CheckHandle { sender: Arc::clone(&self.sender), key }
    }

    /// How punctual attempts were until now; nothing if the engine's thread has died.
    pub async fn lag(&self) -> Option<Lag> {
        let (answer, lag) = oneshot::channel();
        self.sender.send(Letter::Lag(answer));
        lag.await.ok()
    }
}

impl EngineOptions {
    /// Leaves half of the descriptors to the rest of the process.
    fn within(self, files: Option<u64>) -> EngineOptions {
        let half = files.and_then(|files| usize::try_from(files / 2).ok()).unwrap_or(usize::MAX);
        EngineOptions { max_in_flight: self.max_in_flight.min(half).max(1), ..self }
    }

    fn validate(&self) -> Result<(), EngineError> {
        let zero = [
            (self.tick.is_zero(), "tick"),
            (self.max_in_flight == 0, "max_in_flight"),
            (self.max_commands_in_flight == 0, "max_commands_in_flight"),
        ];
        zero.into_iter().find(|(is_zero, _)| *is_zero).map_or(Ok(()), |(_, name)| Err(EngineError::Option(name)))
    }
}

/// A check that is being carried out. Dropping this removes it.
#[derive(Debug)]
pub struct CheckHandle {
    sender: Arc<Sender>,
    key: u64,
}

impl CheckHandle {
    /// No attempts from now on; one that runs is dropped. Grace goes on, counters stay.
    pub fn pause(&self) {
        self.sender.send(Letter::Pause(self.key));
    }

    /// An attempt at once, if it was paused.
    pub fn resume(&self) {
        self.sender.send(Letter::Resume(self.key));
    }

    /// The same as dropping it.
    pub fn remove(self) {}
}

impl Drop for CheckHandle {
    fn drop(&mut self) {
        self.sender.send(Letter::Remove(self.key));
    }
}
