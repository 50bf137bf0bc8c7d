//! The environment an executor is started with, as a typed configuration.
//!
//! In: any list of variables, of this process or of an ADD to a pool. Out: [`ExecutorConfig`] or an error that names
//! the variable.

mod endpoint;
mod reconnection;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use containers::cgroup::Assignment;
use processes::DEFAULT_PATH;
use processes::Rotations;

pub use self::endpoint::Endpoint;
pub(crate) use self::reconnection::Absence;
pub use self::reconnection::Reconnection;
use crate::error::ExecutorError;

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

/// The shutdown grace the agent gives when nobody said otherwise.
const DEFAULT_SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Everything a command executor must know before it speaks to its agent.
#[derive(Clone, Debug)]
pub struct ExecutorConfig {
    /// `MESOS_FRAMEWORK_ID`
    pub framework_id: String,
    /// `MESOS_EXECUTOR_ID`
    pub executor_id: String,
    /// The place of the agent: `CYGNET_AGENT_ENDPOINT_FILE`, `MESOS_AGENT_ENDPOINT` and `MESOS_SLAVE_PID`.
    pub agent: Endpoint,
    /// `MESOS_SANDBOX`, or `MESOS_DIRECTORY`.
    pub sandbox: PathBuf,
    /// The sandbox of the executor, around that of a task of a group.
    pub outer_sandbox: Option<PathBuf>,
    /// `CYGNET_STATE_DIRECTORY`, or a directory in the sandbox.
    pub state_directory: PathBuf,
    /// The directory whose `provisions` the agent fills: the state directory of the executor, also for tasks of a group.
    pub provisions: PathBuf,
    /// Set if the state directory is the former, which the agent makes before it starts an executor for the first time.
    pub agent_makes_state: bool,
    /// `MESOS_CHECKPOINT` with `MESOS_RECOVERY_TIMEOUT` and `MESOS_SUBSCRIPTION_BACKOFF_MAX`.
    pub reconnection: Reconnection,
    /// `MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD`
    pub shutdown_grace: Duration,
    /// `MESOS_EXECUTOR_AUTHENTICATION_TOKEN`
    pub token: Option<String>,
    /// `CYGNET_SWITCH_USER`: run a task as its user or its framework's, if this process may. `0` says no.
    pub switch_user: bool,
    /// `CYGNET_FETCHER_DOWNLOAD_BYTES`: the most that is fetched at once for a task.
    pub fetcher_download_bytes: u64,
    /// `CYGNET_CGROUP`: the cgroup of tasks, which the agent makes.
    pub cgroup: Option<Assignment>,
    /// Set if that is one task's own, which the executor makes.
    pub own_cgroup: bool,
    /// `CYGNET_DOCKER_SOCKET`: the daemon that makes containers of type DOCKER.
    pub docker_socket: Option<PathBuf>,
    /// `CYGNET_DOCKER_CONFIG`: the logins of the agent, as JSON or as the path of a file with that.
    pub docker_config: Option<String>,
    /// `CYGNET_LOG_ROTATIONS`: the bounds of tasks' logs.
    pub log_rotations: Rotations,
    /// The variables a task inherits: all but the token and Cygnet's own.
    pub task_environment: Variables,
}

impl ExecutorConfig {
    /// Reads the variables an agent sets for an executor.
    pub fn from_variables(variables: &Variables) -> Result<ExecutorConfig, ExecutorError> {
        let sandbox = resolved(match optional(variables, "MESOS_SANDBOX") {
            Some(sandbox) => sandbox,
            None => required(variables, "MESOS_DIRECTORY")?,
        });
        let state_directory = state_directory(variables, &sandbox);
        Ok(ExecutorConfig {
            framework_id: required(variables, "MESOS_FRAMEWORK_ID")?.to_owned(),
            executor_id: required(variables, "MESOS_EXECUTOR_ID")?.to_owned(),
            agent: Endpoint::from_variables(variables)?,
            agent_makes_state: optional(variables, "CYGNET_STATE_DIRECTORY").is_some(),
            provisions: state_directory.clone(),
            state_directory,
            sandbox,
            outer_sandbox: None,
            reconnection: Reconnection::from_variables(variables)?,
            shutdown_grace: duration(variables, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD")?
                .unwrap_or(DEFAULT_SHUTDOWN_GRACE),
            token: optional(variables, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN").map(str::to_owned),
            switch_user: optional(variables, "CYGNET_SWITCH_USER") != Some("0"),
            fetcher_download_bytes: bytes(variables, "CYGNET_FETCHER_DOWNLOAD_BYTES")?.unwrap_or(fetcher::MOST),
            cgroup: cgroup(variables)?,
            own_cgroup: false,
            docker_config: optional(variables, "CYGNET_DOCKER_CONFIG").map(str::to_owned),
            docker_socket: optional(variables, "CYGNET_DOCKER_SOCKET").map(PathBuf::from),
            log_rotations: log_rotations(variables)?,
            task_environment: inherited(variables),
        })
    }

    /// The variable that only this executor's task and its children have, by which stray ones are found.
    pub(crate) fn mark(&self) -> (String, String) {
        processes::mark(&self.state_directory)
    }
}

/// The variables of this process that are text.
pub fn of_this_process() -> Variables {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The variables a logical executor's process would inherit from this one: all that are not about this one.
pub(crate) fn foundation() -> Variables {
    let own = |name: &str| ["MESOS_", "LIBPROCESS_", "CYGNET_"].iter().any(|prefix| name.starts_with(prefix));
    of_this_process().into_iter().filter(|(name, _)| !own(name)).collect()
}

pub(crate) fn optional<'v>(variables: &'v Variables, name: &str) -> Option<&'v str> {
    variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

pub(crate) fn required<'v>(variables: &'v Variables, name: &'static str) -> Result<&'v str, ExecutorError> {
    optional(variables, name).ok_or(ExecutorError::MissingVariable { name })
}

pub(crate) fn duration(variables: &Variables, name: &'static str) -> Result<Option<Duration>, ExecutorError> {
    let Some(text) = optional(variables, name) else { return Ok(None) };
    let bad = |_| ExecutorError::BadVariable { name, value: text.to_owned(), expected: "a duration such as 5secs" };
    mesos::duration::parse(text).map(Some).map_err(bad)
}

fn bytes(variables: &Variables, name: &'static str) -> Result<Option<u64>, ExecutorError> {
    let Some(text) = optional(variables, name) else { return Ok(None) };
    let bad = |_| ExecutorError::BadVariable { name, value: text.to_owned(), expected: "a number of bytes" };
    text.parse().map(Some).map_err(bad)
}

fn cgroup(variables: &Variables) -> Result<Option<Assignment>, ExecutorError> {
    let Some(text) = optional(variables, "CYGNET_CGROUP") else { return Ok(None) };
    let (name, value, expected) = ("CYGNET_CGROUP", text.to_owned(), "a cgroup as an agent writes it");
    Assignment::parse(text).map(Some).map_err(|_| ExecutorError::BadVariable { name, value, expected })
}

fn log_rotations(variables: &Variables) -> Result<Rotations, ExecutorError> {
    let Some(text) = optional(variables, "CYGNET_LOG_ROTATIONS") else { return Ok(Rotations::default()) };
    let (name, value, expected) = ("CYGNET_LOG_ROTATIONS", text.to_owned(), "bounds as an agent writes them");
    serde_json::from_str(text).map_err(|_| ExecutorError::BadVariable { name, value, expected })
}

fn state_directory(variables: &Variables, sandbox: &Path) -> PathBuf {
    optional(variables, "CYGNET_STATE_DIRECTORY").map_or_else(|| sandbox.join(".cygnet"), absolute)
}

/// Shims and tasks do not run in this process' directory.
fn absolute(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path))
}

/// The sandbox without links: those of the operator are followed once and for all, those of tasks never.
fn resolved(path: &str) -> PathBuf {
    Path::new(path).canonicalize().unwrap_or_else(|_| absolute(path))
}

fn inherited(variables: &Variables) -> Variables {
    let secret = |name: &str| name == "MESOS_EXECUTOR_AUTHENTICATION_TOKEN" || name.starts_with("CYGNET_");
    let mut inherited: Variables = variables.clone();
    inherited.retain(|name, _| !secret(name));
    inherited.entry("PATH".to_owned()).or_insert_with(|| DEFAULT_PATH.to_owned());
    inherited
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        [
            ("MESOS_FRAMEWORK_ID", "F"),
            ("MESOS_EXECUTOR_ID", "E"),
            ("MESOS_DIRECTORY", "/sandbox"),
            ("MESOS_SLAVE_PID", "slave(1)@127.0.0.1:5051"),
            ("MESOS_CHECKPOINT", "1"),
            ("MESOS_RECOVERY_TIMEOUT", "15mins"),
            ("MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs"),
            ("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "7secs"),
            ("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "secret"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn reads_what_a_mesos_agent_sets() {
        let config = ExecutorConfig::from_variables(&variables()).unwrap();
        assert_eq!(config.sandbox, Path::new("/sandbox"));
        assert_eq!(config.state_directory, Path::new("/sandbox/.cygnet"));
        assert_eq!(config.shutdown_grace, Duration::from_secs(7));
        assert_eq!(config.reconnection.recovery_timeout, Some(Duration::from_secs(900)));
        assert_eq!(config.reconnection.backoff_max, Duration::from_secs(2));
    }

    #[test]
    fn the_task_never_sees_the_token_and_always_has_a_path() {
        let config = ExecutorConfig::from_variables(&variables()).unwrap();
        assert!(!config.task_environment.contains_key("MESOS_EXECUTOR_AUTHENTICATION_TOKEN"));
        assert_eq!(config.task_environment.get("PATH").map(String::as_str), Some(DEFAULT_PATH));
        assert_eq!(config.task_environment.get("MESOS_EXECUTOR_ID").map(String::as_str), Some("E"));
    }

    #[test]
    fn every_missing_or_bad_variable_is_named() {
        let required = ["MESOS_FRAMEWORK_ID", "MESOS_EXECUTOR_ID", "MESOS_DIRECTORY", "MESOS_SLAVE_PID"];
        for name in required {
            let mut variables = variables();
            variables.remove(name);
            let error = ExecutorConfig::from_variables(&variables).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
        let durations = [
            "MESOS_RECOVERY_TIMEOUT",
            "MESOS_SUBSCRIPTION_BACKOFF_MAX",
            "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD",
            "MESOS_SLAVE_PID",
        ];
        for name in durations {
            let mut variables = variables();
            variables.insert(name.to_owned(), "soon".to_owned());
            let error = ExecutorConfig::from_variables(&variables).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("soon"), "{error}");
        }
    }
}
