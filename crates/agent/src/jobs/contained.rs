//! The process of an executor in a container with an image: made as that of a task is, of what is ready for its run.
//!
//! In: the executor, and what the provisioner wrote down for it. Out: its process, below a shim whose files are in the state
//! of the run, so that all of it is found again by that. Waits for the disk on threads that may.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use ::containers::cgroup::Cgroup;
use ::containers::copy::Watch;
use ::containers::identity::{Identity, IdentityError, InImage};
use ::containers::provision::Provision;
use ::containers::rootfs::Cgroups as Visible;
use ::containers::spec;
use mesos::v1::ContainerId;
use processes::{End, Logged, Logs, Process, Program, Rotations, contained};
use tokio::task::spawn_blocking;

use super::Worker;
use crate::cgroups::Cgroups;
use crate::containers::{Place, RoomError, give};
use crate::core::{ContainedExecutor, StartError};

/// Why an executor has no container.
#[derive(Debug, thiserror::Error)]
enum ContainError {
    /// The machine: the record of what is ready.
    #[error("what was made ready for it cannot be read: {0}")]
    Provision(io::Error),
    /// The same, which is gone.
    #[error("what was made ready for it is gone")]
    Gone,
    /// Its author, or its image.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its author, the operator, or the machine.
    #[error(transparent)]
    Room(#[from] RoomError),
    /// The machine: the shim.
    #[error(transparent)]
    Shim(io::Error),
    /// Its program, which did start.
    #[error("its program ended at once: 'stderr' in its sandbox may say why")]
    Ended,
    /// Its program, in the words of its shim.
    #[error("{0}")]
    NotStarted(String),
}

impl Worker {
    /// Starts an executor in its container. Copies of its image are given up when the agent ends.
    pub(super) async fn contain(
        &self,
        run: &ContainerId,
        executor: ContainedExecutor,
    ) -> Result<(Process, OwnedFd), StartError> {
        let failed = |error: ContainError| StartError::Container(error.into());
        let state = self.surroundings.layout.executor_state(run);
        let cgroups = self.surroundings.cgroups.clone();
        let (birthplace, watch) = (cgroups.as_ref().map(|cgroups| cgroups.of_run(run)), Arc::new(Watch::default()));
        let (copying, directory, sandbox) = (watch.clone(), state.clone(), executor.sandbox.clone());
        let mut making =
            spawn_blocking(move || program(&executor, &directory, (birthplace, cgroups.as_ref()), &copying));
        let made = tokio::select! {
            made = &mut making => made,
            () = self.ending.cancelled() => {
                watch.stop();
                making.await
            }
        };
        let program = made.map_err(|_panicked| StartError::Panicked)?.map_err(failed)?;
        let shim = self.surroundings.shim.clone();
        let program = Logged { program, logs: Logs::of(&sandbox), rotations: Rotations::default() };
        match contained::start(program, &shim, &state).await.map_err(|error| failed(ContainError::Shim(error)))? {
            Ok(contained) => {
                let process = contained.process();
                process.open().map(|pidfd| (process, pidfd)).ok_or_else(|| failed(ContainError::Ended))
            }
            Err(End::NotStarted(why) | End::Unknown(why)) => Err(failed(ContainError::NotStarted(why))),
            Err(End::Status(status)) => Err(failed(ContainError::NotStarted(format!("it ended at once: {status:?}")))),
        }
    }
}

/// The program of an executor, in its room. May block.
fn program(
    executor: &ContainedExecutor,
    state: &Path,
    (cgroup, cgroups): (Option<Cgroup>, Option<&Cgroups>),
    watch: &Watch,
) -> Result<Program, ContainError> {
    let ready = Provision::read(state, &executor.id.value.as_str().into()).map_err(ContainError::Provision)?;
    let provision = ready.ok_or(ContainError::Gone)?;
    let image = provision.image.as_ref().ok_or(ContainError::Gone)?;
    let identity = InImage {
        image,
        provision: &provision,
        command: Some(&executor.command),
        user: executor.user.as_deref(),
        inherited: &executor.inherited,
        own: executor.own.clone(),
    };
    let Identity { user, environment, path, arguments, working_directory } = identity.identity()?;
    let birthplace = cgroup.map(|cgroup| cgroup.birthplace());
    let visible = |cgroups: &Cgroups| spec::cgroups(&cgroups.root().mounts, birthplace.as_ref());
    let visible = cgroups.map_or(Visible::Nothing, visible);
    let environment = environment.into_iter().collect();
    let mut program =
        Program { path, arguments, environment, working_directory, user, birthplace, ..Program::default() };
    let sandbox = executor.sandbox.as_path();
    let place = Place { provision: &provision, sandbox, outer: None, state, cgroups: visible, watch };
    give(&mut program, Some(&executor.container), &executor.container.volumes, place)?;
    Ok(program)
}
