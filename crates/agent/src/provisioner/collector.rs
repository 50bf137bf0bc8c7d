//! The collection of images that nobody needs: when the disk has too little room, and when an operator asks for it.
//!
//! Comes in: time. Goes out: a disk with room on it, and new layers that outlive a power cut. One tokio task runs
//! [`ImageCollector::run`] and keeps nothing.

use std::time::Duration;

use containers::image::Reference;
use containers::store::{Collected, Store, StoreError, Want};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::images::Images;
use crate::options::ImageCollection;

#[derive(Debug)]
pub(crate) struct ImageCollector {
    store: Store,
    headroom: f64,
    interval: Duration,
    excluded: Vec<Reference>,
}

impl ImageCollector {
    /// Names of images that are none exclude nothing.
    pub(crate) fn new(images: Images, options: &ImageCollection) -> ImageCollector {
        let excluded = options.excluded_images.iter().filter_map(|name| images.named(name)).collect();
        let (headroom, interval) = (options.image_disk_headroom, options.image_disk_watch_interval);
        ImageCollector { store: images.store().clone(), headroom, interval, excluded }
    }

    /// Never ends by itself.
    pub(crate) async fn run(self) {
        loop {
            sleep(self.interval).await;
            let (store, headroom, excluded) = (self.store.clone(), self.headroom, self.excluded.clone());
            let looked = spawn_blocking(move || look(&store, headroom, &excluded)).await;
            if let Ok(Err(error)) = looked {
                tracing::warn!(%error, "images cannot be collected");
            }
        }
    }
}

impl Images {
    /// PRUNE_IMAGES: removes all that nobody needs, but for these.
    pub(crate) async fn prune(&self, excluded: Vec<Reference>) -> Result<(), StoreError> {
        let store = self.store().clone();
        match spawn_blocking(move || store.collect(Want::Everything, &excluded)).await {
            Ok(collected) => collected.map(tell),
            // It has said so.
            Err(_panicked) => Ok(()),
        }
    }
}

fn look(store: &Store, headroom: f64, excluded: &[Reference]) -> Result<(), StoreError> {
    store.settle()?;
    let (total, available) = store.space()?;
    match Want::headroom(headroom, total, available) {
        Want::Bytes(0) => Ok(()),
        want => store.collect(want, excluded).map(tell),
    }
}

fn tell(collected: Collected) {
    if collected.layers > 0 || !collected.images.is_empty() {
        tracing::info!(images = ?collected.images, layers = collected.layers, bytes = collected.bytes, "images removed");
    }
}
