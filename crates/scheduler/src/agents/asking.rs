//! The health checks of a task, made now by its executor, by way of its agent. So much at a time, and nobody waits longer
//! than is said.

use std::time::Duration;

use mesos::client::{ClientError, Timeouts};
use mesos::v1::cygnet::{CheckNow, TaskHistory};
use mesos::v1::{FrameworkId, TaskId};

use super::{Agent, AgentError, Agents, Problem};
use crate::core::Whereabouts;

impl Agents {
    /// Has all checks of a task made. The checks that there are, as they were then, and the question of which new attempts are
    /// the answer; a task without checks has none.
    pub(crate) async fn check_now(&self, task: &Whereabouts, within: Duration) -> Result<TaskHistory, AgentError> {
        let agent = Agent::of(task);
        let _turn = self.0.askers.try_acquire().map_err(|_| agent.fault(Problem::Busy))?;
        match self.in_time(&agent, within, self.have_checked(&agent, task, within)).await? {
            TaskHistory { asked_ms: None, checks, .. } if !checks.is_empty() => {
                Err(agent.fault(Problem::Deaf(task.task_id.clone())))
            }
            told => Ok(told),
        }
    }

    async fn have_checked(
        &self,
        agent: &Agent,
        task: &Whereabouts,
        within: Duration,
    ) -> Result<TaskHistory, AgentError> {
        let client = self.client(agent, Timeouts { connect: within, reply: within }).await?;
        let call = CheckNow {
            framework_id: FrameworkId::from(task.framework_id.as_str()),
            task_id: TaskId::from(task.task_id.as_str()),
        };
        match client.ask("/cygnet/v1/checks", &call).await {
            Ok(told) => Ok(told),
            Err(ClientError::Refused { status, body, .. }) if status.as_u16() != 401 => {
                let message = String::from_utf8_lossy(&body).into_owned();
                let task = task.task_id.clone();
                Err(agent.fault(Problem::Untold { task, status: status.as_u16(), message }))
            }
            Err(error) => {
                self.forget(agent).await;
                Err(agent.fault(Problem::Client(error)))
            }
        }
    }
}
