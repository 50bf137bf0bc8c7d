//! The operator's settings, where the core is concerned.

use std::time::Duration;

use crate::brake::BrakeLimits;
use crate::executor::ExecutorCommand;

/// All of them: each goes to the part of the core that goes by it.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The role whose resources are used for apps that name none.
    pub role: String,
    /// The limits on kills for health.
    pub brake: BrakeLimits,
    /// The URLs that events are posted to in any case.
    pub subscribers: Vec<String>,
    /// The container network of those that name none.
    pub default_network_name: Option<String>,
    pub launches: LaunchSettings,
}

/// The settings of launches, which no part of the core has to itself.
#[derive(Debug, Clone)]
pub(crate) struct LaunchSettings {
    /// The command of Cygnet's executor, where the agents' own shall not be used.
    pub executor_command: Option<ExecutorCommand>,
    /// The longest that a task may be launched and not run.
    pub task_launch_timeout: Duration,
    /// The name of the agents' bridge.
    pub mesos_bridge_name: String,
}

#[cfg(test)]
impl Default for Settings {
    fn default() -> Settings {
        Settings {
            role: "*".into(),
            brake: BrakeLimits::default(),
            subscribers: Vec::new(),
            default_network_name: None,
            launches: LaunchSettings {
                executor_command: None,
                task_launch_timeout: Duration::from_secs(300),
                mesos_bridge_name: "mesos-bridge".into(),
            },
        }
    }
}
