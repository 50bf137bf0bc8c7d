//! The making of what a task's container needs, step by step, and the letting go of it.

use containers::provision::{Provision, ProvisionedNetwork, Settings};
use mesos::v1::ContainerId;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::error::ProvisionError;
use crate::core::{Provisioning, TaskNeeds};
use crate::layout::{Layout, private_directory};
use crate::networks::Networks;

/// The parts of an agent that containers are made from.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    pub(crate) layout: Layout,
    /// The operator's word, which every container gets.
    pub(crate) settings: Settings,
    pub(crate) networks: Networks,
}

impl Maker {
    /// Images take long, so they come first: nobody has a network that waits for one. Returns the network of the run.
    pub(super) async fn make(
        &self,
        wanted: &Provisioning,
        joined: &OnceCell<ProvisionedNetwork>,
        over: &CancellationToken,
    ) -> Result<Option<ProvisionedNetwork>, ProvisionError> {
        let mut provisions = Vec::new();
        for needs in &wanted.tasks {
            provisions.push((needs, self.images(wanted, needs, over).await?));
        }
        let network = self.attach(wanted, joined).await?;
        for (needs, provision) in provisions {
            let provision = Provision { network: network.clone(), ..provision };
            self.write(&wanted.container, needs, provision).await?;
        }
        Ok(network)
    }

    /// Lets go of everything that was made for a run.
    pub(super) async fn release(&self, container: &ContainerId) {
        self.networks.part(&container.value).await;
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
        wanted: &Provisioning,
        joined: &OnceCell<ProvisionedNetwork>,
    ) -> Result<Option<ProvisionedNetwork>, ProvisionError> {
        if let Some(known) = &wanted.joined {
            return Ok(Some(known.clone()));
        }
        let Some(networks) = &wanted.networks else { return Ok(None) };
        let join = || self.networks.join(&wanted.container, networks);
        Ok(Some(joined.get_or_try_init(join).await?.clone()))
    }

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
