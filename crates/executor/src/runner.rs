//! One task, from its launch to the acknowledgement of its end: what hosts of tasks, alone or in groups, have in common.
//!
//! In: what the agent asks for this task, the end of the shim, the checks' attempts, the time. Each becomes an [`Input`]
//! of the [`Lifecycle`], and the [`Action`]s that come back are carried out here, in order. Before an update is sent or a
//! signal given it is in the journal, so that the next process can go on from any point. Owns no tokio task: its host
//! waits with [`Runner::next`] and hands back what happened.

mod command;
mod container;
mod copying;
mod docker;
mod explanation;
mod memory;
mod recovery;
mod running;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use checks::{CheckSpec, Engine};
use health::Kind;
use mesos::states::is_terminal;
use mesos::v1::cygnet::CheckHistory;
use mesos::v1::{FrameworkInfo, TaskInfo, TaskState, TaskStatus};
use tokio::sync::{mpsc, watch};

pub(crate) use self::command::Command;
use self::container::Container;
use self::memory::Memory;
use self::recovery::killing_state;
use crate::clock::{now, sleep_until, time_of_day};
use crate::config::ExecutorConfig;
use crate::error::ExecutorError;
use crate::life::{Action, Ending, ExitStatus, Input, Kill, Lifecycle, Plan, Update};
use crate::monitor::{Monitor, Namespaces};
use crate::state::{Exclusion, Journal, StateDirectory};
use crate::task::GroupSandbox;
use crate::wire::{Connections, Outgoing, status};

/// The parts all executors of one process share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The one check engine.
    pub engine: Engine,
    /// The command of a shim: program and first arguments; the directory follows.
    pub shim_command: Arc<[String]>,
    /// The way others are kept away from their state directories.
    pub exclusion: Exclusion,
    /// Over what they call the agent.
    pub connections: Connections,
    /// Set once nobody is responsible for them any more: they end, with their tasks.
    pub dismissal: watch::Sender<bool>,
}

/// The most words that are kept while a task is being started; more wait with the agent.
const MOST_HEARD: usize = 1024;

#[derive(Debug)]
pub(crate) struct Runner {
    config: Arc<ExecutorConfig>,
    shared: Shared,
    state: StateDirectory,
    journal: Journal,
    lifecycle: Lifecycle,
    framework: Option<Arc<FrameworkInfo>>,
    task: Option<TaskInfo>,
    /// Its sandbox, if it shares its executor with others.
    group: Option<GroupSandbox>,
    /// Set once it is to end, for while it is being started.
    leave: watch::Sender<bool>,
    container: Option<Container>,
    memory: Option<Memory>,
    checking: Checking,
    agent: mpsc::UnboundedSender<Outgoing>,
    exit: Option<ExitStatus>,
}

#[derive(Debug, Default)]
struct Checking {
    /// The ones that were found to make sense before the task was started, and have not begun.
    specs: Option<Vec<(Kind, CheckSpec)>>,
    monitor: Option<Monitor>,
    /// The namespaces of the task when its checks began.
    namespaces: Option<Namespaces>,
    /// The attempts that were made of a task that has ended.
    past: Vec<CheckHistory>,
}

/// An event in a turn of the host's loop.
pub(crate) enum Happening {
    ContainerEnded(Ending),
    MemoryRanOut,
    Attempt(Box<checks::Event>),
    Time,
}

impl Runner {
    /// A task that is not known yet. `config` says where it and its state are to be.
    pub(crate) fn new(
        config: Arc<ExecutorConfig>,
        shared: Shared,
        state: StateDirectory,
        agent: mpsc::UnboundedSender<Outgoing>,
    ) -> Result<Runner, ExecutorError> {
        Ok(Runner {
            journal: state.journal()?,
            lifecycle: Lifecycle::new(config.shutdown_grace),
            framework: None,
            task: None,
            group: None,
            leave: watch::Sender::new(false),
            container: None,
            memory: None,
            checking: Checking::default(),
            exit: None,
            config,
            shared,
            state,
            agent,
        })
    }

    /// The task shares its executor with others, and has this sandbox.
    pub(crate) fn in_group(self, sandbox: GroupSandbox) -> Runner {
        Runner { group: Some(sandbox), ..self }
    }

    /// The framework as known now or from an earlier process.
    pub(crate) fn of_framework(self, framework: Option<Arc<FrameworkInfo>>) -> Runner {
        let mut lifecycle = self.lifecycle;
        if let Some(framework) = &framework {
            lifecycle.know_framework(killing_state(framework));
        }
        Runner { framework, lifecycle, ..self }
    }

    /// Launches the task. The words that `hear` gives meanwhile are given back; one that `ends` the task gives up its start,
    /// as users that are looked up and fetching may take long. An error means that it cannot be launched at all.
    pub(crate) async fn launch<W>(
        &mut self,
        task: TaskInfo,
        mut hear: impl FnMut(&mut Context<'_>) -> Poll<Option<W>>,
        ends: impl Fn(&W) -> bool,
    ) -> Result<VecDeque<W>, ExecutorError> {
        self.state.write_launched(&task)?;
        self.task = Some(task.clone());
        let plan = Plan::of(&task);
        self.say(Outgoing::Launched(Box::new(task)));
        let (leave, mut heard) = (self.leave.clone(), VecDeque::new());
        let launched = self.feed(Input::Launch(plan));
        tokio::pin!(launched);
        loop {
            tokio::select! {
                biased;
                () = &mut launched => return Ok(heard),
                Some(word) = poll_fn(&mut hear), if heard.len() < MOST_HEARD => {
                    leave.send_if_modified(|leaves| ends(&word) && !std::mem::replace(leaves, true));
                    heard.push_back(word);
                }
            }
        }
    }

    pub(crate) fn task(&self) -> Option<&TaskInfo> {
        self.task.as_ref()
    }

    pub(crate) fn last_state(&self) -> Option<TaskState> {
        self.journal.history().last.as_ref().map(TaskStatus::state)
    }

    pub(crate) fn state(&self) -> &StateDirectory {
        &self.state
    }

    /// Leaves its directory to somebody else.
    pub(crate) fn into_state(self) -> StateDirectory {
        self.state
    }

    /// Fails the task, which was never launched.
    pub(crate) fn fail(&self, task: &TaskInfo, why: String) {
        fail(&self.agent, &self.config.executor_id, task.clone(), why);
    }

    /// Set once there is nothing left to do.
    pub(crate) fn exit(&self) -> Option<ExitStatus> {
        self.exit
    }

    /// Waits for what happens next. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Happening {
        let Runner { lifecycle, container, memory, checking, .. } = self;
        tokio::select! {
            biased;
            ending = ended(container.as_ref()) => Happening::ContainerEnded(ending),
            () = ran_out(memory.as_mut()) => Happening::MemoryRanOut,
            () = sleep_until(lifecycle.wake_at()) => Happening::Time,
            event = attempt(checking.monitor.as_mut()) => Happening::Attempt(Box::new(event)),
        }
    }

    pub(crate) async fn take(&mut self, happening: Happening) {
        match happening {
            Happening::ContainerEnded(ending) => {
                self.container = None;
                if matches!(ending, Ending::Unknown(_)) {
                    processes::end_strays(&self.shared.shim_command).await;
                }
                let exited = self.exited(ending);
                self.feed(exited).await;
            }
            Happening::MemoryRanOut => self.feed(Input::OutOfMemory).await,
            Happening::Attempt(event) => self.attempted(&event).await,
            Happening::Time => self.feed(Input::Tick).await,
        }
    }

    /// The end of the task's processes, by what is known of its memory.
    fn exited(&mut self, ending: Ending) -> Input {
        self.state.forget_changes();
        Input::Exited(match self.memory.take() {
            Some(memory) => memory.ended(ending),
            None => ending,
        })
    }

    async fn attempted(&mut self, event: &checks::Event) {
        if self.is_void(event).await {
            return;
        }
        let input = self.checking.monitor.as_mut().and_then(|monitor| monitor.take(event));
        if let Some(input) = input {
            self.feed(input).await;
        }
        // Last, so that a failure that was counted was also reported.
        if let Some(monitor) = &mut self.checking.monitor {
            monitor.save_changes();
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
                self.killing(&kill);
            }
            inputs.extend(self.perform(actions).await);
        }
    }

    /// On file before the task hears of it: for a successor, and for the shim.
    fn killing(&mut self, kill: &Kill) {
        self.keep(|journal| journal.killing(kill));
        self.give_grace(kill);
    }

    fn give_grace(&self, kill: &Kill) {
        let written = kill.grace_until().map_or(Ok(()), |until| self.state.shim().write_grace(until.since_boot()));
        if let Err(error) = written {
            tracing::error!(executor = self.config.executor_id, %error, "the grace ends with the task's main process");
        }
    }

    async fn perform(&mut self, actions: Vec<Action>) -> Vec<Input> {
        let mut next = Vec::new();
        for action in actions {
            match action {
                Action::Update(update) => self.update(update),
                Action::Spawn => next = self.spawn().await,
                Action::StartChecks => self.start_checks().await,
                Action::PauseChecks => self.checking.monitor.iter().for_each(Monitor::pause),
                Action::StopChecks => self.stop_checks().await,
                Action::Signal(signal) => self.signal(signal),
                Action::Exit(exit) => {
                    self.state.cleared().await;
                    self.exit = Some(exit);
                }
            }
        }
        next
    }

    /// Ends the checks; what they were is kept for the last update.
    async fn stop_checks(&mut self) {
        if self.task.as_ref().is_some_and(TaskInfo::explained) {
            self.checking.past = self.histories().await;
        }
        self.checking.monitor = None;
    }

    fn update(&mut self, update: Update) {
        let end = if update.is_terminal() { self.end(update.exit) } else { None };
        let Some(task) = &self.task else { return };
        let container = self.container.as_ref().filter(|_| !is_terminal(update.state));
        let process = container.and_then(|container| container.process()).map(|process| process.pid);
        let runs = update.state == TaskState::TaskRunning;
        let own = container.and_then(|container| container.status(task));
        let status = TaskStatus {
            container_status: self.group.as_ref().map(|sandbox| sandbox.status(process)).or(own),
            data: if runs { self.container.as_mut().and_then(Container::take_told) } else { None },
            end,
            ..status(&task.task_id, &self.config.executor_id, update, time_of_day())
        };
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

pub(crate) fn fail(agent: &mpsc::UnboundedSender<Outgoing>, executor_id: &str, task: TaskInfo, why: String) {
    let failed = Update { message: Some(why), ..Update::fresh(TaskState::TaskFailed, &Plan::of(&task)) };
    let status = status(&task.task_id, executor_id, failed, time_of_day());
    // The subscription outlives the executor's last word, or has ended because the agent is lost.
    let _nobody_hears = agent.send(Outgoing::Launched(Box::new(task)));
    let _nobody_hears = agent.send(Outgoing::Update(Box::new(status)));
}

async fn ended(container: Option<&Container>) -> Ending {
    match container {
        Some(container) => container.ended().await,
        None => std::future::pending().await,
    }
}

async fn ran_out(memory: Option<&mut Memory>) {
    match memory {
        Some(memory) => memory.ran_out().await,
        None => std::future::pending().await,
    }
}

async fn attempt(monitor: Option<&mut Monitor>) -> checks::Event {
    match monitor {
        Some(monitor) => monitor.next().await,
        None => std::future::pending().await,
    }
}
