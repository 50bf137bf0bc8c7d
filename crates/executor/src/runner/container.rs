//! The container of a task, whoever watches over it: a shim, or Docker.

use mesos::v1::{ContainerStatus, TaskInfo};
use processes::{Contained, Process};
use rustix::process::Signal;

use crate::docker::Docker;
use crate::life::Ending;

#[derive(Debug)]
pub(super) enum Container {
    Shim(Contained),
    Docker(Box<Docker>),
}

impl Container {
    /// The main process, if there was one when the container was last found.
    pub(super) fn process(&self) -> Option<Process> {
        match self {
            Container::Shim(shim) => Some(shim.process()),
            Container::Docker(docker) => docker.process(),
        }
    }

    /// Asks it to end, or kills it, with everything in it.
    pub(super) fn signal(&self, signal: Signal) {
        match self {
            Container::Shim(shim) => shim.signal_all(signal),
            Container::Docker(docker) => docker.signal(signal),
        }
    }

    /// Comes back when everything in it is gone. Dropping the future loses nothing.
    pub(super) async fn ended(&self) -> Ending {
        match self {
            Container::Shim(shim) => shim.ended().await.into(),
            Container::Docker(docker) => docker.ended().await,
        }
    }

    /// The container in statuses, if the agent does not know better.
    pub(super) fn status(&self, task: &TaskInfo) -> Option<ContainerStatus> {
        match self {
            Container::Shim(_) => None,
            Container::Docker(docker) => Some(docker.status(task)),
        }
    }

    /// The facts learnt of it when it was started, once.
    pub(super) fn take_told(&mut self) -> Option<Vec<u8>> {
        match self {
            Container::Shim(_) => None,
            Container::Docker(docker) => docker.take_told(),
        }
    }
}
