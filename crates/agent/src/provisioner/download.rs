//! A pull from a registry: documents first, then layers, some at a time, each unpacked as soon as it is whole.

use std::io::Seek;
use std::sync::Arc;

use containers::image::{Blob, Digest, Reference};
use containers::registry::{Beginning, Meter, Registries, Repository, total};
use containers::store::{Claim, Pull, Store, StoreError};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::fs::File;
use tokio::task::spawn_blocking;

use super::error::BringError;
use super::source::Wanted;

/// Layers of an image that are fetched or unpacked at the same time.
const LAYERS: usize = 3;

/// A layer on its way from a registry into the store.
struct Way {
    pull: Arc<Pull>,
    repository: Repository,
    meter: Meter,
    image: Reference,
}

/// Brings an image from its registry into the store.
pub(super) async fn pull(
    store: Store,
    registries: &Registries,
    wanted: Wanted,
    meter: Meter,
) -> Result<(), BringError> {
    let Wanted { image, login } = wanted;
    let mut repository = registries.repository(&image, login, meter.clone())?;
    let described = repository.describe().await?;
    let blobs: Vec<Blob> = described.manifest.layers.into_iter().map(|layer| layer.blob).collect();
    meter.expect(blobs.len(), total(blobs.iter()));
    let (reference, text) = (image.clone(), described.config_text);
    let pull = stored(&image, move || store.pull(&reference, described.digest, &text)).await?;
    if pull.layers().len() != blobs.len() {
        return Err(BringError::Layers { image, config: pull.layers().len(), manifest: blobs.len() });
    }
    let layers: Vec<(Digest, Blob)> = pull.layers().iter().copied().zip(blobs).collect();
    let pull = Arc::new(pull);
    let way = |(layer, blob)| {
        let (pull, repository, meter, image) = (pull.clone(), repository.clone(), meter.clone(), image.clone());
        Way { pull, repository, meter, image }.bring(layer, blob)
    };
    stream::iter(layers.into_iter().map(way)).buffer_unordered(LAYERS).try_collect::<()>().await?;
    stored(&image, move || pull.finish()).await?;
    Ok(())
}

impl Way {
    /// Each layer waits for itself alone, so that two images which want the same ones never wait for each other.
    async fn bring(mut self, layer: Digest, blob: Blob) -> Result<(), BringError> {
        let pull = self.pull.clone();
        let Claim::Yours(layer) = stored(&self.image, move || pull.claim(&layer)).await? else {
            self.meter.skip(blob.bytes);
            return Ok(());
        };
        let (archive, layer) = stored(&self.image, move || Ok((layer.archive()?, layer))).await?;
        let mut file = File::from_std(archive);
        self.repository.fetch(&blob, Beginning::default(), &mut file).await?;
        let mut archive = file.into_std().await;
        archive.rewind().map_err(|source| BringError::Rewind { image: self.image.clone(), source })?;
        stored(&self.image, move || layer.unpack(&archive, blob.bytes)).await
    }
}

/// Does something with the store on a thread that may wait.
async fn stored<T: Send + 'static>(
    image: &Reference,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, BringError> {
    spawn_blocking(work).await?.map_err(|error| BringError::Store { image: image.clone(), source: error.into() })
}
