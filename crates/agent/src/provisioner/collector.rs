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

/// Makes room, and has new layers outlive a power cut. On a full disk that cannot be noted: the room comes first.
fn look(store: &Store, headroom: f64, excluded: &[Reference]) -> Result<(), StoreError> {
    let settled = store.settle();
    let (total, available) = store.space()?;
    match Want::headroom(headroom, total, available) {
        Want::Bytes(0) => {}
        want => store.collect(want, excluded).map(tell)?,
    }
    settled
}

fn tell(collected: Collected) {
    if collected.layers > 0 || !collected.images.is_empty() {
        tracing::info!(images = ?collected.images, layers = collected.layers, bytes = collected.bytes, "images removed");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use containers::unpack::Bounds;

    use super::*;

    #[test]
    fn room_is_made_where_nothing_can_be_written() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Vec::new(), Bounds::default()).unwrap();
        let layer = directory.path().join("layers").join("0".repeat(64));
        // Its facts cannot be replaced.
        fs::create_dir_all(layer.join("layer.json.new")).unwrap();
        fs::write(layer.join("layer.json"), r#"{"bytes": 1, "boot": "this"}"#).unwrap();
        assert!(look(&store, 0.0, &[]).is_err() && layer.is_dir(), "nobody needs room");
        assert!(look(&store, 1.0, &[]).is_err() && !layer.exists(), "the whole disk is to be free");
    }
}
