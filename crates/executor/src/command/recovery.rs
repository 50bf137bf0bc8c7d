//! Goes on with a task that an earlier process launched.

use mesos::v1::{TaskInfo, TaskStatus};

use super::CommandExecutor;
use crate::clock::{Moment, now};
use crate::error::ExecutorError;
use crate::journal::Journal;
use crate::lifecycle::{Action, Ending, Input, Lifecycle, Past, Plan, Update};
use crate::supervisor::{Found, Supervisor, find};
use crate::updates::Unacknowledged;

impl CommandExecutor {
    /// Finds out what became of the task meanwhile.
    pub(super) async fn recover(&mut self, task: TaskInfo, launched: Moment) -> Result<(), ExecutorError> {
        let history = self.journal.history().clone();
        let past =
            Past { plan: Plan::of(&task), last: history.last.as_ref().map(Update::of), kill: history.kill, launched };
        self.task = Some(task);
        let starting = past.last.as_ref().is_none_or(Update::is_starting);
        let over = past.last.as_ref().is_some_and(Update::is_terminal);
        let (lifecycle, actions) = Lifecycle::resume(self.config.shutdown_grace, past, now());
        self.lifecycle = lifecycle;
        if over {
            return Ok(());
        }
        let cannot = ExecutorError::file("use", self.config.state_directory.clone());
        let found = find(self.state.shim(), self.config.mark()).await.map_err(cannot)?;
        tracing::info!(executor = self.config.executor_id, ?found, "going on where an earlier executor stopped");
        match found {
            Found::Alive(shim) => self.go_on(shim, starting, actions).await,
            Found::NeverStarted(why) if starting => self.feed(Input::SpawnFailed(why)).await,
            Found::NeverStarted(why) => self.feed(Input::Exited(Ending::Unknown(why))).await,
            Found::Over(ending) => self.began_and_ended(starting, ending).await,
        }
        Ok(())
    }

    async fn go_on(&mut self, shim: Supervisor, starting: bool, actions: Vec<Action>) {
        self.shim = Some(shim);
        self.perform(actions).await;
        if starting {
            self.feed(Input::Spawned).await;
        }
    }

    async fn began_and_ended(&mut self, starting: bool, ending: Ending) {
        if starting {
            self.feed(Input::Spawned).await;
        }
        self.feed(Input::Exited(ending)).await;
    }
}

/// The agent has the terminal update.
pub(super) fn is_over(journal: &Journal) -> bool {
    let history = journal.history();
    let acknowledged = |last: &TaskStatus| !history.unacknowledged.iter().any(|status| status.uuid == last.uuid);
    history.last.as_ref().is_some_and(|last| Update::of(last).is_terminal() && acknowledged(last))
}

/// What the agent must be told with the first subscription.
pub(super) fn unacknowledged(journal: &Journal, task: Option<&TaskInfo>) -> Unacknowledged {
    let history = journal.history();
    let tasks = task.filter(|_| !history.known).cloned().into_iter().collect();
    Unacknowledged::new(history.unacknowledged.clone(), tasks)
}
