//! The options for the logs of containers that an agent runs.

use anyhow::Context;
use clap::{Args, ValueEnum};
use containers::logs;
use processes::{Rotation, Rotations};

/// The options about logs.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Whether the logs of tasks are kept short (logrotate), or grow for ever (sandbox)
    #[arg(long, value_enum, default_value_t = Logger::Logrotate, env = "CYGNET_CONTAINER_LOGGER")]
    container_logger: Logger,
    /// How long the standard output of a task grows until it is rotated
    #[arg(long, default_value = logs::BYTES, env = "CYGNET_MAX_STDOUT_SIZE")]
    max_stdout_size: String,
    /// How long the standard error of a task grows until it is rotated
    #[arg(long, default_value = logs::BYTES, env = "CYGNET_MAX_STDERR_SIZE")]
    max_stderr_size: String,
    /// How many older files of it are kept, as a line of a logrotate configuration
    #[arg(long, default_value = logs::OPTIONS, env = "CYGNET_LOGROTATE_STDOUT_OPTIONS")]
    logrotate_stdout_options: String,
    /// The same for standard error
    #[arg(long, default_value = logs::OPTIONS, env = "CYGNET_LOGROTATE_STDERR_OPTIONS")]
    logrotate_stderr_options: String,
}

/// The container loggers of Mesos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Logger {
    #[value(alias = "org_apache_mesos_LogrotateContainerLogger")]
    Logrotate,
    #[value(alias = "org_apache_mesos_SandboxContainerLogger")]
    Sandbox,
}

impl Logs {
    pub(crate) fn give(&self, options: &mut ::agent::Options) -> anyhow::Result<()> {
        let stdout = rotation("stdout", &self.max_stdout_size, &self.logrotate_stdout_options)?;
        let stderr = rotation("stderr", &self.max_stderr_size, &self.logrotate_stderr_options)?;
        options.log_rotations = match self.container_logger {
            Logger::Logrotate => Rotations { stdout: Some(stdout), stderr: Some(stderr) },
            Logger::Sandbox => Rotations::default(),
        };
        Ok(())
    }
}

fn rotation(stream: &str, size: &str, options: &str) -> anyhow::Result<Rotation> {
    logs::rotation(size, options).with_context(|| format!("--max-{stream}-size and --logrotate-{stream}-options"))
}
