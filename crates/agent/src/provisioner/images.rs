//! Images for containers: from the store if they are there, else they are brought first. Who has one keeps it by a lease.

use std::collections::BTreeSet;
use std::path::PathBuf;

use containers::image::Reference;
use containers::provision::ProvisionedImage;
use containers::registry::{Progress, told};
use containers::store::{Image as Stored, Store, StoreError};
use mesos::v1::{Image, image};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::credentials;
use super::error::ImageError;
use super::holder::Holder;
use super::puller::{Puller, Waiting};
use super::source::{Source, Wanted};
use crate::core::Provisioning;
use crate::handle::{Handle, Request};

/// Times that an image is brought because it was collected before it could be used.
const TIMES: usize = 3;

/// The images of an agent.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    store: Store,
    source: Source,
    puller: Puller,
    secrets: Option<PathBuf>,
}

/// One that waits for images: who it is, when it is over, and who hears how far they are.
#[derive(Debug)]
pub(super) struct WaitingHolder<'a> {
    pub(super) holder: Holder,
    pub(super) over: &'a CancellationToken,
    /// The tasks of a run are told; nobody hears of other containers.
    pub(super) hears: Option<(&'a Provisioning, &'a Handle)>,
}

impl WaitingHolder<'_> {
    /// An actor that is about to end reads no more.
    async fn say(&self, words: String) {
        if let Some((wanted, actor)) = self.hears {
            let _ending = actor.send(Request::Pulling(Box::new(wanted.clone()), words)).await;
        }
    }
}

impl Images {
    pub(crate) fn new(store: Store, source: Source, secrets: Option<PathBuf>) -> Images {
        let puller = Puller::start(store.clone(), source.clone());
        Images { store, source, puller, secrets }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The image of this name, as far as it is one.
    pub(crate) fn named(&self, name: &str) -> Option<Reference> {
        self.source.image(name).ok()
    }

    /// Makes an image ready for one that waits; says from time to time how far that is.
    pub(super) async fn ready(
        &self,
        wanted: &Image,
        waits: &WaitingHolder<'_>,
    ) -> Result<ProvisionedImage, ImageError> {
        let (image::Type::Docker, Some(docker)) = (wanted.r#type(), &wanted.docker) else {
            return Err(ImageError::Kind);
        };
        let reference = self.source.image(&docker.name)?;
        let mut found = None;
        if wanted.cached() {
            found = self.lease(&waits.holder, &reference).await?;
        }
        let login = self.login(docker, &reference).await?;
        for _ in 0..TIMES {
            let Some(image) = found else {
                let waiting = self.puller.pull(Wanted { image: reference.clone(), login: login.clone() });
                self.watched(waiting, &docker.name, waits).await?;
                found = self.lease(&waits.holder, &reference).await?;
                continue;
            };
            return Ok(ProvisionedImage { reference: docker.name.clone(), layers: image.layers, config: image.config });
        }
        Err(ImageError::Gone(reference))
    }

    async fn login(
        &self,
        docker: &image::Docker,
        image: &Reference,
    ) -> Result<Option<containers::registry::Login>, ImageError> {
        let Some(secret) = docker.config.clone() else { return Ok(self.source.login(image, None)) };
        let (secrets, name) = (self.secrets.clone(), image.clone());
        let own = spawn_blocking(move || credentials::read(&secret, secrets.as_deref(), &name)).await??;
        Ok(self.source.login(image, Some(&own)))
    }

    async fn lease(&self, holder: &Holder, image: &Reference) -> Result<Option<Stored>, ImageError> {
        let (store, name, reference) = (self.store.clone(), holder.lease(image), image.clone());
        let leased = spawn_blocking(move || store.lease(&name, &reference)).await?;
        leased.map_err(|error| ImageError::Store { image: image.clone(), source: error.into() })
    }

    /// Waits for a pull, and tells what changes on the way.
    async fn watched(&self, mut waiting: Waiting, name: &str, waits: &WaitingHolder<'_>) -> Result<(), ImageError> {
        let progress = (&mut waiting.progress).await.ok();
        let done = async { waits.over.run_until_cancelled(waiting.done()).await };
        let done = told(done, || self.words(name, progress.as_ref()), |words| waits.say(words)).await;
        Ok(done.ok_or(ImageError::Over)??)
    }

    fn words(&self, name: &str, progress: Option<&watch::Receiver<Progress>>) -> String {
        let verb = self.source.verb();
        match (&self.source, progress) {
            (Source::Registries(..), Some(progress)) => format!("{verb} {name}: {}", *progress.borrow()),
            _ => format!("{verb} {name}"),
        }
    }

    /// Lets all images of one go. May block.
    pub(super) fn release(&self, holder: &Holder) -> Result<(), StoreError> {
        let own = self.store.leases()?.into_iter().filter(|lease| Holder::of(lease).as_ref() == Some(holder));
        own.into_iter().try_for_each(|lease| self.store.release(&lease))
    }

    /// Lets the images of all go but of these. May block.
    pub(super) fn sweep(&self, live: &BTreeSet<Holder>) -> Result<(), StoreError> {
        let kept = |lease: &String| Holder::of(lease).is_some_and(|holder| live.contains(&holder));
        self.store.release_all_but(&self.store.leases()?.into_iter().filter(kept).collect())
    }
}
