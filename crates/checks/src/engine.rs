//! The engine: handles to add checks and to see to them, and the thread that carries them out.
//!
//! In: [`Check`]s, through an [`Engine`]. Out: one [`Event`] per finished attempt, into the channel each check came
//! with. Owns one thread, `checks`, with one epoll loop (`run`), which gets its messages over one channel and is woken
//! through one eventfd. The thread ends when the last [`Engine`] and [`CheckHandle`] are gone.

mod account;
mod attempts;
mod attendance;
mod budget;
#[cfg(any(feature = "fuzzing", test))]
pub(crate) mod by_turns;
mod check;
mod context;
mod entry;
mod event;
mod handle;
mod history;
mod late;
mod listener;
mod mailbox;
mod messages;
mod meter;
mod metrics;
mod options;
mod outbox;
mod patience;
mod percentiles;
mod record;
mod report;
mod rough;
mod run;
mod series;
mod shares;
mod standing;
mod visits;

use std::io;
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::spec::Reach;
use crate::timetable::Lag;
use check::Order;
use mailbox::{Message, Sender, mailbox};
use run::Prober;

pub use check::{Check, Start};
pub use event::Event;
pub use handle::CheckHandle;
pub use late::Late;
pub use listener::Listener;
pub use metrics::Metrics;
pub use options::EngineOptions;
pub use record::PastAttempt;
pub use report::{Activity, ByHand, CheckReport};
pub use series::{Phase, Series, SeriesName};

/// The engine cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The limit of open files cannot be raised.
    #[error("cannot raise the limit of open files: {0}")]
    FileLimit(io::Error),
    /// No epoll, no eventfd, no thread.
    #[error("cannot set up the check engine: {0}")]
    SetUp(io::Error),
    /// An option that makes no sense.
    #[error("option '{name}' must be {bounds}")]
    Option {
        /// The name of the option.
        name: &'static str,
        /// The values it may have, in words.
        bounds: &'static str,
    },
}

/// The engine; clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Engine {
    sender: Arc<Sender>,
    reach: Arc<Reach>,
    owner: u32,
}

impl Engine {
    /// Starts the thread, and raises this process' limit of open files to what is allowed.
    pub fn start(options: EngineOptions) -> Result<Engine, EngineError> {
        options.validate()?;
        let files = processes::raise_file_limit().map_err(EngineError::FileLimit)?;
        let (sender, receiver) = mailbox().map_err(EngineError::SetUp)?;
        let reach = Arc::new(options.reach.clone());
        let prober = Prober::new(options.within(files), Clock::start(), receiver).map_err(EngineError::SetUp)?;
        let thread = thread::Builder::new().name("checks".to_owned());
        thread.spawn(move || prober.run()).map_err(EngineError::SetUp)?;
        Ok(Engine { sender: Arc::new(sender), reach, owner: 0 })
    }

    /// Another handle, whose checks are told from those of others by this number; 0 is that of the first one.
    #[must_use]
    pub fn owned_by(&self, owner: u32) -> Engine {
        Engine { owner, ..self.clone() }
    }

    /// Begins to carry out a check, until its handle is dropped.
    ///
    /// This does not wait for the engine's thread, and neither does anything that is done with the handle. What it takes is the
    /// time to compile patterns and to parse certificates, some milliseconds at worst, and once in a process, if a check
    /// wants them, to read the authorities that this machine trusts: async code that is given checks by strangers does it
    /// where it may block, as in tokio's `spawn_blocking`.
    ///
    /// Checks that the thread has not taken in yet are memory: to add many thousands, await [`Engine::metrics`] now and
    /// then, which is answered when all that was said before has been heard.
    pub fn add(&self, check: Check) -> CheckHandle {
        let key = self.sender.next_key();
        let order = Order { owner: self.owner, ..Order::of(check, &self.reach) };
        self.sender.send(Message::Add(key, Box::new(order)));
        CheckHandle::new(Arc::clone(&self.sender), key)
    }

    /// Ends all checks, those of clones too, and waits until everything is gone: attempts, commands and what they started,
    /// sockets, cgroups. Commands have a hundred ticks to go, once they were killed. Whatever is said to the engine later has no
    /// effect, and channels of events end.
    pub async fn shutdown(self) {
        let _has_ended = self.end().await;
    }

    /// As [`Engine::shutdown`], for code that is not async.
    ///
    /// # Panics
    ///
    /// In async code, where it would hold up others.
    pub fn blocking_shutdown(self) {
        let _has_ended = self.end().blocking_recv();
    }

    fn end(self) -> oneshot::Receiver<mailbox::Never> {
        let (waits, end) = oneshot::channel();
        self.sender.send(Message::ShutDown(waits));
        end
    }

    /// The punctuality of attempts until now; nothing if the engine's thread has died.
    pub async fn lag(&self) -> Option<Lag> {
        self.metrics().await.map(|metrics| metrics.lag)
    }

    /// The counters of the engine; nothing if its thread has died.
    pub async fn metrics(&self) -> Option<Metrics> {
        let (answer, metrics) = oneshot::channel();
        self.sender.send(Message::Metrics(answer));
        metrics.await.ok()
    }

    /// The counts of checks that have a name for them; nothing if the engine's thread has died.
    pub async fn series(&self) -> Option<Vec<Series>> {
        let (answer, series) = oneshot::channel();
        self.sender.send(Message::Series(answer));
        series.await.ok()
    }

    /// The checks that are late; nothing if the engine's thread has died. Those that are paused are not.
    pub async fn late(&self) -> Option<Vec<Late>> {
        let (answer, late) = oneshot::channel();
        self.sender.send(Message::Late(answer));
        late.await.ok()
    }
}
