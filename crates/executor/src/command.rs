//! The command executor: one task, from LAUNCH to the acknowledgement of its end. One tokio task runs
//! [`CommandExecutor::run`] and owns everything; a second one, its [`Subscription`], owns the connection.
//!
//! In: the agent's events, the end of the shim, the checks' attempts, the time. Each becomes an [`Input`] of the
//! [`Lifecycle`], and the [`Action`]s that come back are carried out here, in order. Before an update is sent or a
//! signal given it is in the journal, so that the next process can go on from any point.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use checks::{Engine, Place};
use mesos::v1::executor::{Event, event};
use mesos::v1::framework_info::capability::Type as Capability;
use mesos::v1::{FrameworkInfo, TaskId, TaskInfo, TaskStatus};
use tokio::sync::mpsc;

use crate::clock::{Moment, now, sleep_until, time_of_day};
use crate::environment::ExecutorConfig;
use crate::error::ExecutorError;
use crate::journal::Journal;
use crate::lifecycle::{Action, Blow, Ending, Input, Lifecycle, Past, Plan, Update, Verdict, duration};
use crate::monitor::Monitor;
use crate::prepare::Prepared;
use crate::probe::{Surroundings, specs};
use crate::sandbox;
use crate::state::StateDirectory;
use crate::status::status;
use crate::subscription::{Incoming, Outgoing, Subscription};
use crate::supervisor::{Found, Launch, Supervisor, find};
use crate::updates::Unacknowledged;

/// How many events of the agent may wait for the executor.
const WAITING_EVENTS: usize = 16;

/// What all executors of one process share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The one check engine.
    pub engine: Engine,
    /// How to start a shim: program and first arguments; the directory follows.
    pub shim_command: Arc<[String]>,
}

/// One logical executor.
#[derive(Debug)]
pub struct CommandExecutor {
    config: ExecutorConfig,
    shared: Shared,
    state: StateDirectory,
    journal: Journal,
    lifecycle: Lifecycle,
    framework: Option<FrameworkInfo>,
    task: Option<TaskInfo>,
    shim: Option<Supervisor>,
    monitor: Option<Monitor>,
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
        let state = StateDirectory::open(&config.state_directory)?;
        let journal = state.journal()?;
        let launched = state.launched()?;
        if launched.is_some() && is_over(&journal) {
            return Ok(Verdict::Success);
        }
        let (agent, outgoing) = mpsc::unbounded_channel();
        let (incoming, events) = mpsc::channel(WAITING_EVENTS);
        let unacknowledged = unacknowledged(&journal, launched.as_ref().map(|(task, _)| task));
        let subscription = Subscription { config: config.clone(), unacknowledged, outgoing, incoming };
        let mut executor = CommandExecutor {
            lifecycle: Lifecycle::new(config.shutdown_grace),
            framework: state.framework()?,
            task: None,
            shim: None,
            monitor: None,
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
                Happening::Agent(Incoming::Lost) => self.feed(Input::Shutdown).await?,
                Happening::ShimEnded(ending) => {
                    self.shim = None;
                    self.feed(Input::Exited(ending)).await?;
                }
                Happening::Attempt(event) => self.attempted(&event).await?,
                Happening::Time => self.feed(Input::Tick).await?,
            }
        }
    }

    async fn next(&mut self) -> Happening {
        let CommandExecutor { lifecycle, shim, monitor, events, .. } = self;
        tokio::select! {
            biased;
            ending = ended(shim.as_ref()) => Happening::ShimEnded(ending),
            () = sleep_until(lifecycle.wake_at()) => Happening::Time,
            said = events.recv() => Happening::Agent(said.unwrap_or(Incoming::Lost)),
            event = attempt(monitor.as_mut()) => Happening::Attempt(event),
        }
    }

    /// Goes on with a task an earlier process launched.
    async fn recover(&mut self, task: TaskInfo, launched: Moment) -> Result<(), ExecutorError> {
        let history = self.journal.history().clone();
        let past = Past {
            plan: Plan::of(&task),
            last: history.last.as_ref().map(Update::of),
            kill: history.kill,
            launched,
        };
        self.task = Some(task);
        let starting = past.last.as_ref().is_none_or(Update::is_starting);
        let over = past.last.as_ref().is_some_and(Update::is_terminal);
        let (lifecycle, actions) = Lifecycle::resume(self.config.shutdown_grace, past, now());
        self.lifecycle = lifecycle;
        if over {
            return Ok(());
        }
        let found = find(self.state.shim(), self.config.mark()).await.map_err(self.shim_error())?;
        tracing::info!(executor = self.config.executor_id, ?found, "going on where an earlier executor stopped");
        match found {
            Found::Alive(shim) => self.shim = Some(shim),
            Found::NeverStarted(why) if starting => return self.feed(Input::SpawnFailed(why)).await,
            Found::NeverStarted(why) => return self.feed(Input::Exited(Ending::Unknown(why))).await,
            Found::Over(ending) => return self.began_and_ended(starting, ending).await,
        }
        self.perform_all(actions).await?;
        if starting { self.feed(Input::Spawned).await } else { Ok(()) }
    }

    async fn began_and_ended(&mut self, starting: bool, ending: Ending) -> Result<(), ExecutorError> {
        if starting {
            self.feed(Input::Spawned).await?;
        }
        self.feed(Input::Exited(ending)).await
    }

    async fn heard(&mut self, event: Event) -> Result<(), ExecutorError> {
        use event::Type;
        match (event.r#type(), event) {
            (Type::Subscribed, Event { subscribed: Some(subscribed), .. }) => {
                self.subscribed(subscribed.framework_info).await
            }
            (Type::Launch, Event { launch: Some(launch), .. }) => self.launch(launch.task).await,
            (Type::LaunchGroup, _) => {
                tracing::error!("a command executor cannot run task groups");
                self.feed(Input::Shutdown).await
            }
            (Type::Kill, Event { kill: Some(kill), .. }) => {
                let grace = kill.kill_policy.and_then(|policy| policy.grace_period);
                self.kill(&kill.task_id, grace.as_ref().map(duration)).await
            }
            (Type::Acknowledged, Event { acknowledged: Some(acknowledged), .. }) => {
                self.acknowledged(acknowledged.uuid).await
            }
            (Type::Shutdown, _) => self.feed(Input::Shutdown).await,
            (Type::Error, Event { error: Some(error), .. }) => {
                tracing::error!(error = error.message, "the agent reports an error");
                Ok(())
            }
            (kind, _) => {
                tracing::debug!(?kind, "nothing to do for an event");
                Ok(())
            }
        }
    }

    async fn subscribed(&mut self, framework: FrameworkInfo) -> Result<(), ExecutorError> {
        let killing_state =
            framework.capabilities.iter().any(|capability| capability.r#type() == Capability::TaskKillingState);
        self.state.write_framework(&framework)?;
        self.framework = Some(framework);
        self.feed(Input::Subscribed { killing_state }).await
    }

    async fn launch(&mut self, task: TaskInfo) -> Result<(), ExecutorError> {
        if let Some(own) = &self.task {
            if own.task_id == task.task_id {
                tracing::warn!(task = task.task_id.value, "the task was launched already");
                return Ok(());
            }
            return self.reject(task);
        }
        self.state.write_launched(&task)?;
        self.task = Some(task.clone());
        let plan = Plan::of(&task);
        self.say(Outgoing::Launched(Box::new(task)));
        self.feed(Input::Launch(plan)).await
    }

    /// Fails a second task; it never touches the first one's life.
    fn reject(&mut self, task: TaskInfo) -> Result<(), ExecutorError> {
        let message = Some("A command executor runs one task only, and has it".to_owned());
        let failed = Update { message, ..Update::fresh(mesos::v1::TaskState::TaskFailed, &Plan::of(&task)) };
        let status = status(&task.task_id, &self.config.executor_id, failed, time_of_day());
        self.say(Outgoing::Launched(Box::new(task)));
        self.say(Outgoing::Update(Box::new(status)));
        Ok(())
    }

    async fn kill(&mut self, task: &TaskId, grace: Option<Duration>) -> Result<(), ExecutorError> {
        if self.task.as_ref().is_some_and(|own| own.task_id != *task) {
            tracing::warn!(task = task.value, "asked to kill a task of somebody else");
            return Ok(());
        }
        self.feed(Input::Kill { grace }).await
    }

    async fn acknowledged(&mut self, uuid: Vec<u8>) -> Result<(), ExecutorError> {
        self.journal.acknowledged(uuid).map_err(ExecutorError::file("write", "journal"))?;
        if is_over(&self.journal) { self.feed(Input::TerminalAcknowledged).await } else { Ok(()) }
    }

    async fn attempted(&mut self, event: &checks::Event) -> Result<(), ExecutorError> {
        let input = self.monitor.as_ref().and_then(|monitor| monitor.input(event));
        if let Some(input) = input {
            self.feed(input).await?;
        }
        // Last, so that a failure that was counted was also reported.
        if let Some(monitor) = &mut self.monitor {
            monitor.remember(event);
        }
        Ok(())
    }

    /// One turn of the life cycle. An action may lead to another input, which is taken after all actions of this one.
    async fn feed(&mut self, input: Input) -> Result<(), ExecutorError> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let before = self.lifecycle.kill().cloned();
            let actions = self.lifecycle.handle(now(), input);
            if let Some(kill) = self.lifecycle.kill().filter(|kill| before.as_ref() != Some(kill)) {
                self.journal.killing(kill).map_err(ExecutorError::file("write", "journal"))?;
            }
            inputs.extend(self.perform_all(actions).await?);
        }
        Ok(())
    }

    async fn perform_all(&mut self, actions: Vec<Action>) -> Result<Vec<Input>, ExecutorError> {
        let mut next = Vec::new();
        for action in actions {
            match action {
                Action::Update(update) => self.update(update)?,
                Action::Spawn => next = self.spawn().await,
                Action::StartChecks => self.start_checks(),
                Action::PauseChecks => self.monitor.iter().for_each(Monitor::pause),
                Action::StopChecks => self.monitor = None,
                Action::Signal(blow) => self.signal(blow),
                Action::Exit(verdict) => self.verdict = Some(verdict),
            }
        }
        Ok(next)
    }

    fn update(&mut self, update: Update) -> Result<(), ExecutorError> {
        let Some(task) = &self.task else { return Ok(()) };
        let status = status(&task.task_id, &self.config.executor_id, update, time_of_day());
        self.journal.made(&status).map_err(ExecutorError::file("write", "journal"))?;
        self.say(Outgoing::Update(Box::new(status)));
        Ok(())
    }

    async fn spawn(&mut self) -> Vec<Input> {
        match self.try_spawn().await {
            Ok(Found::Alive(shim)) => {
                self.shim = Some(shim);
                vec![Input::Spawned]
            }
            // It was quicker than we are: the shim has gone, its word stays.
            Ok(Found::Over(ending)) => vec![Input::Spawned, Input::Exited(ending)],
            Ok(Found::NeverStarted(why)) | Err(why) => vec![Input::SpawnFailed(why)],
        }
    }

    async fn try_spawn(&self) -> Result<Found, String> {
        let Some(task) = &self.task else { return Err("there is no task".to_owned()) };
        let prepared = Prepared::new(&self.config, self.framework.as_ref(), task).map_err(|error| error.to_string())?;
        let spec = prepared.spec(&self.config, task).map_err(|error| error.to_string())?;
        let files = self.state.shim();
        let cannot = |error: std::io::Error| format!("Cannot start the task: {error}");
        sandbox::prepare(&self.config.sandbox, prepared.user.as_ref()).map_err(cannot)?;
        files.write_spec(&spec).map_err(cannot)?;
        let launch = Launch {
            files,
            command: &self.shared.shim_command,
            log: sandbox::stderr(&self.config.sandbox),
            mark: self.config.mark(),
        };
        launch.start().await.map_err(cannot)
    }

    fn start_checks(&mut self) {
        let (Some(task), Some(shim)) = (&self.task, &self.shim) else { return };
        let Ok(prepared) = Prepared::new(&self.config, self.framework.as_ref(), task) else { return };
        let around = Surroundings {
            environment: &prepared.environment,
            directory: &self.config.sandbox,
            user: prepared.user.as_ref(),
        };
        let specs = specs(task, around);
        if specs.is_empty() {
            return;
        }
        match Place::of_pid(shim.task().pid) {
            Ok(place) => {
                let file = self.state.health();
                self.monitor = Some(Monitor::start(&self.shared.engine, task, specs, &place, file));
            }
            // The task has ended meanwhile; the shim will say so.
            Err(error) => tracing::debug!(%error, "cannot look into the task's namespaces"),
        }
    }

    fn signal(&self, blow: Blow) {
        if let Some(shim) = &self.shim {
            shim.signal(blow);
        }
    }

    /// The subscription outlives this executor's last word, or has ended because the agent is lost.
    fn say(&self, said: Outgoing) {
        let _nobody_hears = self.agent.send(said);
    }

    fn shim_error(&self) -> impl FnOnce(std::io::Error) -> ExecutorError + use<> {
        ExecutorError::file("use", self.config.state_directory.clone())
    }
}

/// The agent has the terminal update.
fn is_over(journal: &Journal) -> bool {
    let history = journal.history();
    let acknowledged = |last: &TaskStatus| !history.unacknowledged.iter().any(|status| status.uuid == last.uuid);
    history.last.as_ref().is_some_and(|last| Update::of(last).is_terminal() && acknowledged(last))
}

fn unacknowledged(journal: &Journal, task: Option<&TaskInfo>) -> Unacknowledged {
    let history = journal.history();
    let tasks = task.filter(|_| !history.known).cloned().into_iter().collect();
    Unacknowledged::new(history.unacknowledged.clone(), tasks)
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
