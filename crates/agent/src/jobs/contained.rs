//! The process of an executor in a container with an image: made as that of a task is, of what is ready for its run.
//!
//! In: the executor, and what the provisioner wrote down for it. Out: its process, below a shim whose files are in the state
//! of the run, so that all of it is found again by that. Takes its own time, for images are copied and volumes mounted, and
//! holds up no other job. Waits for the disk on threads that may.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use ::containers::cgroup::Cgroup;
use ::containers::copy::{Watch, unless};
use ::containers::identity::{Identity, IdentityError, InImage};
use ::containers::provision::Provision;
use ::containers::rootfs::Cgroups as Visible;
use ::containers::spec;
use mesos::v1::ContainerId;
use processes::{End, Logged, Logs, Process, Program, contained};
use tokio::time::timeout;

use super::Worker;
use super::making::UnderWay;
use crate::cgroups::Cgroups;
use crate::containers::{Place, RoomError, give};
use crate::core::{ContainedExecutor, Owner, StartError};
use crate::ids::ExecutorKey;

/// The longest that a container may take from its shim to its program.
const LONGEST: Duration = Duration::from_secs(60);

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
    /// The author of a volume, or the machine: a disk or a server that does not answer.
    #[error("its volumes could not be mounted within {} seconds", LONGEST.as_secs())]
    Late,
    /// Nobody: it is not wanted any more.
    #[error("it was given up")]
    Over,
    /// This agent; its log has more.
    #[error("the start of it did not end")]
    Panicked,
    /// Its program, which did start.
    #[error("its program ended at once: 'stderr' in its sandbox may say why")]
    Ended,
    /// Its program, in the words of its shim.
    #[error("{0}")]
    NotStarted(String),
}

impl Worker {
    /// Starts an executor in its container. The end of its run, or of the agent, gives that up: nothing of it runs then.
    pub(super) async fn contain(
        self,
        key: ExecutorKey,
        run: ContainerId,
        executor: ContainedExecutor,
        under_way: UnderWay,
    ) {
        let state = self.surroundings.layout.executor_state(&run);
        let contained = self.contained(&run, &state, executor, &under_way).await;
        let may_come_later = matches!(&contained, Err(ContainError::Late | ContainError::Over));
        let started = contained.map_err(|error| StartError::Container(error.into()));
        self.started(Owner::Executor(key, run), started).await;
        if may_come_later {
            contained::end(&state).await;
        }
    }

    async fn contained(
        &self,
        run: &ContainerId,
        state: &Path,
        executor: ContainedExecutor,
        UnderWay { given_up, .. }: &UnderWay,
    ) -> Result<(Process, OwnedFd), ContainError> {
        let cgroups = self.surroundings.cgroups.clone();
        let birthplace = cgroups.as_ref().map(|cgroups| cgroups.of_run(run));
        let (logs, rotations, directory) = (Logs::of(&executor.sandbox), executor.rotations, state.to_owned());
        let make = move |watch: &Watch| program(&executor, &directory, (birthplace, cgroups.as_ref()), watch);
        let made = unless(given_up.cancelled(), make).await;
        let program = Logged { program: made.map_err(|_panicked| ContainError::Panicked)??, logs, rotations };
        let starting = timeout(LONGEST, contained::start(program, &self.surroundings.shim, state));
        let started = tokio::select! {
            started = starting => started.map_err(|_elapsed| ContainError::Late)?,
            () = given_up.cancelled() => return Err(ContainError::Over),
        };
        match started.map_err(ContainError::Shim)? {
            Ok(contained) => {
                let process = contained.process();
                process.open().map(|pidfd| (process, pidfd)).ok_or(ContainError::Ended)
            }
            Err(End::NotStarted(why) | End::Unknown(why)) => Err(ContainError::NotStarted(why)),
            Err(End::Status(status)) => Err(ContainError::NotStarted(format!("it ended at once: {status:?}"))),
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
