//! The operator's settings, where the core is concerned.

use std::time::Duration;

use crate::brake::BrakeLimits;
use crate::executor::ExecutorCommand;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The role whose resources are used for apps that name none.
    pub role: String,
    /// The command of Cygnet's executor, where the agents' own shall not be used.
    pub executor_command: Option<ExecutorCommand>,
    /// The limits on kills for health.
    pub brake: BrakeLimits,
    /// The longest that a task may be launched and not run.
    pub task_launch_timeout: Duration,
    /// The URLs that events are posted to in any case.
    pub subscribers: Vec<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            role: "*".into(),
            executor_command: None,
            brake: BrakeLimits::default(),
            task_launch_timeout: Duration::from_secs(300),
            subscribers: Vec::new(),
        }
    }
}
