//! A pull: an image on its way into the store.

use std::path::PathBuf;

use super::claim::Claim;
use super::error::{At, StoreError, tell};
use super::holds::Hold;
use super::image::{Image, Record};
use super::lock::Lock;
use super::{Store, removal};
use crate::image::{Digest, ImageConfig, Reference};

/// A pull under way. While it lives nothing that it needs is collected; when it is dropped without [`Pull::finish`], what
/// it brought stays for the next one until there is need for its space.
#[derive(Debug)]
pub struct Pull {
    store: Store,
    reference: Reference,
    record: Record,
    hold: PathBuf,
}

impl Store {
    /// Begins to bring an image, of which the configuration is here. `manifest` is the digest of its manifest.
    pub fn pull(&self, reference: &Reference, manifest: Digest, config: &[u8]) -> Result<Pull, StoreError> {
        let wrong = |error: &dyn std::fmt::Display| StoreError::Config(error.to_string());
        let layers = ImageConfig::parse(config).map_err(|error| wrong(&error))?.layers;
        let layers: Result<Vec<Digest>, _> = layers.iter().map(|layer| layer.parse()).collect();
        let layers = layers.map_err(|error| wrong(&error))?;
        let digest = Digest::of(config);
        let record = Record { reference: reference.to_string(), manifest, config: digest, layers };
        let hold = self.paths.unique(&self.paths.pulls(), "pull");
        let pull = Pull { store: self.clone(), reference: reference.clone(), record, hold };
        pull.hold(config)?;
        Ok(pull)
    }
}

impl Pull {
    fn hold(&self, content: &[u8]) -> Result<(), StoreError> {
        let paths = &self.store.paths;
        let _lock = Lock::wait(&paths.lock())?;
        let Record { reference, config, layers, .. } = &self.record;
        Hold { holder: reference.clone(), config: Some(*config), layers: layers.clone() }.write(&self.hold)?;
        let path = paths.config(config);
        ::store::replace_file(&path, content, 0o600).at("write", &path)
    }

    /// The layers of the image, the lowest first, by their digests without compression; in the order of its
    /// manifest, which has to have as many.
    pub fn layers(&self) -> &[Digest] {
        &self.record.layers
    }

    /// The right to bring a layer. Waits while another pull has it; whoever waits gets it when the other gives up.
    pub fn claim(&self, diff_id: &Digest) -> Result<Claim, StoreError> {
        Claim::of(&self.store, diff_id)
    }

    /// Gives the image its name, when all its layers are here. A lease that is taken before the pull is dropped finds all
    /// of them.
    pub fn finish(&self) -> Result<Image, StoreError> {
        let paths = &self.store.paths;
        let _lock = Lock::wait(&paths.lock())?;
        let missing = self.record.layers.iter().find(|layer| !paths.layer(layer).is_dir());
        if let Some(missing) = missing {
            return Err(StoreError::Missing(*missing));
        }
        self.record.write(paths, &self.reference)?;
        self.record.image(paths)?.ok_or(StoreError::Missing(self.record.config))
    }
}

impl Drop for Pull {
    fn drop(&mut self) {
        let _told = removal::file(&self.hold).inspect_err(tell);
    }
}
