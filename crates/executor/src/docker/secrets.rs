//! The variables of a task that are secrets. Their values go to the daemon and to the commands of checks, and into no file
//! and no status: whoever goes on with the task reads them again.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use containers::provision::{Provision, Settings};
use containers::spec::{self, SecretError};
use mesos::command::secret_variables;
use mesos::v1::{Environment, TaskInfo};

use crate::config::{ExecutorConfig, Variables};

/// The names of a task's secrets, and the place of their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    names: BTreeSet<String>,
    directory: Option<PathBuf>,
}

impl Secrets {
    /// The secrets of a task that is to be started.
    pub(super) fn of(config: &ExecutorConfig, task: &TaskInfo) -> io::Result<Secrets> {
        let settings = Provision::read(&config.provisions, &task.task_id)?.unwrap_or_default().settings;
        Ok(Secrets::with(task, settings))
    }

    /// The secrets of a task that has begun: only the commands of its checks need the values then.
    pub(super) fn again(config: &ExecutorConfig, task: &TaskInfo) -> Secrets {
        Secrets::of(config, task).unwrap_or_else(|error| {
            tracing::warn!(%error, "the directory of secrets is not known any more");
            Secrets::with(task, Settings::default())
        })
    }

    fn with(task: &TaskInfo, settings: Settings) -> Secrets {
        let names = secret_variables(given(task)).map(|variable| variable.name.clone()).collect();
        Secrets { names, directory: settings.secrets_directory }
    }

    /// The names of those whose values nobody is told.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// The directory in which they are found.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// All variables of a task's command. Reads files.
    pub(super) fn variables(&self, task: &TaskInfo) -> Result<Variables, SecretError> {
        spec::variables(given(task), self.directory())
    }

    /// The variables among them that are secrets. Reads files.
    pub(super) fn values(&self, task: &TaskInfo) -> Result<Variables, SecretError> {
        spec::secret_values(given(task), self.directory())
    }
}

/// The variables of a task's command.
pub(super) fn given(task: &TaskInfo) -> Option<&Environment> {
    task.command.as_ref()?.environment.as_ref()
}
