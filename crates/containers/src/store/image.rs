//! An image of the store: what a name means.

use std::fs;
use std::io;
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use serde::{Deserialize, Serialize};

use super::error::{At, StoreError, tell};
use super::paths::Paths;
use crate::image::{Digest, ImageConfig, Reference};

/// An image that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The digest by which its registry knows it; of one without a manifest, its configuration's.
    pub manifest: Digest,
    /// The way it is to be run.
    pub config: ImageConfig,
    /// The directories of its layers, the lowest first, none of them twice.
    pub layers: Vec<PathBuf>,
}

/// The record of a name on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) reference: String,
    pub(super) manifest: Digest,
    pub(super) config: Digest,
    pub(super) layers: Vec<Digest>,
}

impl Record {
    pub(super) fn write(&self, paths: &Paths, reference: &Reference) -> Result<(), StoreError> {
        let path = paths.image(reference);
        let content = serde_json::to_vec(self).map_err(io::Error::from).at("write", &path)?;
        ::store::replace_file(&path, &content, 0o600).at("write", &path)
    }

    /// The record of a name. One that is damaged is as good as none: the image is pulled again.
    pub(super) fn read(paths: &Paths, reference: &Reference) -> Result<Option<Record>, StoreError> {
        let path = paths.image(reference);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            content => Ok(Record::parse(path, &content.at("read", &paths.image(reference))?)),
        }
    }

    pub(super) fn parse(path: PathBuf, content: &[u8]) -> Option<Record> {
        let damaged = |error: serde_json::Error| StoreError::Damaged { path, why: error.to_string() };
        serde_json::from_slice(content).map_err(damaged).inspect_err(tell).ok()
    }

    /// The image, if all of it is here.
    pub(super) fn image(&self, paths: &Paths) -> Result<Option<Image>, StoreError> {
        if let Some(missing) = self.layers.iter().find(|layer| !paths.layer(layer).is_dir()) {
            tell(&StoreError::Missing(*missing));
            return Ok(None);
        }
        let path = paths.config(&self.config);
        let content = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            content => content.at("read", &path)?,
        };
        if Digest::of(&content) != self.config {
            tell(&StoreError::Damaged { path, why: "its digest is another".to_owned() });
            return Ok(None);
        }
        let config = ImageConfig::parse(&content).map_err(|error| StoreError::Config(error.to_string()))?;
        let layers = self.distinct().map(|layer| paths.layer(layer).join("rootfs")).collect();
        Ok(Some(Image { manifest: self.manifest, config, layers }))
    }

    /// True if it has these layers and no others.
    pub(super) fn has_all(&self, layers: &[Digest]) -> bool {
        self.distinct().eq(layers)
    }

    /// Its layers, each once, where it is highest: there it hides what it has below, and overlayfs takes none twice.
    pub(super) fn distinct(&self) -> impl Iterator<Item = &Digest> {
        let is_last = |(place, layer): &(usize, &Digest)| !self.layers[place + 1..].contains(layer);
        self.layers.iter().enumerate().filter(is_last).map(|(_, layer)| layer)
    }

    /// Remembers that it was used just now.
    pub(super) fn used(&self, paths: &Paths) -> Result<(), StoreError> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        let path = paths.images().join(Digest::of(self.reference.as_bytes()).hex());
        utimensat(CWD, &path, &times, AtFlags::empty()).at("touch", &path)
    }
}
