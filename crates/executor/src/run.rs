//! The executor as a process of its own, with one task: under Cygnet's agent or a real Mesos one.

use std::process::ExitCode;
use std::sync::Arc;

use checks::{Engine, EngineOptions};
use rustix::process::{getpid, set_child_subreaper};
use tokio::sync::watch;

use crate::config::ExecutorConfig;
use crate::error::ExecutorError;
use crate::host::{end_all, host};
use crate::life::ExitStatus;
use crate::monitor::reach;
use crate::runner::Shared;
use crate::state::Exclusion;
use crate::wire::Connections;

impl Shared {
    /// Makes this process fit to host executors: it adopts what their tasks leave behind, and has a check engine.
    /// `shim_command` is the program and its first arguments that, given a directory, run [`processes::shim::main`].
    pub fn new(shim_command: Vec<String>, exclusion: Exclusion) -> Result<Shared, ExecutorError> {
        set_child_subreaper(Some(getpid())).map_err(|errno| ExecutorError::Engine(errno.into()))?;
        let reach = reach().map_err(|error| ExecutorError::Engine(std::io::Error::other(error)))?;
        let engine = Engine::start(EngineOptions { reach, ..EngineOptions::default() })
            .map_err(|error| ExecutorError::Engine(std::io::Error::other(error)))?;
        let (shim_command, connections, dismissal) =
            (Arc::from(shim_command), Connections::default(), watch::Sender::new(false));
        Ok(Shared { engine, shim_command, exclusion, connections, dismissal })
    }
}

/// Runs the one executor this process was started for. Must be called on a tokio runtime.
pub async fn run(config: ExecutorConfig, shim_command: Vec<String>) -> ExitCode {
    let reaper = tokio::spawn(processes::reap_orphans());
    let ended = match Shared::new(shim_command, Exclusion::Lock) {
        Ok(shared) => host(config.clone(), shared).await,
        Err(error) => Err(error),
    };
    if ended.is_err() {
        end_all(&config, Exclusion::Lock).await;
    }
    reaper.abort();
    match ended {
        Ok(ExitStatus::Success) => ExitCode::SUCCESS,
        Ok(ExitStatus::Failure) => ExitCode::FAILURE,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the executor cannot go on");
            ExitCode::FAILURE
        }
    }
}
