//! The reasons why an agent did not answer, with the agent's name in each.

use std::time::Duration;

use mesos::client::ClientError;

use super::Agent;

/// An agent, and what is wrong with asking it.
#[derive(Debug, thiserror::Error)]
#[error("{agent} {problem}")]
pub(crate) struct AgentError {
    agent: Agent,
    #[source]
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("cannot be found, since no master tells where it is: {0}")]
    Master(ClientError),
    #[error("is not among those that the master knows: it is away, or was removed")]
    Unknown,
    #[error("cannot be asked: {0}")]
    Client(ClientError),
    #[error("answered something else than it was asked")]
    Answer,
    #[error("did not answer within {0:?}")]
    Late(Duration),
    #[error("tells nothing of the task {task}: {message}")]
    Untold { task: String, status: u16, message: String },
    #[error("runs the task {0} with an executor that makes no checks when it is asked: it is of another version")]
    Deaf(String),
    #[error("is asked for too much at a time")]
    Busy,
    #[error("has the sandbox of the task {0} no more")]
    NoSandbox(String),
}

impl Agent {
    pub(crate) fn fault(&self, problem: Problem) -> AgentError {
        AgentError { agent: self.clone(), problem }
    }
}

impl AgentError {
    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    pub(crate) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// True if master or agent did not answer in time.
    pub(crate) fn is_late(&self) -> bool {
        match &self.problem {
            Problem::Master(error) | Problem::Client(error) => {
                matches!(error, ClientError::ReplyTimeout { .. } | ClientError::ConnectTimeout { .. })
            }
            Problem::Late(_) | Problem::Untold { status: 504, .. } => true,
            _ => false,
        }
    }

    /// True if it may be otherwise a moment later, as when an agent or a master starts again.
    pub(crate) fn may_pass(&self) -> bool {
        match &self.problem {
            Problem::Unknown | Problem::Late(_) | Problem::Busy => true,
            Problem::Master(error) | Problem::Client(error) => !matches!(error, ClientError::Refused { .. }),
            Problem::Answer | Problem::Deaf(_) | Problem::Untold { .. } | Problem::NoSandbox(_) => false,
        }
    }
}
