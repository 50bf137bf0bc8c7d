//! From a task to everything that is needed to run it: the shim's spec, and how the commands of its checks run.

use std::path::{Path, PathBuf};

use checks::spec::{Command, CommandProbe};
use containers::cgroup::Assignment;
use containers::rlimits;
use health::Problem;
use mesos::command::SHELL_IN_PATH;
use mesos::v1::{CommandInfo, FrameworkInfo, TaskInfo};
use processes::{Birthplace, Confinement, Credentials, Logged, Logs, Program, UserError};

use crate::config::{ExecutorConfig, Variables};
use crate::task::{self, Unrunnable};

/// The environment and the user of a task.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) environment: Variables,
    pub(crate) user: Option<Credentials>,
    pub(crate) birthplace: Option<Birthplace>,
    pub(crate) confinement: Option<Confinement>,
}

impl Prepared {
    /// Works out the environment and the user.
    pub(crate) fn new(
        config: &ExecutorConfig,
        framework: Option<&FrameworkInfo>,
        task: &TaskInfo,
    ) -> Result<Prepared, Unrunnable> {
        let look_up = Credentials::to_become;
        let user = if config.switch_user { user_of(framework, task, look_up)? } else { None };
        Prepared::of_user(config, user, task)
    }

    /// Works out the environment for this user, or for the executor's.
    pub(crate) fn of_user(
        config: &ExecutorConfig,
        user: Option<Credentials>,
        task: &TaskInfo,
    ) -> Result<Prepared, Unrunnable> {
        let mut environment = task::environment(&config.task_environment, task)?;
        environment.extend([config.mark()]);
        let cgroup = config.cgroup.as_ref().map(Assignment::cgroup).transpose()?;
        let birthplace = cgroup.map(|cgroup| cgroup.birthplace());
        let confinement = rlimits::confinement(task.container.as_ref())?;
        match user.is_some() && config.state_directory.starts_with(&config.sandbox) {
            true => Err(Unrunnable::ExposedState),
            false => Ok(Prepared { environment, user, birthplace, confinement }),
        }
    }

    pub(crate) fn program(&self, config: &ExecutorConfig, task: &TaskInfo) -> Result<Logged, Unrunnable> {
        let command = task.command.as_ref().ok_or(Unrunnable::NoCommand)?;
        let (path, arguments) = mesos::command::program(command, SHELL_IN_PATH)?;
        let program = Program {
            path,
            arguments,
            environment: self.environment.clone().into_iter().collect(),
            working_directory: config.sandbox.clone(),
            user: self.user.clone(),
            terminal: mesos::command::terminal(task.container.as_ref())?,
            birthplace: self.birthplace.clone(),
            confinement: self.confinement.clone(),
            ..Program::default()
        };
        Ok(Logged { program, logs: Logs::of(&config.sandbox) })
    }

    /// The command of a check: it sees what the task sees, and its own variables above that. A user that it names
    /// counts only with `own_users`.
    pub(crate) fn check(
        &self,
        command: &CommandInfo,
        sandbox: &Path,
        own_users: bool,
    ) -> Result<CommandProbe, Problem> {
        let cannot = |error: Unrunnable| Problem::Command(error.into());
        let own = mesos::command::variables(command.environment.as_ref()).map_err(|error| cannot(error.into()))?;
        let environment = self.environment.clone().into_iter().chain(own).collect::<Variables>();
        let run = match command.shell() {
            true => Command::Shell(command.value().to_owned()),
            false => {
                let (path, argv) =
                    mesos::command::program(command, SHELL_IN_PATH).map_err(|error| cannot(error.into()))?;
                Command::Exec { path: path.display().to_string(), argv }
            }
        };
        let user = match command.user.as_deref().filter(|name| own_users && !name.is_empty()) {
            Some(name) => Some(Credentials::of(name).map_err(|error| cannot(error.into()))?),
            None => self.user.clone(),
        };
        Ok(CommandProbe {
            command: run,
            environment: environment.into_iter().collect(),
            working_directory: Some(sandbox.to_path_buf()),
            // A task may do without its sandbox; Mesos' executor stays in one that was removed.
            fallback_directory: Some(PathBuf::from("/")),
            user,
            birthplace: self.birthplace.clone(),
            confinement: self.confinement.clone(),
        })
    }
}

/// A task that names a user runs as that user or not at all. The user of a framework is often only a name on the
/// machine its scheduler runs on, so one that is unknown here means no switching. A resolver that fails has not said that:
/// the task would run as the executor's user, often root, and does not run.
fn user_of(
    framework: Option<&FrameworkInfo>,
    task: &TaskInfo,
    look_up: impl Fn(&str) -> Result<Option<Credentials>, UserError>,
) -> Result<Option<Credentials>, Unrunnable> {
    let named = |name: &&str| !name.is_empty();
    if let Some(name) = task.command.as_ref().and_then(|command| command.user.as_deref()).filter(named) {
        return Ok(look_up(name)?);
    }
    let Some(name) = framework.map(|framework| framework.user.as_str()).filter(named) else { return Ok(None) };
    match look_up(name) {
        Err(error @ UserError::Unknown(_)) => {
            tracing::warn!(user = name, %error, "the task runs as the executor's user, not as the framework's");
            Ok(None)
        }
        found => Ok(found?),
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use mesos::v1::Environment;
    use mesos::v1::environment::Variable;

    use super::*;

    fn task_of(environment: &[(&str, &str)]) -> Prepared {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Prepared { environment, user: None, birthplace: None, confinement: None }
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
    fn a_resolver_that_fails_is_no_unknown_user() {
        let framework = FrameworkInfo { user: "www".to_owned(), ..FrameworkInfo::default() };
        let command = CommandInfo { user: Some("web".to_owned()), ..CommandInfo::default() };
        let own = TaskInfo { command: Some(command), ..TaskInfo::default() };
        let unknown = |name: &str| Err(UserError::Unknown(name.to_owned()));
        let fails = |name: &str| Err(UserError::Resolver { name: name.to_owned(), source: ErrorKind::TimedOut.into() });
        let said = |found: Result<Option<Credentials>, Unrunnable>| found.map_err(|error| error.to_string());
        let cannot = |name| Err(format!("Cannot start the task: cannot look up the user '{name}': timed out"));
        assert_eq!(said(user_of(Some(&framework), &TaskInfo::default(), unknown)), Ok(None));
        assert_eq!(said(user_of(Some(&framework), &TaskInfo::default(), fails)), cannot("www"));
        let nobody = "No such user 'web' on this machine".to_owned();
        assert_eq!(said(user_of(Some(&framework), &own, unknown)), Err(nobody));
        assert_eq!(said(user_of(Some(&framework), &own, fails)), cannot("web"));
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
