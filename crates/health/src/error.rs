//! The problems of a check that makes no sense. The texts end up in the TASK_FAILED of its task.

use std::error::Error;

/// The check of a task that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCheck {
    /// `TaskInfo.check`
    #[error("Task uses invalid check: {0}")]
    Check(Problem),
    /// One of its health checks.
    #[error("Task uses invalid health check{}: {problem}", described(.name))]
    HealthCheck {
        /// Its name, if it has one.
        name: Option<String>,
        /// The problem with it.
        problem: Problem,
    },
}

/// A problem of a check.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The message is none that Mesos accepts.
    #[error(transparent)]
    Message(#[from] mesos::validate::Invalid),
    /// The engine does not accept what the message says.
    #[error(transparent)]
    Spec(#[from] checks::SpecError),
    /// The command cannot be run where the task runs.
    #[error("{0}")]
    Command(Box<dyn Error + Send + Sync>),
    /// The field that its type names is not set.
    #[error("the check has nothing of its type")]
    Empty,
    /// Not a number of seconds that can be waited for.
    #[error("'{field}' is {value}, which is no duration")]
    Duration {
        /// The field.
        field: &'static str,
        /// In seconds.
        value: f64,
    },
    /// More than 65535.
    #[error("there is no port {0}")]
    Port(u32),
    /// A name, or nonsense.
    #[error("'{field}' is '{text}', which is no IP address")]
    Address {
        /// The field.
        field: &'static str,
        /// Its text.
        text: String,
    },
    /// No status of HTTP.
    #[error("there is no status {0}")]
    Status(u32),
    /// None of the three, or several.
    #[error("an expectation must have exactly one of 'contains', 'matches' and 'json_path'")]
    Expectation,
}

fn described(name: &Option<String>) -> String {
    name.as_ref().map(|name| format!(" '{name}'")).unwrap_or_default()
}
