//! Master, agent and scheduler in one process: all bound before any runs, and stopped in order.
//!
//! Owns three tasks while they run, and what tells each of them to stop.

use std::net::SocketAddr;

use agent::{Agent, Shutdown};
use anyhow::Context;
use master::Master;
use scheduler::{Control, Scheduler};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Dev;
use crate::command::{absolute, open_store};

/// Executors wait this long for the next `cygnet dev`.
const RECOVERY: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);

/// Where everything listens.
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
        let mut options = master::Options::new(open_store(&work_dir, "master.redb")?);
        options.listen = dev.listen;
        options.port = dev.master_port;
        let master =
            Master::bind(options).await.context("the master cannot start (--master-port chooses another port)")?;

        let mut options =
            scheduler::Options::new(open_store(&work_dir, "scheduler.redb")?, master.address().to_string());
        options.listen = dev.listen;
        options.port = dev.api_port;
        let scheduler =
            Scheduler::bind(options).await.context("the scheduler cannot start (--api-port chooses another port)")?;

        let binary = std::env::current_exe().context("cannot find this program's own file")?;
        let mut options = agent::Options::new(master.address().to_string(), work_dir.join("agent"), binary);
        options.listen = dev.listen;
        options.port = dev.agent_port;
        options.resources.clone_from(&dev.resources);
        options.recovery_timeout = RECOVERY;
        let agent = Agent::bind(options).await.context("the agent cannot start (--agent-port chooses another port)")?;
        Ok(Bound { master, agent, scheduler })
    }

    pub(super) fn run(self) -> Running {
        let addresses =
            Addresses { master: self.master.address(), agent: self.agent.address(), api: self.scheduler.address() };
        let (stop_master, stop_scheduler) = (CancellationToken::new(), CancellationToken::new());
        let (stop_agent, told) = oneshot::channel();
        Running {
            addresses,
            control: self.scheduler.control(),
            master: tokio::spawn(self.master.run(stop_master.clone())),
            scheduler: tokio::spawn(self.scheduler.run(stop_scheduler.clone())),
            agent: tokio::spawn(self.agent.run(async { told.await.unwrap_or(Shutdown::Keep) })),
            stop_master,
            stop_scheduler,
            stop_agent,
        }
    }
}

/// All three run.
pub(super) struct Running {
    pub(super) addresses: Addresses,
    control: Control,
    master: JoinHandle<Result<(), master::MasterError>>,
    scheduler: JoinHandle<Result<(), scheduler::SchedulerError>>,
    agent: JoinHandle<Result<(), agent::AgentError>>,
    stop_master: CancellationToken,
    stop_scheduler: CancellationToken,
    stop_agent: oneshot::Sender<Shutdown>,
}

impl Running {
    /// Stops launching, then the tasks unless they are kept, then the scheduler, which has to hear of their end, then
    /// the master.
    pub(super) async fn stop(self, keep: bool) -> anyhow::Result<()> {
        if !keep {
            self.control.stop_launching().await;
        }
        let _ = self.stop_agent.send(if keep { Shutdown::Keep } else { Shutdown::StopTasks });
        self.agent.await?.context("the agent did not stop well")?;
        self.stop_scheduler.cancel();
        self.scheduler.await?.context("the scheduler did not stop well")?;
        self.stop_master.cancel();
        self.master.await?.context("the master did not stop well")
    }
}
