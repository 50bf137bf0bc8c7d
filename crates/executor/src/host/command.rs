//! The command executor: one task, with the sandbox and the life of its executor.
//!
//! One tokio task runs [`CommandExecutor::live`] and owns the [`Runner`]; a second one, the subscription, owns the
//! connection. As long as it has no task, it may turn out to be a default executor: then it gives back the group.

use std::sync::Arc;
use std::time::Duration;

use mesos::v1::executor::event::{self, Content};
use mesos::v1::{FrameworkInfo, TaskGroupInfo, TaskId, TaskInfo};
use tokio::sync::mpsc;

use crate::config::ExecutorConfig;
use crate::error::ExecutorError;
use crate::life::{ExitStatus, duration};
use crate::runner::{Happening, Runner, fail};
use crate::task::with_command;
use crate::wire::{Incoming, Outgoing};

/// One logical executor with one task, or none yet.
#[derive(Debug)]
pub(crate) struct CommandExecutor {
    pub(crate) config: Arc<ExecutorConfig>,
    pub(crate) runner: Runner,
    pub(crate) agent: mpsc::UnboundedSender<Outgoing>,
    pub(crate) events: mpsc::Receiver<Incoming>,
    /// The subscription, the last one.
    pub(crate) subscribed: Option<event::Subscribed>,
}

/// How it ends.
pub(crate) enum Left {
    /// With its task, or without ever having had one.
    Done(ExitStatus),
    /// The agent gave it a group of tasks: it is a default executor.
    Group(TaskGroupInfo, Box<CommandExecutor>),
}

enum Turn {
    Agent(Incoming),
    Task(Happening),
}

impl CommandExecutor {
    /// Runs to the end. Nearly all of that is waiting, and there are thousands: what is done in between has its memory on
    /// the heap while it lasts.
    pub(crate) async fn live(mut self: Box<Self>) -> Result<Left, ExecutorError> {
        loop {
            if let Some(exit) = self.runner.exit() {
                return Ok(Left::Done(exit));
            }
            match self.next().await {
                Turn::Task(happening) => Box::pin(self.runner.take(happening)).await,
                Turn::Agent(Incoming::Away) => Box::pin(self.runner.disconnected()).await,
                Turn::Agent(Incoming::Lost) => Box::pin(self.runner.abandoned()).await,
                Turn::Agent(Incoming::Event(event)) => match *event {
                    Content::LaunchGroup(launch) if self.runner.task().is_none() => {
                        return Ok(Left::Group(launch.task_group, self));
                    }
                    event => Box::pin(self.heard(event)).await?,
                },
            }
        }
    }

    async fn next(&mut self) -> Turn {
        tokio::select! {
            Some(said) = self.events.recv() => Turn::Agent(said),
            happening = self.runner.next() => Turn::Task(happening),
        }
    }

    /// Takes one event. An error means that a task cannot be launched at all.
    async fn heard(&mut self, event: Content) -> Result<(), ExecutorError> {
        match event {
            Content::Subscribed(subscribed) => self.subscribed(subscribed).await,
            Content::Launch(launch) => self.launch(launch.task).await?,
            Content::LaunchGroup(_) => {
                tracing::error!("an executor that was given a single task cannot run task groups");
                self.runner.shut_down().await;
            }
            Content::Kill(kill) => {
                let grace = kill.kill_policy.and_then(|policy| policy.grace_period);
                self.kill(&kill.task_id, grace.as_ref().map(duration)).await;
            }
            Content::Acknowledged(event) => self.runner.acknowledged(event.uuid).await,
            Content::Shutdown => self.runner.shut_down().await,
            Content::Error(error) => tracing::error!(error = error.message, "the agent reports an error"),
            content => tracing::debug!(kind = ?content.kind(), "nothing to do for an event"),
        }
        Ok(())
    }

    async fn subscribed(&mut self, subscribed: event::Subscribed) {
        let framework: Arc<FrameworkInfo> = Arc::new(subscribed.framework_info.clone());
        self.runner.remember_framework(&framework);
        self.runner.subscribed(framework).await;
        self.subscribed = Some(subscribed);
    }

    async fn launch(&mut self, task: TaskInfo) -> Result<(), ExecutorError> {
        match self.runner.task().map(|own| own.task_id == task.task_id) {
            Some(true) => tracing::warn!(task = task.task_id.value, "the task was launched already"),
            Some(false) => {
                // It never touches the first one's life.
                let why = "Attempted to run multiple tasks using a \"command\" executor".to_owned();
                fail(&self.agent, &self.config.executor_id, task, why);
            }
            None => self.runner.launch(with_command(task)).await?,
        }
        Ok(())
    }

    async fn kill(&mut self, task: &TaskId, grace: Option<Duration>) {
        if self.runner.task().is_some_and(|own| own.task_id != *task) {
            tracing::warn!(task = task.value, "asked to kill a task of somebody else");
            return;
        }
        self.runner.kill(grace).await;
    }
}
