//! One task of a group, as a tokio task of its own, so that a thousand checks of one do not wake the others.
//!
//! In: [`Command`]s of the executor. Out: [`Report`]s to it, and updates to the agent. It ends when everything about its
//! task was said and heard, or when nobody gives commands any more.

use std::sync::Arc;
use std::time::Duration;

use mesos::v1::{FrameworkInfo, TaskId, TaskInfo, TaskState};
use tokio::sync::mpsc;

use crate::life::ExitStatus;
use crate::runner::Runner;

/// How long a task may take to end because another one of its group has: that is Mesos' own, whatever the task says.
const GROUP_GRACE: Duration = Duration::from_secs(3);

/// A command to a member.
#[derive(Clone, Debug)]
pub(super) enum Command {
    /// The agent was heard of.
    Subscribed(Arc<FrameworkInfo>),
    /// The agent is away.
    Disconnected,
    /// End the task.
    Kill {
        /// Unless it has its own, or ends already.
        grace: Option<Duration>,
    },
    /// Another task of the group failed or was killed.
    GroupDied,
    /// The executor has to end.
    Shutdown,
    /// The executor has to end, and nobody hears what it says.
    Abandoned,
    /// The agent has an update.
    Acknowledged(Vec<u8>),
}

/// A report of a member.
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
        if self.runner.task().is_none()
            && let Err(error) = Box::pin(self.runner.launch(self.task.clone())).await
        {
            tracing::error!(task = id.value, %error, "cannot launch a task of a group");
            self.runner.fail(&self.task, format!("Cannot launch the task: {error}"));
        }
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
                command = self.commands.recv() => match command {
                    Some(command) => Box::pin(self.obey(command)).await,
                    None => return,
                },
                happening = self.runner.next() => Box::pin(self.runner.take(happening)).await,
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Subscribed(framework) => self.runner.subscribed(framework).await,
            Command::Disconnected => self.runner.disconnected().await,
            Command::Kill { grace } => self.runner.kill(grace).await,
            Command::GroupDied if self.runner.is_being_killed() => {}
            Command::GroupDied => self.runner.kill(Some(GROUP_GRACE)).await,
            Command::Shutdown => self.runner.shut_down().await,
            Command::Abandoned => self.runner.abandoned().await,
            Command::Acknowledged(uuid) => self.runner.acknowledged(uuid).await,
        }
    }

    fn report(&self, report: Report) {
        let _executor_gone = self.reports.send(report);
    }
}
