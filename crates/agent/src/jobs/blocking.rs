//! The parts of jobs that wait for the disk or for processes, called on threads that may.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use processes::contained::kill_run;
use processes::{Credentials, Logged, Process, kill_tree};

use super::Surroundings;
use crate::core::{Job, Preparation, SandboxError, StartError};
use crate::layout::Layout;
use crate::sandbox;

/// The cgroup of a run, if it is to have one, and its sandbox.
pub(super) fn make(surroundings: &Surroundings, wanted: &Preparation) -> Result<Option<Credentials>, SandboxError> {
    if let (Some(cgroups), Some(limits)) = (&surroundings.cgroups, &wanted.limits) {
        let made = cgroups.of_run(&wanted.container).create(limits);
        made.map_err(SandboxError::Cgroup)?;
    }
    sandbox::make(&surroundings.layout, wanted)
}

pub(super) fn start(mut program: Logged, user: Option<&str>) -> Result<(Process, OwnedFd), StartError> {
    let credentials = user.map_or(Ok(None), Credentials::to_become);
    program.program.user = credentials.map_err(StartError::User)?;
    program.start().map_err(|source| StartError::Spawn { path: program.program.path.clone(), source })
}

pub(super) fn clear(layout: &Layout, job: Job) {
    match job {
        Job::KillTree(process) => kill_tree(process),
        Job::KillRun(container) => kill_run(&layout.executor_state(&container)),
        Job::Retire(directory) => sandbox::touch(&directory),
        Job::RemoveState(container) => remove(&layout.executor_state(&container)),
        Job::LinkName(agent) => {
            if let Err(error) = layout.link_agent(&agent) {
                tracing::warn!(%error, "cannot link the agent's id");
            }
        }
        // These are not a matter of one thread alone.
        Job::Provision(_)
        | Job::Abandon(..)
        | Job::Prepare(_)
        | Job::Sweep(_)
        | Job::Start(..)
        | Job::Contain(..)
        | Job::Limit(..)
        | Job::DestroyContainers(_)
        | Job::RemoveCgroup(_)
        | Job::EndStrangers(..) => {}
    }
}

pub(super) fn remove(directory: &Path) {
    match processes::remove_tree(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(directory = %directory.display(), %error, "cannot clear away");
        }
        _ => {}
    }
}
