//! The environments of pools and executors: what Mesos gives an executor, and what Cygnet's own needs beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use containers::logs::{self, VariableError};
use mesos::command::{self, CommandError};
use mesos::duration;
use mesos::v1::{AgentId, ContainerInfo, FrameworkId, FrameworkInfo, executor_info};
use processes::{DEFAULT_PATH, Logged, Logs, Program, Rotations};

use super::ContainedExecutor;
use super::frameworks::Executor;
use super::settings::Settings;
use crate::cgroups;

type Variables = BTreeMap<String, String>;

/// Why an executor cannot be started: its command, which its framework wrote, makes no sense.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableCommand {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Logs(#[from] VariableError),
}

fn set(variables: &mut Variables, name: &str, value: impl ToString) {
    variables.insert(name.to_owned(), value.to_string());
}

fn program((path, arguments): (PathBuf, Vec<String>), variables: Variables, directory: &Path) -> Program {
    let (environment, working_directory) = (variables.into_iter().collect(), directory.to_owned());
    Program { path, arguments, environment, working_directory, ..Program::default() }
}

impl Settings {
    /// The user an executor's process and its sandbox belong to, by name; the agent's own if absent.
    pub(crate) fn user_of(&self, framework: &FrameworkInfo, executor: &Executor) -> Option<String> {
        let own = executor.info().command.as_ref().and_then(|command| command.user.clone());
        // The framework's user is one of its scheduler's machine, and an image has its own.
        let others = || if executor.container_with_image().is_some() { String::new() } else { framework.user.clone() };
        let user = own.unwrap_or_else(others);
        Some(user).filter(|user| self.switch_user && !user.is_empty())
    }

    /// The agent's address in the form of libprocess.
    pub(crate) fn pid(&self) -> String {
        format!("slave(1)@{}", self.address)
    }

    /// The environment of an executor beside the variables it inherits.
    pub(super) fn executor_environment(
        &self,
        agent: Option<&AgentId>,
        framework: &FrameworkInfo,
        executor: &Executor,
    ) -> Variables {
        let grace = executor.grace(self.timeouts.executor_shutdown_grace);
        let mut variables = Variables::from([("PATH".to_owned(), self.path())]);
        variables.extend(self.executor_environment_variables.clone());
        variables.extend(self.agent_environment(framework));
        let id = framework.id.clone().unwrap_or_default();
        set(&mut variables, "MESOS_FRAMEWORK_ID", id);
        set(&mut variables, "MESOS_EXECUTOR_ID", &executor.info().executor_id);
        set(&mut variables, "MESOS_DIRECTORY", executor.directory().display());
        set(&mut variables, "MESOS_SANDBOX", executor.directory().display());
        set(&mut variables, "MESOS_SLAVE_ID", agent.cloned().unwrap_or_default());
        set(&mut variables, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", duration::format(grace));
        set(&mut variables, "MESOS_HTTP_COMMAND_EXECUTOR", 1);
        set(&mut variables, "LIBPROCESS_PORT", 0);
        let state = self.layout.executor_state(executor.container());
        set(&mut variables, "CYGNET_STATE_DIRECTORY", state.display());
        set(&mut variables, "CYGNET_SWITCH_USER", u8::from(self.switch_user));
        set(&mut variables, "CYGNET_FETCHER_DOWNLOAD_BYTES", self.fetcher_download_bytes);
        set(&mut variables, "CYGNET_LOG_ROTATIONS", serde_json::json!(self.log_rotations));
        if let Some(root) = self.cgroups.as_ref().filter(|_| executor.is_pooled()) {
            set(&mut variables, "CYGNET_CGROUP", cgroups::assignment(root, executor.container()).to_text());
        }
        if let Some(address) =
            executor.network().and_then(|network| network.address()).filter(|_| executor.hosts_groups())
        {
            set(&mut variables, "MESOS_CONTAINER_IP", address);
        }
        if let Some(socket) = self.docker_socket.as_ref().filter(|_| executor.is_pooled()) {
            set(&mut variables, "CYGNET_DOCKER_SOCKET", socket.display());
            self.docker_config.iter().for_each(|config| set(&mut variables, "CYGNET_DOCKER_CONFIG", config));
        }
        if executor.info().r#type() == executor_info::Type::Default {
            set(&mut variables, "CYGNET_EXECUTOR_TYPE", "default");
        }
        variables
    }

    /// The process of an executor that has one of its own: what its framework says wins over its environment.
    pub(super) fn executor_program(
        &self,
        agent: Option<&AgentId>,
        framework: &FrameworkInfo,
        executor: &Executor,
    ) -> Result<Logged, UnusableCommand> {
        let command = executor.info().command.clone().unwrap_or_default();
        let mut variables = self.environment.clone();
        variables.extend(self.executor_environment(agent, framework, executor));
        variables.extend(command::variables(command.environment.as_ref())?);
        let command = command::program(&command, command::SYSTEM_SHELL)?;
        let program = program(command, variables, executor.directory());
        let rotations = self.rotations_of(executor)?;
        Ok(Logged { program, logs: Logs::of(executor.directory()), rotations })
    }

    /// The bounds of the logs of an executor that has a process of its own.
    pub(crate) fn rotations_of(&self, executor: &Executor) -> Result<Rotations, VariableError> {
        let environment = executor.info().command.as_ref().and_then(|command| command.environment.as_ref());
        let variables = environment.iter().flat_map(|environment| &environment.variables);
        let own = variables.map(|variable| (variable.name.clone(), variable.value().to_owned()));
        logs::of_task(self.log_rotations, &own.collect::<Vec<_>>())
    }

    /// The process of an executor in a container with an image, whose variables go before the image's. Those by which
    /// Cygnet's own executors find files of the host mean nothing there.
    pub(super) fn contained_executor(
        &self,
        agent: Option<&AgentId>,
        framework: &FrameworkInfo,
        executor: &Executor,
        container: &ContainerInfo,
    ) -> Result<ContainedExecutor, UnusableCommand> {
        let mut inherited = self.executor_environment(agent, framework, executor);
        inherited.retain(|name, _| !name.starts_with("CYGNET_"));
        let command = executor.info().command.clone().unwrap_or_default();
        Ok(ContainedExecutor {
            id: executor.info().executor_id.clone(),
            own: command::variables(command.environment.as_ref())?,
            inherited,
            user: self.user_of(framework, executor),
            command,
            container: container.clone(),
            sandbox: executor.directory().to_owned(),
            rotations: self.rotations_of(executor)?,
        })
    }

    /// The process of a framework's pool, which subscribes by this name.
    pub(super) fn pool_program(&self, id: &FrameworkId, name: &str, framework: &FrameworkInfo) -> Logged {
        let mut variables = self.environment.clone();
        variables.extend(self.agent_environment(framework));
        set(&mut variables, "MESOS_FRAMEWORK_ID", id);
        set(&mut variables, "CYGNET_POOL_ID", name);
        set(&mut variables, "CYGNET_POOL_LOCK", self.layout.pool_lock(id).display());
        let log = self.layout.pool_log(id);
        let command = (self.executor_binary.clone(), ["cygnet", "executor", "--pool"].map(str::to_owned).into());
        Logged {
            program: program(command, variables, self.layout.root()),
            logs: Logs { stdout: log.clone(), stderr: log },
            rotations: Rotations::default(),
        }
    }

    /// The place of the agent, and the time to look for it.
    fn agent_environment(&self, framework: &FrameworkInfo) -> Variables {
        let mut variables = Variables::new();
        set(&mut variables, "MESOS_SLAVE_PID", self.pid());
        set(&mut variables, "MESOS_AGENT_ENDPOINT", self.address);
        set(&mut variables, "CYGNET_AGENT_ENDPOINT_FILE", self.layout.endpoint().display());
        set(&mut variables, "MESOS_CHECKPOINT", u8::from(framework.checkpoint()));
        if framework.checkpoint() {
            set(&mut variables, "MESOS_RECOVERY_TIMEOUT", duration::format(self.timeouts.recovery));
            let backoff = duration::format(self.timeouts.executor_reregistration);
            set(&mut variables, "MESOS_SUBSCRIPTION_BACKOFF_MAX", backoff);
        }
        variables
    }

    /// The environment of containers that are not executors.
    pub(crate) fn container_environment(&self) -> Variables {
        Variables::from([("PATH".to_owned(), self.path())])
    }

    /// The PATH of tasks, on which `cygnet` is found.
    fn path(&self) -> String {
        let inherited = self.environment.get("PATH").filter(|path| !path.is_empty());
        let inherited = inherited.map_or(DEFAULT_PATH, String::as_str);
        format!("{inherited}:{}", self.layout.binaries().display())
    }
}
