//! A store in a directory of its own, beside something that nobody may touch.

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use containers::image::{Digest, Reference};
use containers::store::{Claim, Store, StoreError};
use containers::unpack::{Bounds, UnpackError, Unpacked};
use serde_json::json;
use tempfile::TempDir;

pub(crate) const BOUNDS: Bounds = Bounds { bytes: 8 << 20, entries: 1000 };

/// The command that unpacks: this very program.
pub(crate) fn unpack() -> Vec<String> {
    vec![std::env::current_exe().unwrap().display().to_string(), "unpack".to_owned()]
}

pub(crate) struct World {
    pub(crate) directory: TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        let world = World { directory: tempfile::tempdir().unwrap() };
        fs::write(world.secret(), "secret").unwrap();
        world
    }

    /// A file outside of every layer.
    pub(crate) fn secret(&self) -> PathBuf {
        self.directory.path().join("secret")
    }

    /// Everything that is there but layers and store.
    pub(crate) fn is_untouched(&self) -> bool {
        let names = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let others: Vec<_> = names.filter(|name| name != "layer" && name != "store").collect();
        others == ["secret"] && fs::read_to_string(self.secret()).unwrap() == "secret"
    }

    /// An archive, unpacked without a store.
    pub(crate) fn unpack(&self, archive: &[u8]) -> Result<(PathBuf, Unpacked), UnpackError> {
        let layer = self.directory.path().join("layer");
        let _first = fs::remove_dir_all(&layer);
        fs::create_dir(&layer).unwrap();
        let unpacked = containers::unpack::run(&unpack(), &file(archive), archive.len() as u64, &layer, BOUNDS)?;
        Ok((layer, unpacked))
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.root(), unpack(), BOUNDS).unwrap()
    }

    /// All that is not finished in the store.
    pub(crate) fn unfinished(&self) -> Vec<PathBuf> {
        unfinished(&self.root())
    }
}

/// All that is not finished in this store.
pub(crate) fn unfinished(root: &Path) -> Vec<PathBuf> {
    let staging = root.join("staging");
    let mut found = list(&staging);
    found.retain(|path| *path != staging.join("pulls"));
    found.extend(list(&staging.join("pulls")));
    for directory in ["images", "configs", "leases"] {
        found.extend(list(&root.join(directory)).into_iter().filter(|path| path.extension().is_some()));
    }
    found
}

pub(crate) fn list(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// A file without a name that has this content.
pub(crate) fn file(content: &[u8]) -> File {
    use std::os::unix::fs::FileExt;
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(content, 0).unwrap();
    file
}

pub(crate) fn reference(name: &str) -> Reference {
    name.parse().unwrap()
}

/// The configuration of an image of these layers.
pub(crate) fn config(layers: &[Vec<u8>]) -> Vec<u8> {
    let digests: Vec<_> = layers.iter().map(|layer| Digest::of(layer)).collect();
    json!({"config": {"Cmd": ["/bin/sh"]}, "rootfs": {"type": "layers", "diff_ids": digests}}).to_string().into_bytes()
}

/// Brings an image as a client of a registry does.
pub(crate) fn bring(store: &Store, name: &str, layers: &[Vec<u8>]) -> Result<(), StoreError> {
    bring_as(store, name, &config(layers), layers)
}

/// Brings an image of this configuration.
pub(crate) fn bring_as(store: &Store, name: &str, config: &[u8], layers: &[Vec<u8>]) -> Result<(), StoreError> {
    let pull = store.pull(&reference(name), Digest::of(b"manifest"), config)?;
    for (diff_id, layer) in pull.layers().iter().zip(layers) {
        if let Claim::Yours(claimed) = pull.claim(diff_id)? {
            let mut archive = claimed.archive()?;
            archive.write_all(layer).and_then(|()| archive.rewind()).unwrap();
            claimed.unpack(&archive, layer.len() as u64)?;
        }
    }
    pull.finish().map(drop)
}
