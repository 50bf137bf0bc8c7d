//! Goes on with a task that an earlier process launched.

use mesos::v1::framework_info::capability::Type as Capability;
use mesos::v1::{FrameworkInfo, TaskInfo, TaskStatus};
use processes::End;
use processes::contained::{LOST, recover};

use super::Runner;
use super::container::Container;
use super::memory::Memory;
use crate::clock::Moment;
use crate::docker::is_dockers;
use crate::error::ExecutorError;
use crate::life::{Action, Ending, Input, Lifecycle, Past, Plan, Update};
use crate::wire::Unacknowledged;

impl Runner {
    /// Goes on with the task of an earlier process, if there was one, and finds out what became of it meanwhile.
    pub(crate) async fn recover(&mut self) -> Result<(), ExecutorError> {
        match self.state.launched()? {
            Some((task, at)) => self.go_on_with(task, at).await,
            None => Ok(()),
        }
    }

    async fn go_on_with(&mut self, task: TaskInfo, launched: Moment) -> Result<(), ExecutorError> {
        let history = self.journal.history().clone();
        let last = history.last.as_ref().map(Update::of);
        let past = Past { plan: Plan::of(&task), last, kill: history.kill, term_sent: history.term_sent, launched };
        self.task = Some(task);
        let starting = past.last.as_ref().is_none_or(Update::is_starting);
        let over = past.last.as_ref().is_some_and(Update::is_terminal);
        let (lifecycle, actions) = Lifecycle::resume(self.config.shutdown_grace, past);
        self.lifecycle = lifecycle;
        if let Some(framework) = &self.framework {
            self.lifecycle.know_framework(killing_state(framework));
        }
        if over {
            return Ok(());
        }
        self.task.iter().for_each(|task| self.state.tell_of_damage(task));
        let cannot = ExecutorError::file("use", self.config.state_directory.clone());
        if self.task.as_ref().is_some_and(is_dockers) {
            self.go_on_with_docker(starting, actions).await;
            return Ok(());
        }
        let found = recover(self.state.path()).await.map_err(cannot)?;
        self.memory = Memory::again(&self.config);
        tracing::info!(executor = self.config.executor_id, ?found, "going on where an earlier executor stopped");
        match found {
            Ok(shim) => self.go_on(Container::Shim(shim), starting, actions).await,
            Err(End::NotStarted(why)) if starting => {
                self.state.forget_changes();
                self.feed(Input::SpawnFailed(why)).await;
            }
            Err(End::NotStarted(_)) => self.feed(Input::Exited(Ending::Unknown(LOST.to_owned()))).await,
            Err(end) => self.began_and_ended(starting, end.into()).await,
        }
        Ok(())
    }

    pub(super) async fn go_on(&mut self, container: Container, starting: bool, actions: Vec<Action>) {
        self.container = Some(container);
        self.memory.iter_mut().for_each(Memory::watch);
        // The shim has it from a file, which may be damaged.
        self.lifecycle.kill().iter().for_each(|kill| self.give_grace(kill));
        self.perform(actions).await;
        if starting {
            self.feed(Input::Spawned).await;
        }
    }

    pub(super) async fn began_and_ended(&mut self, starting: bool, ending: Ending) {
        if starting {
            self.feed(Input::Spawned).await;
        }
        let exited = self.exited(ending);
        self.feed(exited).await;
    }

    /// The agent has the terminal update.
    pub(crate) fn is_over(&self) -> bool {
        let history = self.journal.history();
        let acknowledged = |last: &TaskStatus| !history.unacknowledged.iter().any(|status| status.uuid == last.uuid);
        history.last.as_ref().is_some_and(|last| Update::of(last).is_terminal() && acknowledged(last))
    }

    /// The content of the first subscription: updates, and the task if the agent does not know of it.
    pub(crate) fn unacknowledged(&self) -> Result<Unacknowledged, ExecutorError> {
        let history = self.journal.history();
        let task = self.state.launched()?.map(|(task, _)| task).filter(|_| !history.known);
        Ok(Unacknowledged::new(history.unacknowledged.clone(), task.into_iter().collect()))
    }
}

/// True if a framework wants to hear of `TASK_KILLING`.
pub(crate) fn killing_state(framework: &FrameworkInfo) -> bool {
    framework.is_capable_of(Capability::TaskKillingState)
}
