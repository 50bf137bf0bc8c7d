//! The making of what a task's container needs, step by step, and the letting go of it.

use containers::network::plan::Plan;
use containers::provision::{Provision, ProvisionedNetwork, Settings};
use mesos::v1::ContainerId;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::error::ProvisionError;
use crate::core::{Provisioning, TaskNeeds};
use crate::layout::{Layout, private_directory};

/// The parts of an agent that containers are made from.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    pub(crate) layout: Layout,
    /// The operator's word, which every container gets.
    pub(crate) settings: Settings,
}

impl Maker {
    /// Images take long, so they come first: nobody has a network that waits for one.
    pub(super) async fn make(&self, wanted: &Provisioning, over: &CancellationToken) -> Result<(), ProvisionError> {
        let mut provisions = Vec::new();
        for needs in &wanted.tasks {
            provisions.push((needs, self.images(wanted, needs, over).await?));
        }
        let network = self.attach(&wanted.container, &wanted.networks).await?;
        for (needs, provision) in provisions {
            let provision = Provision { network: network.clone(), ..provision };
            self.write(&wanted.container, needs, provision).await?;
        }
        Ok(())
    }

    /// Lets go of everything that was made for a run.
    pub(super) async fn release(&self, container: &ContainerId) {
        self.detach(container).await;
    }

    /// The provision of a task with its images.
    async fn images(
        &self,
        _wanted: &Provisioning,
        _needs: &TaskNeeds,
        _over: &CancellationToken,
    ) -> Result<Provision, ProvisionError> {
        Ok(Provision { settings: self.settings.clone(), ..Provision::default() })
    }

    /// Joins a run to its networks, unless it is in them already.
    async fn attach(
        &self,
        _container: &ContainerId,
        _networks: &Plan,
    ) -> Result<Option<ProvisionedNetwork>, ProvisionError> {
        Ok(None)
    }

    /// Parts a run from its networks.
    async fn detach(&self, _container: &ContainerId) {}

    async fn write(
        &self,
        container: &ContainerId,
        needs: &TaskNeeds,
        provision: Provision,
    ) -> Result<(), ProvisionError> {
        let (state, task) = (self.layout.executor_state(container), needs.task.clone());
        let written = spawn_blocking(move || {
            private_directory(&state)?;
            provision.write(&state, &task)
        });
        let failed = |source| ProvisionError::Write { task: needs.task.to_string(), source };
        written.await?.map_err(failed)
    }
}
