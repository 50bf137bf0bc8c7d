//! The command executor: one task, with the sandbox and the life of its executor.
//!
//! One tokio task runs [`CommandExecutor::live`] and owns the [`Runner`]; a second one, the subscription, owns the
//! connection. As long as it has no task, it may turn out to be a default executor: then it gives back the group.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Context;

use mesos::v1::executor::event;
use mesos::v1::{TaskGroupInfo, TaskInfo};

use super::{Asked, Ends};
use crate::config::ExecutorConfig;
use crate::error::ExecutorError;
use crate::life::ExitStatus;
use crate::runner::{Command, Happening, Runner, fail};
use crate::task::with_command;

/// One logical executor with one task, or none yet.
#[derive(Debug)]
pub(crate) struct CommandExecutor {
    config: Arc<ExecutorConfig>,
    runner: Runner,
    ends: Ends,
    /// The words of the agent that came while the task was being started.
    held: VecDeque<Asked>,
    /// The subscription, the last one.
    subscribed: Option<event::Subscribed>,
}

/// Its end.
pub(crate) enum Left {
    /// With its task, or without ever having had one.
    Done(ExitStatus),
    /// The agent gave it a group of tasks: it is a default executor.
    Group(TaskGroupInfo, Box<CommandExecutor>),
}

enum Turn {
    Agent(Asked),
    Task(Happening),
}

impl CommandExecutor {
    pub(crate) fn new(config: Arc<ExecutorConfig>, runner: Runner, ends: Ends) -> CommandExecutor {
        CommandExecutor { config, runner, ends, held: VecDeque::new(), subscribed: None }
    }

    /// Hands over to an executor of groups.
    pub(crate) fn into_parts(self) -> (Arc<ExecutorConfig>, Runner, Ends, Option<event::Subscribed>) {
        (self.config, self.runner, self.ends, self.subscribed)
    }

    /// Runs to the end. Nearly all of that is waiting, and there are thousands: what is done in between has its memory on
    /// the heap while it lasts.
    pub(crate) async fn live(mut self: Box<Self>) -> Result<Left, ExecutorError> {
        loop {
            if let Some(exit) = self.runner.exit() {
                return Ok(Left::Done(exit));
            }
            match self.next().await {
                Turn::Task(happening) => Box::pin(self.runner.take(happening)).await,
                Turn::Agent(Asked::LaunchGroup(group)) if self.runner.task().is_none() => {
                    return Ok(Left::Group(group, self));
                }
                Turn::Agent(asked) => Box::pin(self.heard(asked)).await?,
            }
        }
    }

    async fn next(&mut self) -> Turn {
        if let Some(asked) = self.held.pop_front() {
            return Turn::Agent(asked);
        }
        tokio::select! {
            Some(said) = self.ends.events.recv() => Turn::Agent(said.into()),
            happening = self.runner.next() => Turn::Task(happening),
        }
    }

    /// Takes one word of the agent. An error means that a task cannot be launched at all.
    async fn heard(&mut self, asked: Asked) -> Result<(), ExecutorError> {
        match asked {
            Asked::Subscribed(subscribed) => {
                let framework = Arc::new(subscribed.framework_info.clone());
                self.runner.state().remember_framework(&framework);
                self.runner.obey(Command::Subscribed(framework)).await;
                self.subscribed = Some(*subscribed);
            }
            Asked::Launch(task) => self.launch(*task).await?,
            Asked::LaunchGroup(_) => {
                tracing::error!("an executor that was given a single task cannot run task groups");
                self.runner.obey(Command::Shutdown).await;
            }
            Asked::Obey(Some(task), Command::Kill { .. })
                if self.runner.task().is_some_and(|own| own.task_id != task) =>
            {
                tracing::warn!(task = task.value, "asked to kill a task of somebody else");
            }
            Asked::Obey(_, command) => self.runner.obey(command).await,
            Asked::Nothing => {}
        }
        Ok(())
    }

    async fn launch(&mut self, task: TaskInfo) -> Result<(), ExecutorError> {
        match self.runner.task().map(|own| own.task_id == task.task_id) {
            Some(true) => tracing::warn!(task = task.task_id.value, "the task was launched already"),
            Some(false) => {
                // It never touches the first one's life.
                let why = "Attempted to run multiple tasks using a \"command\" executor".to_owned();
                fail(&self.ends.agent, &self.config.executor_id, task, why);
            }
            None => {
                let (id, events) = (task.task_id.clone(), &mut self.ends.events);
                let hear = |context: &mut Context<'_>| events.poll_recv(context).map(|said| said.map(Asked::from));
                self.held = self.runner.launch(with_command(task), hear, |asked| asked.ends(&id)).await?;
            }
        }
        Ok(())
    }
}
