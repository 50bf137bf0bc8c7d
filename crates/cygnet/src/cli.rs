//! The command line. Every flag is also a `CYGNET_*` variable.

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::Targets;

use crate::command;

/// Runs long-lived tasks and knows, at every moment, which of them are healthy.
#[derive(Debug, Parser)]
#[command(name = "cygnet", version = env!("CYGNET_VERSION"), propagate_version = true)]
pub(crate) struct Cli {
    /// What to log to standard error: a level, or targets with levels such as `agent=debug,warn`.
    #[arg(long, global = true, env = "CYGNET_LOG")]
    pub log: Option<Targets>,
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Master, agent and scheduler in one process, and the apps of these files, kept healthy
    Dev(command::dev::Dev),
    /// The master alone
    Master(command::master::Master),
    /// The agent alone
    Agent(command::agent::Agent),
    /// The Marathon-compatible scheduler alone
    Scheduler(command::scheduler::Scheduler),
    /// An executor, started by an agent
    Executor(command::executor::Executor),
    /// One check, by hand: the exit code is the verdict
    Check(Box<command::check::Check>),
    /// Apps, through the API of a scheduler
    App(command::app::App),
    /// Tasks, through the API of a scheduler
    Task(command::task::Task),
    /// Groups of apps that depend on each other
    Group(command::group::Group),
    /// Pods: containers that come and go together
    Pod(command::pod::Pod),
    /// Changes that are under way
    Deployment(command::deployment::Deployment),
    /// Instances that wait to be launched, and why
    Queue(command::queue::Queue),
    /// What happens, as it happens
    Events(command::events::Events),
    /// A script that completes these commands in a shell: source it
    Completion(command::completion::Completion),
    /// A server to try things with
    #[command(hide = true)]
    Demo(crate::demo::Demo),
    /// The parent of one task
    #[command(hide = true)]
    Shim {
        /// The directory with the task's `spec.json`.
        directory: std::path::PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
