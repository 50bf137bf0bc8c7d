//! Collection: the inventory is taken, the choice is made, and what goes is moved away under the lock that whoever needs
//! something holds while he says so. Removing it takes longer, and nobody waits for that.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::choose::{Candidate, Doomed, Inventory, Want, choose};
use super::error::{At, StoreError, tell};
use super::facts::Facts;
use super::image::Record;
use super::lock::Lock;
use super::paths::{digest_of, list};
use super::{Store, removal};
use crate::image::{Digest, Reference};

/// The things that were collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Names of images that are not here any more.
    pub images: Vec<String>,
    /// The number of layers that are gone.
    pub layers: usize,
    /// The bytes of their files.
    pub bytes: u64,
}

impl Store {
    /// Removes what nobody needs, but for these images.
    pub fn collect(&self, want: Want, excluded: &[Reference]) -> Result<Collected, StoreError> {
        let excluded = excluded.iter().map(ToString::to_string).collect();
        let (doomed, condemned) = {
            let _lock = Lock::wait(&self.paths.lock())?;
            let holds = self.holds()?;
            let doomed = choose(self.inventory(&excluded)?, (&holds.configs, &holds.layers), want);
            let condemned = self.forget(&doomed)?;
            (doomed, condemned)
        };
        condemned.iter().try_for_each(|tree| removal::tree(&self.paths, tree))?;
        Ok(Collected { images: doomed.images, layers: condemned.len(), bytes: doomed.bytes })
    }

    fn inventory(&self, excluded: &BTreeSet<String>) -> Result<Inventory, StoreError> {
        let mut images = Vec::new();
        for path in list(&self.paths.images())? {
            let used = fs::metadata(&path).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            let content = fs::read(&path).at("read", &path)?;
            match Record::parse(path.clone(), &content) {
                Some(record) => images.push((used, record)),
                None => removal::file(&path)?,
            }
        }
        images.sort_by_key(|(used, _)| *used);
        let candidate = |record: Record| {
            let kept = excluded.contains(&record.reference);
            Candidate { name: record.reference, config: record.config, layers: record.layers, kept }
        };
        let layers = list(&self.paths.layers())?.into_iter();
        let layers = layers.filter_map(|path| Some((digest_of(&path)?, Facts::of(&path).bytes)));
        let configs = list(&self.paths.configs())?;
        Ok(Inventory {
            images: images.into_iter().map(|(_, record)| candidate(record)).collect(),
            layers: layers.collect(),
            configs: configs.iter().filter_map(|path| digest_of(path)).collect(),
        })
    }

    /// Names first: one that is left without its layers would be pulled again, but layers without a name are just not
    /// needed.
    fn forget(&self, doomed: &Doomed) -> Result<Vec<PathBuf>, StoreError> {
        for name in &doomed.images {
            removal::file(&self.paths.images().join(Digest::of(name.as_bytes()).hex()))?;
        }
        for config in &doomed.configs {
            removal::file(&self.paths.config(config))?;
        }
        let condemn = |layer: &Digest| removal::condemn(&self.paths, &self.paths.layer(layer)).inspect_err(tell);
        // One that cannot be moved stays: it has no name any more, so the next collection finds it.
        Ok(doomed.layers.iter().filter_map(|layer| condemn(layer).ok()).collect())
    }
}
