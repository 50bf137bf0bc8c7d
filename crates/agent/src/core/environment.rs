//! The environments of pools and executors: what Mesos gives an executor, and what Cygnet's own needs beside it.

use std::collections::BTreeMap;

use mesos::duration;
use mesos::v1::{FrameworkId, FrameworkInfo, executor_info};

use super::Core;
use super::executor::Executor;
use crate::program::variables as declared;

/// What a task has if nobody set a PATH.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

type Variables = BTreeMap<String, String>;

fn set(variables: &mut Variables, name: &str, value: impl ToString) {
    variables.insert(name.to_owned(), value.to_string());
}

impl Core {
    /// What an executor finds in its environment beside what it inherits.
    pub(super) fn executor_environment(&self, framework: &FrameworkInfo, executor: &Executor) -> Variables {
        let settings = &self.settings;
        let grace = executor.grace(settings.executor_shutdown_grace_period);
        let mut variables = Variables::from([("PATH".to_owned(), self.path())]);
        variables.extend(settings.executor_environment_variables.clone());
        variables.extend(self.agent_environment(framework));
        let id = framework.id.clone().unwrap_or_default();
        set(&mut variables, "MESOS_FRAMEWORK_ID", id);
        set(&mut variables, "MESOS_EXECUTOR_ID", &executor.info.executor_id);
        set(&mut variables, "MESOS_DIRECTORY", executor.directory.display());
        set(&mut variables, "MESOS_SANDBOX", executor.directory.display());
        set(&mut variables, "MESOS_SLAVE_ID", self.agent_id.clone().unwrap_or_default());
        set(&mut variables, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", duration::format(grace));
        set(&mut variables, "MESOS_HTTP_COMMAND_EXECUTOR", 1);
        set(&mut variables, "LIBPROCESS_PORT", 0);
        let state = settings.layout.executor_state(&executor.container);
        set(&mut variables, "CYGNET_STATE_DIRECTORY", state.display());
        set(&mut variables, "CYGNET_SWITCH_USER", u8::from(settings.switch_user));
        set(&mut variables, "CYGNET_FETCHER_DOWNLOAD_BYTES", settings.fetcher_download_bytes);
        if executor.info.r#type() == executor_info::Type::Default {
            set(&mut variables, "CYGNET_EXECUTOR_TYPE", "default");
        }
        variables
    }

    /// The whole environment of an executor with a process of its own: what its framework says wins.
    pub(super) fn process_environment(&self, framework: &FrameworkInfo, executor: &Executor) -> Vec<(String, String)> {
        let mut variables = self.settings.environment.clone();
        variables.extend(self.executor_environment(framework, executor));
        variables.extend(executor.info.command.iter().flat_map(declared));
        variables.into_iter().collect()
    }

    /// The whole environment of a pool process.
    pub(super) fn pool_environment(
        &self,
        id: &FrameworkId,
        pool: &str,
        framework: &FrameworkInfo,
    ) -> Vec<(String, String)> {
        let mut variables = self.settings.environment.clone();
        variables.extend(self.agent_environment(framework));
        set(&mut variables, "MESOS_FRAMEWORK_ID", id);
        set(&mut variables, "CYGNET_POOL_ID", pool);
        set(&mut variables, "CYGNET_POOL_LOCK", self.settings.layout.pool_lock(id).display());
        variables.into_iter().collect()
    }

    /// Where the agent is, and how long to look for it.
    fn agent_environment(&self, framework: &FrameworkInfo) -> Variables {
        let settings = &self.settings;
        let mut variables = Variables::new();
        set(&mut variables, "MESOS_SLAVE_PID", format!("slave(1)@{}", settings.address));
        set(&mut variables, "MESOS_AGENT_ENDPOINT", settings.address);
        set(&mut variables, "CYGNET_AGENT_ENDPOINT_FILE", settings.layout.endpoint().display());
        set(&mut variables, "MESOS_CHECKPOINT", u8::from(framework.checkpoint()));
        if framework.checkpoint() {
            set(&mut variables, "MESOS_RECOVERY_TIMEOUT", duration::format(settings.recovery_timeout));
            let backoff = duration::format(settings.executor_reregistration_timeout);
            set(&mut variables, "MESOS_SUBSCRIPTION_BACKOFF_MAX", backoff);
        }
        variables
    }

    /// What containers find that are nobody's executor.
    pub(crate) fn container_environment(&self) -> Variables {
        Variables::from([("PATH".to_owned(), self.path())])
    }

    /// The PATH of tasks, on which `cygnet` is found.
    fn path(&self) -> String {
        let inherited = self.settings.environment.get("PATH").filter(|path| !path.is_empty());
        let inherited = inherited.map_or(DEFAULT_PATH, String::as_str);
        format!("{inherited}:{}", self.settings.layout.binaries().display())
    }
}
