//! From a task to everything that is needed to run it: the shim's spec and the checks' surroundings.

use mesos::v1::{FrameworkInfo, TaskInfo};

use crate::config::{ExecutorConfig, Variables};
use crate::shim::Spec;
use crate::task::sandbox;
use crate::task::{self, Unrunnable};
use crate::terminal::Terminal;
use crate::user::{self, User};

/// What a task runs with.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) environment: Variables,
    pub(crate) user: Option<User>,
}

impl Prepared {
    /// Works out the environment and the user.
    pub(crate) fn new(
        config: &ExecutorConfig,
        framework: Option<&FrameworkInfo>,
        task: &TaskInfo,
    ) -> Result<Prepared, Unrunnable> {
        let mut environment = task::environment(&config.task_environment, task)?;
        environment.extend([config.mark()]);
        let user = if config.switch_user && user::may_switch() { user_of(framework, task)? } else { None };
        let user = user.filter(|user| !user::is_self(user));
        match user.is_some() && config.state_directory.starts_with(&config.sandbox) {
            true => Err(Unrunnable::ExposedState),
            false => Ok(Prepared { environment, user }),
        }
    }

    /// What the shim is to run.
    pub(crate) fn spec(&self, config: &ExecutorConfig, task: &TaskInfo) -> Result<Spec, Unrunnable> {
        let command = task.command.as_ref().ok_or(Unrunnable::NoCommand)?;
        let program = task::program(command)?;
        Ok(Spec {
            path: program.path,
            arguments: program.arguments,
            environment: self.environment.clone().into_iter().collect(),
            working_directory: config.sandbox.clone(),
            stdout: sandbox::stdout(&config.sandbox),
            stderr: sandbox::stderr(&config.sandbox),
            user: self.user.clone(),
            terminal: Terminal::of(task.container.as_ref())?,
        })
    }
}

/// A task that names a user runs as that user or not at all. The user of a framework is often only a name on the
/// machine its scheduler runs on, so one that is unknown here means no switching.
fn user_of(framework: Option<&FrameworkInfo>, task: &TaskInfo) -> Result<Option<User>, Unrunnable> {
    let named = |name: &&str| !name.is_empty();
    if let Some(name) = task.command.as_ref().and_then(|command| command.user.as_deref()).filter(named) {
        let user = user::look_up(name).ok().flatten();
        return user.map(Some).ok_or_else(|| Unrunnable::NoUser(name.to_owned()));
    }
    let Some(name) = framework.map(|framework| framework.user.as_str()).filter(named) else { return Ok(None) };
    let user = user::look_up(name).ok().flatten();
    if user.is_none() {
        tracing::warn!(user = name, "the framework's user is unknown here; the task runs as the executor's");
    }
    Ok(user)
}
