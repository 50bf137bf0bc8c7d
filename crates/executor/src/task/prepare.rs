//! From a task to everything that is needed to run it: the shim's spec, and how the commands of its checks run.

use std::path::{Path, PathBuf};

use checks::spec::{Command, CommandProbe, Credentials};
use health::Problem;
use mesos::v1::{CommandInfo, FrameworkInfo, TaskInfo};

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

    /// How the command of a check runs: it sees what the task sees, and its own variables above that. A user that it names
    /// counts only with `own_users`.
    pub(crate) fn check(
        &self,
        command: &CommandInfo,
        sandbox: &Path,
        own_users: bool,
    ) -> Result<CommandProbe, Problem> {
        let cannot = |error: Unrunnable| Problem::Command(error.into());
        let mut environment = self.environment.clone();
        task::overlay(&mut environment, command.environment.as_ref()).map_err(cannot)?;
        let value = command.value.clone().unwrap_or_default();
        let run = match command.shell() {
            true => Command::Shell(value),
            false if command.arguments.is_empty() => Command::Exec { argv: vec![value.clone()], path: value },
            false => Command::Exec { path: value, argv: command.arguments.clone() },
        };
        let user = match command.user.as_deref().filter(|name| own_users && !name.is_empty()) {
            Some(name) => Some(user::known(name).ok_or_else(|| cannot(Unrunnable::NoUser(name.to_owned())))?),
            None => self.user.clone(),
        };
        Ok(CommandProbe {
            command: run,
            environment: environment.into_iter().collect(),
            working_directory: Some(sandbox.to_path_buf()),
            // A task may do without its sandbox; Mesos' executor stays in one that was removed.
            fallback_directory: Some(PathBuf::from("/")),
            user: user.map(|user| Credentials { uid: user.uid, gid: user.gid, groups: user.groups }),
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

#[cfg(test)]
mod tests {
    use mesos::v1::Environment;
    use mesos::v1::environment::Variable;

    use super::*;

    fn task_of(environment: &[(&str, &str)]) -> Prepared {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Prepared { environment, user: None }
    }

    #[test]
    fn a_checks_command_runs_in_the_sandbox_with_the_tasks_variables_under_its_own() {
        let own = Variable { name: "B".to_owned(), value: Some("check".to_owned()), ..Variable::default() };
        let command = CommandInfo {
            shell: Some(false),
            value: Some("probe".to_owned()),
            arguments: vec!["zeroth".to_owned()],
            environment: Some(Environment { variables: vec![own] }),
            ..CommandInfo::default()
        };
        let task = task_of(&[("A", "task"), ("B", "task")]);
        let probe = task.check(&command, Path::new("/sandbox"), false).unwrap();
        assert_eq!(probe.command, Command::Exec { path: "probe".to_owned(), argv: vec!["zeroth".to_owned()] });
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(probe.environment, [pair("A", "task"), pair("B", "check")]);
        assert_eq!(probe.working_directory.as_deref(), Some(Path::new("/sandbox")));
    }

    #[test]
    fn a_check_of_a_task_of_a_group_may_name_its_user() {
        let user = |name: &str, own_users| {
            let value = Some("true".to_owned());
            let command = CommandInfo { value, user: Some(name.to_owned()), ..CommandInfo::default() };
            let probe = task_of(&[]).check(&command, Path::new("/"), own_users);
            probe.map(|probe| probe.user.map(|user| user.uid)).map_err(|problem| problem.to_string())
        };
        assert_eq!(user("root", true), Ok(Some(0)));
        assert_eq!(user("nobody-here", false), Ok(None), "as for single tasks");
        assert!(user("nobody-here", true).unwrap_err().contains("No such user 'nobody-here'"));
    }
}
