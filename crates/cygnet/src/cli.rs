//! The command line, and who carries it out. The flags of servers, and where the scheduler is, are also `CYGNET_*`
//! variables.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use mesos::build::Build;
use tokio::runtime::Builder;
use tracing::Level;
use tracing_subscriber::filter::Targets;

use crate::api::Noun;
use crate::{command, demo, log};

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
    Dev(Box<command::dev::Dev>),
    /// The master alone
    Master(command::master::Master),
    /// The agent alone
    Agent(Box<command::agent::Agent>),
    /// The Marathon-compatible scheduler alone
    Scheduler(command::scheduler::Scheduler),
    /// An executor, started by an agent
    Executor(command::executor::Executor),
    /// One check, by hand: the exit code is the verdict
    Check(Box<command::check::Check>),
    /// Things that are not well, why, and what is done about them
    Status(command::status::Status),
    /// Apps, through the API of a scheduler
    App(Noun<command::app::Verb>),
    /// Tasks, through the API of a scheduler
    Task(Noun<command::task::Verb>),
    /// Groups of apps that depend on each other
    Group(Noun<command::group::Verb>),
    /// Pods: containers that come and go together
    Pod(Noun<command::pod::Verb>),
    /// Changes that are under way
    Deployment(Noun<command::deployment::Verb>),
    /// Agents: take one out of use, and back
    Node(Noun<command::node::Verb>),
    /// Instances that wait to be launched, and why
    Queue(Noun<command::queue::Verb>),
    /// What happens, as it happens
    Events(command::events::Events),
    /// A script that completes these commands in a shell: source it
    Completion(command::completion::Completion),
    /// A server to try things with
    #[command(hide = true)]
    Demo(demo::Demo),
    /// The parent of one task
    #[command(hide = true)]
    Shim {
        /// The directory with the task's `spec.json`.
        directory: std::path::PathBuf,
    },
}

/// The build that the build script tells of.
const BUILD: Build = Build {
    version: env!("CYGNET_VERSION"),
    date: env!("CYGNET_BUILD_DATE"),
    unix_seconds: match u32::from_str_radix(env!("CYGNET_BUILD_SECONDS"), 10) {
        Ok(seconds) => seconds,
        Err(_) => panic!("SOURCE_DATE_EPOCH is no time between 1970 and 2106"),
    },
};

/// Carries out what the command line says.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    BUILD.tell();
    let sealed = if enters(&cli.command) { processes::executable::seal() } else { Ok(()) };
    match cli.command {
        Command::Demo(demo) => return demo::run(&demo),
        Command::Shim { directory } => return Ok(processes::shim::main(&directory)),
        Command::Completion(completion) => return command::completion::run(&completion),
        Command::Master(ref master) => log::start_server(cli.log, Level::INFO, &master.log, "master")?,
        Command::Agent(ref agent) => log::start_server(cli.log, Level::INFO, &agent.log, "agent")?,
        Command::Dev(ref dev) => log::start_server(cli.log, Level::WARN, &dev.log, "dev")?,
        Command::Scheduler(_) | Command::Executor(_) => log::start(cli.log, Level::INFO),
        _ => log::start(cli.log, Level::WARN),
    }
    if let Err(error) = sealed {
        tracing::debug!(%error, "this program can be written to by whom it enters");
    }
    let runtime = runtime_for(&cli.command).enable_all().build().context("cannot start")?;
    let result = runtime.block_on(carry_out(cli.command));
    // Host names that are still being looked up must not keep the process.
    runtime.shutdown_background();
    result
}

/// True for what may enter containers: with sessions, and with checks.
fn enters(command: &Command) -> bool {
    matches!(command, Command::Dev(_) | Command::Agent(_) | Command::Executor(_) | Command::Check(_))
}

/// Servers have threads; all else, executors first of all, stays small.
fn runtime_for(command: &Command) -> Builder {
    if !matches!(command, Command::Dev(_) | Command::Master(_) | Command::Agent(_) | Command::Scheduler(_)) {
        return Builder::new_current_thread();
    }
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(std::thread::available_parallelism().map_or(2, usize::from).min(4));
    builder
}

async fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Dev(dev) => command::dev::run(*dev).await,
        Command::Master(master) => command::master::run(master).await,
        Command::Agent(agent) => command::agent::run(*agent).await,
        Command::Scheduler(scheduler) => command::scheduler::run(scheduler).await,
        Command::Executor(executor) => command::executor::run(&executor).await,
        Command::Check(check) => Ok(command::check::run(*check).await),
        Command::Status(status) => command::status::run(status).await,
        Command::App(app) => command::app::run(app).await,
        Command::Task(task) => command::task::run(task).await,
        Command::Group(group) => command::group::run(group).await,
        Command::Pod(pod) => command::pod::run(pod).await,
        Command::Deployment(deployment) => command::deployment::run(deployment).await,
        Command::Node(node) => command::node::run(node).await,
        Command::Queue(queue) => command::queue::run(queue).await,
        Command::Events(events) => command::events::run(events).await,
        Command::Demo(_) | Command::Shim { .. } | Command::Completion(_) => Ok(ExitCode::SUCCESS),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
