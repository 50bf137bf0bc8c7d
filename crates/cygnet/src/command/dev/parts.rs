//! Master, agent and scheduler in one process: all bound before any runs, and stopped in order.
//!
//! Owns three tasks while they run, and what tells each of them to stop.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use agent::{Agent, AgentError, Shutdown};
use anyhow::{Context, anyhow};
use master::{Master, MasterError};
use scheduler::{Control, Scheduler, SchedulerError};
use shell::BindError;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::Dev;
use crate::command::{open_definitions, open_registry};
use crate::paths::absolute;

/// Executors wait this long for the next `cygnet dev`.
const RECOVERY: Duration = Duration::from_secs(7 * 24 * 3600);

/// The addresses that everything listens on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    pub master: SocketAddr,
    pub agent: SocketAddr,
    pub api: SocketAddr,
}

/// All three hold their ports and stores; nothing has begun.
pub(super) struct Bound {
    master: Master,
    agent: Agent,
    scheduler: Scheduler,
}

impl Bound {
    pub(super) async fn bind(dev: &Dev) -> anyhow::Result<Bound> {
        let work_dir = absolute(&dev.work_dir)?;
        let master = bind_master(dev, &work_dir).await?;
        let scheduler = bind_scheduler(dev, &work_dir, master.address()).await?;
        let agent = bind_agent(dev, &work_dir, master.address()).await?;
        Ok(Bound { master, agent, scheduler })
    }

    pub(super) fn run(self) -> Running {
        let addresses =
            Addresses { master: self.master.address(), agent: self.agent.address(), api: self.scheduler.address() };
        let (stop_master, stop_scheduler) = (CancellationToken::new(), CancellationToken::new());
        let (stop_agent, told) = oneshot::channel();
        // A sender that is dropped says nothing about the tasks: they stay.
        let told = async { told.await.unwrap_or(Shutdown::Keep) };
        Running {
            addresses,
            control: self.scheduler.control(),
            master: tokio::spawn(self.master.run(stop_master.clone())),
            scheduler: tokio::spawn(self.scheduler.run(stop_scheduler.clone())),
            agent: tokio::spawn(self.agent.run(told)),
            stop_master,
            stop_scheduler,
            stop_agent,
        }
    }
}

async fn bind_master(dev: &Dev, work_dir: &Path) -> anyhow::Result<Master> {
    let mut options = master::Options::new(open_registry(work_dir)?);
    options.listen = dev.listen;
    options.port = dev.master_port;
    options.logging = crate::log::level();
    options.log = crate::log::file();
    let hint =
        |error: &MasterError| matches!(error, MasterError::Bind(BindError::InUse { .. })).then_some("--master-port");
    Master::bind(options).await.map_err(|error| no_start("master", hint(&error), error))
}

async fn bind_scheduler(dev: &Dev, work_dir: &Path, master: SocketAddr) -> anyhow::Result<Scheduler> {
    let mut options = scheduler::Options::new(open_definitions(work_dir)?, master.to_string());
    options.listen = dev.listen;
    options.port = dev.api_port;
    options.default_network_name.clone_from(&dev.default_network_name);
    dev.networks.bridge().clone_into(&mut options.mesos_bridge_name);
    let hint =
        |error: &SchedulerError| matches!(error, SchedulerError::Bind(BindError::InUse { .. })).then_some("--api-port");
    Scheduler::bind(options).await.map_err(|error| no_start("scheduler", hint(&error), error))
}

async fn bind_agent(dev: &Dev, work_dir: &Path, master: SocketAddr) -> anyhow::Result<Agent> {
    let binary = processes::executable::path().context("cannot find this program's own file")?;
    let mut options = agent::Options::new(master.to_string(), work_dir.join("agent"), binary);
    options.listen = dev.listen;
    options.port = dev.agent_port;
    options.resources.clone_from(&dev.resources);
    dev.limits.give(&mut options);
    dev.docker.give(&mut options)?;
    dev.networks.give(&mut options)?;
    dev.containers.give(&mut options)?;
    dev.logs.give(&mut options)?;
    options.recovery_timeout = RECOVERY;
    options.logging = crate::log::level();
    options.log = crate::log::file();
    let hint =
        |error: &AgentError| matches!(error, AgentError::Bind(BindError::InUse { .. })).then_some("--agent-port");
    Agent::bind(options).await.map_err(|error| no_start("agent", hint(&error), error))
}

fn no_start(part: &str, flag: Option<&str>, error: impl Into<anyhow::Error>) -> anyhow::Error {
    let hint = flag.map(|flag| format!(" ({flag} chooses another port)")).unwrap_or_default();
    error.into().context(format!("the {part} cannot start{hint}"))
}

/// All three run.
pub(super) struct Running {
    pub(super) addresses: Addresses,
    control: Control,
    master: JoinHandle<Result<(), MasterError>>,
    scheduler: JoinHandle<Result<(), SchedulerError>>,
    agent: JoinHandle<Result<(), AgentError>>,
    stop_master: CancellationToken,
    stop_scheduler: CancellationToken,
    stop_agent: oneshot::Sender<Shutdown>,
}

impl Running {
    /// Comes back if one of them ends by itself, and says why. Nothing can be stopped in order then.
    pub(super) async fn broken(&mut self) -> anyhow::Error {
        tokio::select! {
            ended = &mut self.master => end_of("master", ended),
            ended = &mut self.scheduler => end_of("scheduler", ended),
            ended = &mut self.agent => end_of("agent", ended),
        }
    }

    /// Stops launching, then the tasks unless they are kept, then the scheduler, which has to hear of their end, then
    /// the master.
    pub(super) async fn stop(self, keep: bool) -> anyhow::Result<()> {
        if !keep {
            self.control.stop_launching().await;
        }
        // An agent that does not listen any more has ended, and the next line says how.
        let _ = self.stop_agent.send(if keep { Shutdown::Keep } else { Shutdown::StopTasks });
        self.agent.await?.context("the agent did not stop well")?;
        self.stop_scheduler.cancel();
        self.scheduler.await?.context("the scheduler did not stop well")?;
        self.stop_master.cancel();
        self.master.await?.context("the master did not stop well")
    }
}

fn end_of<E: Into<anyhow::Error>>(part: &str, ended: Result<Result<(), E>, JoinError>) -> anyhow::Error {
    let error = match ended {
        Ok(Ok(())) => anyhow!("nobody told it to"),
        Ok(Err(error)) => error.into(),
        Err(error) => error.into(),
    };
    error.context(format!("the {part} ended"))
}
