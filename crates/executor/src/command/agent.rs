//! What the agent says, and what that means for the life of the task.

use std::time::Duration;

use mesos::v1::executor::{Event, event};
use mesos::v1::framework_info::capability::Type as Capability;
use mesos::v1::{FrameworkInfo, TaskId, TaskInfo, TaskState};

use super::CommandExecutor;
use super::recovery::is_over;
use crate::clock::time_of_day;
use crate::error::ExecutorError;
use crate::lifecycle::{Input, Plan, Update, duration};
use crate::status::status;
use crate::subscription::Outgoing;

impl CommandExecutor {
    /// Takes one event. An error means that a task cannot be launched at all.
    pub(super) async fn heard(&mut self, event: Event) -> Result<(), ExecutorError> {
        use event::Type;
        match (event.r#type(), event) {
            (Type::Subscribed, Event { subscribed: Some(subscribed), .. }) => {
                self.subscribed(subscribed.framework_info).await
            }
            (Type::Launch, Event { launch: Some(launch), .. }) => self.launch(launch.task).await?,
            (Type::LaunchGroup, _) => {
                tracing::error!("a command executor cannot run task groups");
                self.feed(Input::Shutdown).await;
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
            }
            (kind, _) => tracing::debug!(?kind, "nothing to do for an event"),
        }
        Ok(())
    }

    async fn subscribed(&mut self, framework: FrameworkInfo) {
        let killing_state =
            framework.capabilities.iter().any(|capability| capability.r#type() == Capability::TaskKillingState);
        if let Err(error) = self.state.write_framework(&framework) {
            tracing::error!(%error, "a successor would not know the framework");
        }
        self.framework = Some(framework);
        self.feed(Input::Subscribed { killing_state }).await;
    }

    async fn launch(&mut self, task: TaskInfo) -> Result<(), ExecutorError> {
        if let Some(own) = &self.task {
            if own.task_id == task.task_id {
                tracing::warn!(task = task.task_id.value, "the task was launched already");
                return Ok(());
            }
            self.reject(task);
            return Ok(());
        }
        self.state.write_launched(&task)?;
        self.task = Some(task.clone());
        let plan = Plan::of(&task);
        self.say(Outgoing::Launched(Box::new(task)));
        self.feed(Input::Launch(plan)).await;
        Ok(())
    }

    /// Fails a second task; it never touches the first one's life.
    fn reject(&self, task: TaskInfo) {
        let message = Some("A command executor runs one task only, and has it".to_owned());
        let failed = Update { message, ..Update::fresh(TaskState::TaskFailed, &Plan::of(&task)) };
        let status = status(&task.task_id, &self.config.executor_id, failed, time_of_day());
        self.say(Outgoing::Launched(Box::new(task)));
        self.say(Outgoing::Update(Box::new(status)));
    }

    async fn kill(&mut self, task: &TaskId, grace: Option<Duration>) {
        if self.task.as_ref().is_some_and(|own| own.task_id != *task) {
            tracing::warn!(task = task.value, "asked to kill a task of somebody else");
            return;
        }
        self.feed(Input::Kill { grace }).await;
    }

    async fn acknowledged(&mut self, uuid: Vec<u8>) {
        self.keep(|journal| journal.acknowledged(uuid));
        if is_over(&self.journal) {
            self.feed(Input::TerminalAcknowledged).await;
        }
    }
}
