//! A task's container of type DOCKER: made, found again, watched and removed over the daemon's API.
//!
//! In: a task, and the directory of its state. Out: a [`Docker`], and its [`Ending`]. What has to be known of the container
//! is on file ([`containers::docker::Record`]), so that nothing but its start, its output and its exit status needs the
//! daemon. Owns for each container a tokio task that brings its output into the sandbox, and one that waits for its end; the
//! container itself is this executor's until it is removed, then nobody's. If that fails, it is left to the agent.

mod checks;
mod end;
mod output;
mod pull;
mod recovery;
mod secrets;
mod start;

use std::io;
use std::path::{Path, PathBuf};

use ::checks::CheckSpec;
use containers::docker::{Container, DefinitionError, DockerError, Engine, Record, Running, container_name};
use containers::logs::{self, VariableError};
use containers::network::plan::with_addresses;
use containers::spec::SecretError;
use health::{InvalidCheck, Kind};
use mesos::command::plain_variables;
use mesos::v1::container_info::Type;
use mesos::v1::{ContainerStatus, NetworkInfo, TaskInfo};
use processes::{Process, Rotations};
use rustix::process::Signal;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

pub(crate) use self::checks::{adopt, adopted};
pub(crate) use self::pull::pull;
pub(crate) use self::recovery::{Fate, recover};
use self::secrets::{Secrets, given};
pub(crate) use self::start::{Started, start};
use crate::config::ExecutorConfig;
use crate::life::Ending;

/// Why there is no container.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unmade {
    /// The agent has no daemon.
    #[error("Docker containers are not supported by this executor: its agent has named no daemon")]
    NoDaemon,
    /// The task asks for what cannot be.
    #[error("Failed to create docker run options: {0}")]
    Definition(#[from] DefinitionError),
    /// The machine: the file in which the agent says what is ready.
    #[error("Cannot read what the agent made ready for the task: {0}")]
    Provision(io::Error),
    /// The machine: its executor has a sandbox by which no container can be named.
    #[error("Failed to launch container: the sandbox '{}' has no name", .0.display())]
    Nameless(PathBuf),
    /// A variable of the task is a secret that cannot be had.
    #[error(transparent)]
    Hidden(#[from] SecretError),
    /// The task asks for logs that cannot be.
    #[error(transparent)]
    Logs(#[from] VariableError),
    /// The image cannot be had.
    #[error("Failed to launch container: Failed to pull the image '{image}': {source}")]
    Image { image: String, source: DockerError },
    /// The daemon, or the image: there is no such program in it.
    #[error("Container exited with status {status}: {source}")]
    NotStarted { status: i32, source: DockerError },
    /// The daemon.
    #[error("Failed to launch container: {0}")]
    Daemon(#[from] DockerError),
    /// The machine: a file of the state.
    #[error("Failed to launch container: cannot remember it: {0}")]
    File(#[from] io::Error),
}

/// The place of a task's container: its daemon, its name, and where things are on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    engine: Engine,
    name: String,
    state: PathBuf,
    sandbox: PathBuf,
    rotations: Rotations,
    secrets: Secrets,
}

/// A container that was started.
#[derive(Debug)]
pub(crate) struct Docker {
    site: Site,
    running: Running,
    /// Its first process, if it was alive when this was made.
    process: Option<Process>,
    /// The daemon's word when it was started, for the status of its task.
    told: Option<Vec<u8>>,
    ending: watch::Receiver<Option<Ending>>,
    _watching: AbortOnDropHandle<()>,
}

/// True if Docker makes this task's container.
pub(crate) fn is_dockers(task: &TaskInfo) -> bool {
    task.container.as_ref().is_some_and(|container| container.r#type() == Type::Docker)
}

/// The bounds of its logs, which variables of the task may say.
fn rotations(config: &ExecutorConfig, task: &TaskInfo) -> Result<Rotations, VariableError> {
    logs::of_task(config.log_rotations, &plain_variables(given(task)).into_iter().collect::<Vec<_>>())
}

impl Site {
    /// The site of a container that is to be made.
    pub(crate) fn of(config: &ExecutorConfig, state: &Path, task: &TaskInfo) -> Result<Site, Unmade> {
        let socket = config.docker_socket.as_ref().ok_or(Unmade::NoDaemon)?;
        // Agents of Mesos' and our own call the last directory so.
        let container = config.sandbox.file_name().ok_or_else(|| Unmade::Nameless(config.sandbox.clone()))?;
        let (engine, name) = (Engine::new(socket), container_name(&container.to_string_lossy()));
        let (state, sandbox, rotations) = (state.to_owned(), config.sandbox.clone(), rotations(config, task)?);
        let secrets = Secrets::of(config, task).map_err(Unmade::Provision)?;
        Ok(Site { engine, name, state, sandbox, rotations, secrets })
    }

    /// The site of a container that is on file, whichever daemon the agent names now, if any.
    fn again(config: &ExecutorConfig, state: &Path, task: &TaskInfo, record: &Record) -> Site {
        let (engine, name) = (Engine::new(&record.socket), record.name.clone());
        let rotations = rotations(config, task).unwrap_or(config.log_rotations);
        let (state, sandbox, secrets) = (state.to_owned(), config.sandbox.clone(), Secrets::again(config, task));
        Site { engine, name, state, sandbox, rotations, secrets }
    }

    /// The container, if there is one, as the daemon tells it but for secrets.
    async fn inspect(&self) -> Result<Option<Value>, DockerError> {
        self.engine.inspect(&self.name, self.secrets.names()).await
    }

    /// The same, as it is understood here.
    async fn container(&self) -> Result<Option<Container>, DockerError> {
        let Some(told) = self.inspect().await? else { return Ok(None) };
        self.engine.understood(&told).map(Some)
    }

    /// Tells of checks that make no sense, before anything is started.
    pub(crate) fn check(&self, task: &TaskInfo) -> Result<(), InvalidCheck> {
        checks::valid(task, &self.secrets)
    }

    fn record(&self) -> Record {
        let socket = self.engine.socket().to_owned();
        Record { name: self.name.clone(), socket, adopted: None, running: None, ended: None }
    }
}

impl Docker {
    /// Its first process, if it was alive when it was last found.
    pub(crate) fn process(&self) -> Option<Process> {
        self.process
    }

    /// Comes back when it is over and everything it printed was read. Dropping the future loses nothing.
    pub(crate) async fn ended(&self) -> Ending {
        let mut ending = self.ending.clone();
        match ending.wait_for(Option::is_some).await.map(|ending| ending.clone()) {
            Ok(Some(ending)) => ending,
            _ => Ending::Unknown(end::LOST.to_owned()),
        }
    }

    /// Asks it to end, with its own signal for that, or kills it. The signal goes to its first process, as Docker's own
    /// would: no daemon is needed. One is told as well, beside everything else, of what must not fail: that a container is
    /// paused, or belongs to somebody else than this process, is for the daemon to deal with.
    pub(crate) fn signal(&self, signal: Signal) {
        let asks = signal == Signal::TERM;
        let number = if asks { self.running.container.stop_signal() } else { signal.as_raw() };
        let direct = Signal::from_named_raw(number);
        if let (Some(direct), Some(process)) = (direct, self.process) {
            process.signal(direct);
        }
        if !asks || direct.is_none() || !rustix::process::geteuid().is_root() {
            let site = self.site.clone();
            tokio::spawn(async move {
                if let Err(error) = site.engine.kill(&site.name, number).await {
                    tracing::info!(container = site.name, %error, "the daemon has not passed a signal on");
                }
            });
        }
    }

    /// The container in statuses.
    pub(crate) fn status(&self, task: &TaskInfo) -> ContainerStatus {
        let wanted = task.container.as_ref().and_then(|container| container.network_infos.first().cloned());
        let wanted: NetworkInfo = wanted.unwrap_or_default();
        let addresses = self.running.container.addresses();
        let network_infos = if addresses.is_empty() { Vec::new() } else { vec![with_addresses(&wanted, &addresses)] };
        ContainerStatus { network_infos, ..ContainerStatus::default() }
    }

    /// The daemon's word about it, for the first status of a task that runs.
    pub(crate) fn take_told(&mut self) -> Option<Vec<u8>> {
        self.told.take()
    }

    /// The checks of its task, made as the container's own programs would.
    pub(crate) async fn specs(&self, task: &TaskInfo) -> io::Result<Result<Vec<(Kind, CheckSpec)>, InvalidCheck>> {
        let Some(process) = self.process else { return Ok(Ok(Vec::new())) };
        let (running, task, secrets) = (self.running.clone(), task.clone(), self.site.secrets.clone());
        Ok(spawn_blocking(move || checks::specs(process, &running, &task, &secrets)).await?)
    }
}
