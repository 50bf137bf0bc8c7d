//! What the operator has set, where the core is concerned.

use std::time::Duration;

use crate::executor::ExecutorCommand;

/// See the module.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What starts Cygnet's executor, where the agents' own shall not be used.
    pub executor_command: Option<ExecutorCommand>,
    /// How long a task may be launched and not run.
    pub task_launch_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { executor_command: None, task_launch_timeout: Duration::from_secs(300) }
    }
}
