//! Leases that are lost or damaged, made anew from what their containers have.

use std::path::PathBuf;

use super::Store;
use super::error::{StoreError, tell};
use super::holds::Hold;
use super::image::Record;
use super::lock::Lock;
use super::paths::digest_of;
use crate::image::{Digest, Reference};

impl Store {
    /// Makes sure that a container has the lease of an image that it runs from, by the directories of its layers. Comes
    /// before the first collection. A lease that is there and whole stays as it is.
    pub fn renew(&self, container: &str, reference: &Reference, layers: &[PathBuf]) -> Result<(), StoreError> {
        let layers: Vec<Digest> = layers.iter().filter_map(|layer| digest_of(layer.parent()?)).collect();
        let path = self.paths.lease(container, layers.iter());
        let _lock = Lock::wait(&self.paths.lock())?;
        match Hold::read(&path).inspect_err(tell) {
            Ok(Some(_)) => return Ok(()),
            _ => tracing::warn!("image store: the lease {} is made anew", path.display()),
        }
        let config = Record::read(&self.paths, reference)?.filter(|record| record.has_all(&layers));
        Hold { holder: container.to_owned(), config: config.map(|record| record.config), layers }.write(&path)
    }
}
