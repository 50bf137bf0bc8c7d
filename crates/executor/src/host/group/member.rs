//! One task of a group, as a tokio task of its own, so that a thousand checks of one do not wake the others.
//!
//! In: [`Command`]s of the executor. Out: [`Report`]s to it, and updates to the agent. It ends when everything about its
//! task was said and heard, or when nobody gives commands any more.

use std::collections::VecDeque;

use mesos::v1::{TaskId, TaskInfo, TaskState};
use tokio::sync::mpsc;

use crate::life::ExitStatus;
use crate::runner::{Command, Runner};

#[derive(Debug)]
pub(super) enum Report {
    /// The task has ended like this; its last update is on its way.
    Ended(TaskId, TaskState),
    /// Nothing is left to be said of it.
    Gone(TaskId, ExitStatus),
}

/// A member that is about to live.
pub(super) struct Begin {
    pub(super) runner: Runner,
    pub(super) task: TaskInfo,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) reports: mpsc::UnboundedSender<Report>,
}

impl Begin {
    /// Its whole life; what is done between waits has its memory on the heap while it lasts.
    pub(super) async fn live(mut self) {
        let id = self.task.task_id.clone();
        let mut held = if self.runner.task().is_none() { Box::pin(self.launch()).await } else { VecDeque::new() };
        let mut ended = false;
        loop {
            if let Some(state) = self.runner.last_state().filter(|state| mesos::states::is_terminal(*state) && !ended) {
                ended = true;
                self.report(Report::Ended(id.clone(), state));
            }
            if let Some(exit) = self.runner.exit() {
                return self.report(Report::Gone(id, exit));
            }
            tokio::select! {
                biased;
                command = next(&mut held, &mut self.commands) => match command {
                    Some(command) => Box::pin(self.runner.obey(command)).await,
                    None => return,
                },
                happening = self.runner.next() => Box::pin(self.runner.take(happening)).await,
            }
        }
    }

    /// Launches the task, and gives the commands that came meanwhile.
    async fn launch(&mut self) -> VecDeque<Command> {
        let Begin { runner, task, commands, .. } = self;
        let launched = runner.launch(task.clone(), |context| commands.poll_recv(context), Command::ends).await;
        launched.unwrap_or_else(|error| {
            tracing::error!(task = task.task_id.value, %error, "cannot launch a task of a group");
            runner.fail(task, format!("Cannot launch the task: {error}"));
            VecDeque::new()
        })
    }

    fn report(&self, report: Report) {
        let _executor_gone = self.reports.send(report);
    }
}

async fn next(held: &mut VecDeque<Command>, commands: &mut mpsc::UnboundedReceiver<Command>) -> Option<Command> {
    match held.pop_front() {
        Some(command) => Some(command),
        None => commands.recv().await,
    }
}
