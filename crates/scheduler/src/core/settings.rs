//! What the operator has set, where the core is concerned.

use std::time::Duration;

use crate::definition::RunSpec;
use crate::executor::ExecutorCommand;

/// See the module.
#[derive(Debug)]
pub(super) struct Settings {
    /// The role whose resources are used for apps that name none.
    pub role: String,
    /// What starts Cygnet's executor, where the agents' own shall not be used.
    pub executor_command: Option<ExecutorCommand>,
    /// How long a task may be launched and not run.
    pub task_launch_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { role: "*".into(), executor_command: None, task_launch_timeout: Duration::from_secs(300) }
    }
}

impl Settings {
    /// The role whose resources an app uses.
    pub(super) fn role_of<'a>(&'a self, app: &'a RunSpec) -> &'a str {
        app.role.as_deref().unwrap_or(&self.role)
    }
}
