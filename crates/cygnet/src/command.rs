//! The subcommands, one file each. What several of them need: [`change`] makes a change and follows it, [`definitions`]
//! reads files, [`credentials`] those with secrets, [`table`] and [`age`] show things.

pub(crate) mod age;
pub(crate) mod agent;
pub(crate) mod app;
pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod credentials;
pub(crate) mod definitions;
pub(crate) mod deployment;
pub(crate) mod dev;
pub(crate) mod events;
pub(crate) mod executor;
pub(crate) mod group;
pub(crate) mod master;
pub(crate) mod pod;
pub(crate) mod queue;
pub(crate) mod scheduler;
pub(crate) mod table;
pub(crate) mod task;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use mesos::build::Build;
use mesos::resources::{ResourceError, Resources};
use store::{IfLost, Store};
use tokio::runtime::Builder;
use tracing::Level;

use crate::cli::{Cli, Command};
use crate::log;

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
    match cli.command {
        Command::Demo(demo) => return crate::demo::run(&demo),
        Command::Shim { directory } => return Ok(::executor::shim::main(&directory)),
        Command::Completion(completion) => return completion::run(&completion),
        Command::Master(ref master) => log::start_server(cli.log, Level::INFO, &master.log, "master")?,
        Command::Agent(ref agent) => log::start_server(cli.log, Level::INFO, &agent.log, "agent")?,
        Command::Dev(ref dev) => log::start_server(cli.log, Level::WARN, &dev.log, "dev")?,
        Command::Scheduler(_) | Command::Executor(_) => log::start(cli.log, Level::INFO),
        _ => log::start(cli.log, Level::WARN),
    }
    let runtime = runtime_for(&cli.command).enable_all().build().context("cannot start")?;
    let result = runtime.block_on(carry_out(cli.command));
    // Host names that are still being looked up must not keep the process.
    runtime.shutdown_background();
    result
}

/// Servers have threads; all else, executors first of all, is to be small.
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
        Command::Dev(dev) => dev::run(dev).await,
        Command::Master(master) => master::run(master).await,
        Command::Agent(agent) => agent::run(agent).await,
        Command::Scheduler(scheduler) => scheduler::run(scheduler).await,
        Command::Executor(executor) => executor::run(&executor).await,
        Command::Check(check) => Ok(check::run(*check).await),
        Command::App(app) => app::run(app).await,
        Command::Task(task) => task::run(task).await,
        Command::Group(group) => group::run(group).await,
        Command::Pod(pod) => pod::run(pod).await,
        Command::Deployment(deployment) => deployment::run(deployment).await,
        Command::Queue(queue) => queue::run(queue).await,
        Command::Events(events) => events::run(events).await,
        Command::Demo(_) | Command::Shim { .. } | Command::Completion(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Opens the master's store. Agents and frameworks tell again most of what one that is lost knew.
pub(crate) fn open_registry(work_dir: &Path) -> anyhow::Result<Store> {
    open_store(work_dir, "master.redb", IfLost::BeginAnew)
}

/// Opens the scheduler's store. Nobody else knows its apps, and the tasks of a framework that is not known here would run
/// on unowned.
pub(crate) fn open_definitions(work_dir: &Path) -> anyhow::Result<Store> {
    open_store(work_dir, "scheduler.redb", IfLost::Refuse)
}

/// Opens a store below a work directory, which is made when it is not there.
fn open_store(work_dir: &Path, name: &str, if_lost: IfLost) -> anyhow::Result<Store> {
    // Tasks of other users have to reach their sandboxes below it, and need not see what else is there.
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(work_dir)
        .with_context(|| format!("cannot make the work directory {}", work_dir.display()))?;
    Ok(Store::open(work_dir.join(name), if_lost)?)
}

/// Lets this process open as many files as it may: a listener takes connections by that. Programs that are started get
/// the limit of before.
pub(crate) fn raise_file_limit() -> anyhow::Result<()> {
    processes::raise_file_limit().context("cannot raise the limit of open files")?;
    Ok(())
}

/// An absolute path: what is started from here runs elsewhere.
pub(crate) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}

/// Resources as they are written, which have to be some: the agent reads them again, once it knows its machine.
pub(crate) fn resources(text: &str) -> Result<String, ResourceError> {
    text.parse::<Resources>().map(|_| text.to_owned())
}
