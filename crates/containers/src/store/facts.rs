//! The facts known of a layer, in a file beside it.
//!
//! A new layer is on disk only when the kernel has written it, which takes longer than unpacking. Until [`Store::settle`]
//! has waited for that, the layer is good for as long as this machine runs: it has the boot in which it was made, and one
//! of an earlier boot may have holes.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Store;
use super::error::{At, StoreError, tell};
use super::lock::Lock;
use super::paths::list;

const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// The facts known of a layer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The bytes of its files.
    pub(super) bytes: u64,
    /// The boot that it does not outlive.
    #[serde(default)]
    pub(super) boot: Option<String>,
}

impl Facts {
    /// The facts of a layer. If they are lost, it has no size and is good: it may be in use.
    pub(super) fn of(layer: &Path) -> Facts {
        let path = layer.join("layer.json");
        let parse = |content: Vec<u8>| serde_json::from_slice(&content).map_err(io::Error::from);
        fs::read(&path).and_then(parse).at("read", &path).inspect_err(tell).unwrap_or_default()
    }

    pub(super) fn write(&self, layer: &Path) -> Result<(), StoreError> {
        let path = layer.join("layer.json");
        let content = serde_json::to_vec(self).map_err(io::Error::from);
        content.and_then(|content| ::store::replace_file(&path, &content, 0o600)).at("write", &path)
    }

    /// True if it was not on disk yet when the machine was switched off.
    pub(super) fn is_of_another_boot(&self, this: &str) -> bool {
        self.boot.as_ref().is_some_and(|boot| boot != this)
    }
}

/// The present boot of this machine.
pub(super) fn boot() -> Result<String, StoreError> {
    let boot = fs::read_to_string(BOOT).at("read", Path::new(BOOT))?;
    Ok(boot.trim().to_owned())
}

impl Store {
    /// Waits until all layers are on disk, which may take long, so that they outlive a power cut.
    pub fn settle(&self) -> Result<(), StoreError> {
        let layers = list(&self.paths.layers())?;
        let new: Vec<_> = layers.into_iter().filter(|layer| Facts::of(layer).boot.is_some()).collect();
        if new.is_empty() {
            return Ok(());
        }
        let root = fs::File::open(self.paths.root()).at("open", self.paths.root())?;
        rustix::fs::syncfs(root).at("sync", self.paths.root())?;
        let _lock = Lock::wait(&self.paths.lock())?;
        let mut still_here = new.iter().filter(|layer| layer.is_dir());
        still_here.try_for_each(|layer| Facts { boot: None, ..Facts::of(layer) }.write(layer))
    }
}
