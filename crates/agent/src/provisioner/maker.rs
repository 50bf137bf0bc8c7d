//! The making of what a task's container needs, step by step, and the letting go of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;

use containers::provision::{Provision, ProvisionedImage, ProvisionedNetwork, Settings};
use containers::store::StoreError;
use mesos::v1::{ContainerId, Image};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::ContainerNeeds;
use super::error::{ImageError, ProvisionError};
use super::holder::Holder;
use super::images::{Images, WaitingHolder};
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
        let hears = Some((wanted, &self.actor));
        let waits = WaitingHolder { holder: Holder::run(&wanted.container), over, hears };
        let mut provisions = Vec::new();
        for needs in wanted.needs() {
            provisions.push((needs, self.images(needs, &waits).await?));
        }
        let network = self.attach(wanted, joined).await?;
        for (needs, provision) in provisions {
            let provision = Provision { network: network.clone(), ..provision };
            self.write(self.layout.executor_state(&wanted.container), needs, &provision).await?;
        }
        Ok(network)
    }

    /// The same for a container of the operator API, whose directory is there.
    pub(super) async fn contain(
        &self,
        wanted: &ContainerNeeds,
        over: &CancellationToken,
    ) -> Result<Provision, ProvisionError> {
        let made = self.made(wanted, over).await;
        if made.is_err() {
            // Nothing says that it has some.
            self.release_images(Holder::container(&wanted.container)).await;
        }
        made
    }

    async fn made(&self, wanted: &ContainerNeeds, over: &CancellationToken) -> Result<Provision, ProvisionError> {
        let ContainerNeeds { container, network, images } = wanted;
        let waits = WaitingHolder { holder: Holder::container(container), over, hears: None };
        let provision = Provision { network: network.clone(), ..self.images(images, &waits).await? };
        self.write(self.layout.container(container), images, &provision).await?;
        Ok(provision)
    }

    /// Lets go of everything that was made for a run.
    pub(super) async fn release(&self, container: &ContainerId) {
        self.networks.part(&container.value).await;
        self.release_images(Holder::run(container)).await;
    }

    /// Lets go of the images of one that is over.
    pub(super) async fn release_images(&self, holder: Holder) {
        let images = self.images.clone();
        let released = spawn_blocking(move || images.map_or(Ok(()), |images| images.release(&holder))).await;
        if let Ok(Err(error)) = released {
            tracing::warn!(%error, "images of a container that is over stay until they are looked for again");
        }
    }

    /// Lets go of the images of runs other than these, and of containers of the operator API that are gone.
    pub(super) async fn sweep(&self, live: BTreeSet<String>) {
        let (images, layout) = (self.images.clone(), self.layout.clone());
        let sweep = move |images: Images| {
            images.renew(&layout);
            let unread = |source| StoreError::Io { what: "list", path: layout.containers(), source };
            let containers = containers(&layout).map_err(unread)?;
            images.sweep(&live.iter().map(Holder::run).chain(containers).collect())
        };
        let swept = spawn_blocking(move || images.map_or(Ok(()), sweep)).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "images of runs that are over stay until they are looked for again");
        }
    }

    /// The provision of a task with its images.
    async fn images(&self, needs: &TaskNeeds, waits: &WaitingHolder<'_>) -> Result<Provision, ProvisionError> {
        let image = match &needs.image {
            Some(image) => Some(self.image(image, waits).await?),
            None => None,
        };
        let mut volume_images = BTreeMap::new();
        for image in &needs.volume_images {
            let image = self.image(image, waits).await?;
            volume_images.insert(image.reference.clone(), image);
        }
        Ok(Provision { image, volume_images, network: None, settings: self.settings.clone() })
    }

    async fn image(&self, image: &Image, waits: &WaitingHolder<'_>) -> Result<ProvisionedImage, ProvisionError> {
        let images = self.images.as_ref().ok_or(ImageError::None)?;
        Ok(images.ready(image, waits).await?)
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

    async fn write(&self, state: PathBuf, needs: &TaskNeeds, provision: &Provision) -> Result<(), ProvisionError> {
        let (task, provision) = (needs.task.clone(), provision.clone());
        let written = spawn_blocking(move || {
            private_directory(&state)?;
            provision.write(&state, &task)
        });
        let failed = |source| ProvisionError::Write { task: needs.task.to_string(), source };
        written.await?.map_err(failed)
    }
}

/// The containers of the operator API that are there.
fn containers(layout: &Layout) -> io::Result<Vec<Holder>> {
    let name = |entry: fs::DirEntry| entry.file_name().to_str().map(Holder::named);
    let entries = fs::read_dir(layout.containers())?.map(|entry| entry.map(name));
    Ok(entries.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_that_cannot_be_listed_are_not_taken_to_be_none() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(directory.path()).unwrap();
        assert_eq!(containers(&layout).unwrap(), []);
        fs::create_dir(layout.container(&"c".into())).unwrap();
        assert_eq!(containers(&layout).unwrap(), [Holder::container(&"c".into())]);
        fs::remove_dir_all(layout.containers()).unwrap();
        assert!(containers(&layout).is_err());
    }
}
