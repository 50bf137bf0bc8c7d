//! The command executor: one task, from LAUNCH to the acknowledgement of its end. One tokio task runs
//! [`CommandExecutor::run`] and owns everything; a second one, its [`Subscription`], owns the connection.
//!
//! In: the agent's events, the end of the shim, the checks' attempts, the time. Each becomes an [`Input`] of the
//! [`Lifecycle`], and the [`Action`]s that come back are carried out here, in order. Before an update is sent or a
//! signal given it is in the journal, so that the next process can go on from any point.

mod agent;
mod recovery;
mod running;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use checks::Engine;
use mesos::v1::{FrameworkInfo, TaskInfo};
use tokio::sync::mpsc;

use self::recovery::{is_over, unacknowledged};
use crate::clock::{now, sleep_until, time_of_day};
use crate::environment::ExecutorConfig;
use crate::error::ExecutorError;
use crate::journal::Journal;
use crate::lifecycle::{Action, Ending, Input, Lifecycle, Update, Verdict};
use crate::lines::Lines;
use crate::monitor::Monitor;
use crate::state::{Exclusion, StateDirectory};
use crate::status::status;
use crate::subscription::{Incoming, Outgoing, Subscription};
use crate::supervisor::Supervisor;
use crate::whereabouts::Whereabouts;

/// How many events of the agent may wait for the executor.
const WAITING_EVENTS: usize = 16;

/// What all executors of one process share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The one check engine.
    pub engine: Engine,
    /// How to start a shim: program and first arguments; the directory follows.
    pub shim_command: Arc<[String]>,
    /// Who keeps others away from their state directories.
    pub exclusion: Exclusion,
    /// Over what they call the agent.
    pub lines: Lines,
}

/// One logical executor.
#[derive(Debug)]
pub struct CommandExecutor {
    config: Arc<ExecutorConfig>,
    shared: Shared,
    state: StateDirectory,
    journal: Journal,
    lifecycle: Lifecycle,
    framework: Option<FrameworkInfo>,
    task: Option<TaskInfo>,
    shim: Option<Supervisor>,
    monitor: Option<Monitor>,
    /// Where the task was when its checks began.
    whereabouts: Option<Whereabouts>,
    agent: mpsc::UnboundedSender<Outgoing>,
    events: mpsc::Receiver<Incoming>,
    verdict: Option<Verdict>,
}

/// What a turn of the loop is about.
enum Happening {
    Agent(Incoming),
    ShimEnded(Ending),
    Attempt(checks::Event),
    Time,
}

impl CommandExecutor {
    /// Runs the executor to its end: fresh, or from where an earlier process stopped.
    pub async fn run(config: ExecutorConfig, shared: Shared) -> Result<Verdict, ExecutorError> {
        let config = Arc::new(config);
        let state = StateDirectory::open(&config.state_directory, shared.exclusion).await?;
        let journal = state.journal()?;
        let launched = state.launched()?;
        if launched.is_some() && is_over(&journal) {
            return Ok(Verdict::Success);
        }
        let (agent, outgoing) = mpsc::unbounded_channel();
        let (incoming, events) = mpsc::channel(WAITING_EVENTS);
        let unacknowledged = unacknowledged(&journal, launched.as_ref().map(|(task, _)| task));
        let lines = shared.lines.clone();
        let subscription = Subscription { config: config.clone(), lines, unacknowledged, outgoing, incoming };
        let mut executor = CommandExecutor {
            lifecycle: Lifecycle::new(config.shutdown_grace),
            framework: state.framework()?,
            task: None,
            shim: None,
            monitor: None,
            whereabouts: None,
            verdict: None,
            config,
            shared,
            state,
            journal,
            agent,
            events,
        };
        if let Some((task, at)) = launched {
            executor.recover(task, at).await?;
        }
        // Only now: a new process knows how its task stands before it speaks to the agent.
        tokio::spawn(subscription.run());
        executor.live().await
    }

    async fn live(mut self) -> Result<Verdict, ExecutorError> {
        loop {
            if let Some(verdict) = self.verdict {
                return Ok(verdict);
            }
            match self.next().await {
                Happening::Agent(Incoming::Event(event)) => self.heard(*event).await?,
                Happening::Agent(Incoming::Lost) => self.feed(Input::Shutdown).await,
                Happening::ShimEnded(ending) => {
                    self.shim = None;
                    self.feed(Input::Exited(ending)).await;
                }
                Happening::Attempt(event) => self.attempted(&event).await,
                Happening::Time => self.feed(Input::Tick).await,
            }
        }
    }

    async fn next(&mut self) -> Happening {
        let CommandExecutor { lifecycle, shim, monitor, events, .. } = self;
        tokio::select! {
            biased;
            ending = ended(shim.as_ref()) => Happening::ShimEnded(ending),
            () = sleep_until(lifecycle.wake_at()) => Happening::Time,
            Some(said) = events.recv() => Happening::Agent(said),
            event = attempt(monitor.as_mut()) => Happening::Attempt(event),
        }
    }

    async fn attempted(&mut self, event: &checks::Event) {
        if self.is_void(event) {
            return;
        }
        let input = self.monitor.as_mut().and_then(|monitor| monitor.input(event));
        if let Some(input) = input {
            self.feed(input).await;
        }
        // Last, so that a failure that was counted was also reported.
        if let Some(monitor) = &mut self.monitor {
            monitor.remember(event);
        }
    }

    /// One turn of the life cycle. An action may lead to another input, which is taken after all actions of this one.
    async fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let before = self.lifecycle.kill().cloned();
            let actions = self.lifecycle.handle(now(), input);
            if let Some(kill) = self.lifecycle.kill().filter(|kill| before.as_ref() != Some(kill)) {
                let kill = kill.clone();
                self.keep(|journal| journal.killing(&kill));
            }
            inputs.extend(self.perform(actions).await);
        }
    }

    async fn perform(&mut self, actions: Vec<Action>) -> Vec<Input> {
        let mut next = Vec::new();
        for action in actions {
            match action {
                Action::Update(update) => self.update(update),
                Action::Spawn => next = self.spawn().await,
                Action::StartChecks => self.start_checks(),
                Action::PauseChecks => self.monitor.iter().for_each(Monitor::pause),
                Action::StopChecks => self.monitor = None,
                Action::Signal(blow) => self.signal(blow),
                Action::Exit(verdict) => self.verdict = Some(verdict),
            }
        }
        next
    }

    fn update(&mut self, update: Update) {
        let Some(task) = &self.task else { return };
        let status = status(&task.task_id, &self.config.executor_id, update, time_of_day());
        self.keep(|journal| journal.made(&status));
        self.say(Outgoing::Update(Box::new(status)));
    }

    /// A journal that cannot be written, on a full disk for one, is no reason to end a task that runs well.
    fn keep(&mut self, write: impl FnOnce(&mut Journal) -> io::Result<()>) {
        if let Err(error) = write(&mut self.journal) {
            tracing::error!(executor = self.config.executor_id, %error, "a successor would not know of this");
        }
    }

    /// The subscription outlives this executor's last word, or has ended because the agent is lost.
    fn say(&self, said: Outgoing) {
        let _nobody_hears = self.agent.send(said);
    }
}

async fn ended(shim: Option<&Supervisor>) -> Ending {
    match shim {
        Some(shim) => shim.ended().await,
        None => std::future::pending().await,
    }
}

async fn attempt(monitor: Option<&mut Monitor>) -> checks::Event {
    match monitor {
        Some(monitor) => monitor.next().await,
        None => std::future::pending().await,
    }
}
