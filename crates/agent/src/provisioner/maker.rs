//! The making of what a task's container needs, step by step, and the letting go of it.

use std::collections::{BTreeMap, BTreeSet};

use containers::provision::{Provision, ProvisionedImage, ProvisionedNetwork, Settings};
use mesos::v1::{ContainerId, Image};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::error::{ImageError, ProvisionError};
use super::images::{Images, WaitingRun};
use crate::core::{Provisioning, TaskNeeds};
use crate::handle::Handle;
use crate::layout::{Layout, private_directory};
use crate::networks::Networks;

/// The parts of an agent that containers are made from.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    pub(crate) layout: Layout,
    /// The operator's word, which every container gets.
    pub(crate) settings: Settings,
    /// The images, unless the operator wants none.
    pub(crate) images: Option<Images>,
    pub(crate) networks: Networks,
    /// The one to be told how far it is.
    pub(crate) actor: Handle,
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
        let (images, container) = (self.images.clone(), container.clone());
        let released = spawn_blocking(move || images.map_or(Ok(()), |images| images.release(&container))).await;
        if let Ok(Err(error)) = released {
            tracing::warn!(%error, "images of a run that is over stay until they are looked for again");
        }
    }

    /// Lets go of the images of runs other than these.
    pub(super) async fn sweep(&self, live: BTreeSet<String>) {
        let (images, states) = (self.images.clone(), self.layout.executor_states());
        let sweep = move |images: Images| {
            images.renew(&states);
            images.sweep(&live)
        };
        let swept = spawn_blocking(move || images.map_or(Ok(()), sweep)).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "images of runs that are over stay until they are looked for again");
        }
    }

    /// The provision of a task with its images.
    async fn images(
        &self,
        wanted: &Provisioning,
        needs: &TaskNeeds,
        over: &CancellationToken,
    ) -> Result<Provision, ProvisionError> {
        let run = WaitingRun { wanted, over, actor: &self.actor };
        let image = match &needs.image {
            Some(image) => Some(self.image(image, &run).await?),
            None => None,
        };
        let mut volume_images = BTreeMap::new();
        for image in &needs.volume_images {
            let image = self.image(image, &run).await?;
            volume_images.insert(image.reference.clone(), image);
        }
        Ok(Provision { image, volume_images, network: None, settings: self.settings.clone() })
    }

    async fn image(&self, image: &Image, run: &WaitingRun<'_>) -> Result<ProvisionedImage, ProvisionError> {
        let images = self.images.as_ref().ok_or(ImageError::None)?;
        Ok(images.ready(image, run).await?)
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
