//! The right to bring a layer: one at a time has it, from the download to the unpacked tree.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::error::{At, StoreError, tell};
use super::facts::{Facts, boot};
use super::lock::Lock;
use super::{Store, removal};
use crate::image::Digest;
use crate::unpack;

/// The answer to a request for the right to bring a layer.
#[derive(Debug)]
pub enum Claim {
    /// It is here.
    Here,
    /// It is to be brought by the one who asked.
    Yours(Layer),
}

/// A layer to be brought. Its lock ends when this is dropped, and then nothing unfinished is left. A thread that has one
/// and waits for another may wait for ever.
#[derive(Debug)]
pub struct Layer {
    store: Store,
    diff_id: Digest,
    directory: PathBuf,
    lock: Lock,
}

impl Claim {
    pub(super) fn of(store: &Store, diff_id: &Digest) -> Result<Claim, StoreError> {
        let directory = store.paths.unfinished(diff_id);
        loop {
            if store.paths.layer(diff_id).is_dir() {
                return Ok(Claim::Here);
            }
            make_directory(&directory, 0o700)?;
            // Who had it has renamed or removed what was locked.
            let Some(lock) = Lock::directory(&directory)?.filter(|lock| lock.is(&directory)) else { continue };
            let layer = Layer { store: store.clone(), diff_id: *diff_id, directory: directory.clone(), lock };
            let is_empty = fs::read_dir(&directory).at("list", &directory)?.next().is_none();
            // What is dropped here is removed: remains that could not be removed before, or what nobody needs any more.
            if is_empty && !store.paths.layer(diff_id).is_dir() {
                return Ok(Claim::Yours(layer));
            }
        }
    }
}

impl Layer {
    /// A new file for the layer's archive, to be read and written; it goes when the layer is unpacked, or given up.
    pub fn archive(&self) -> Result<File, StoreError> {
        let path = self.directory.join("archive");
        File::options().create(true).truncate(true).read(true).write(true).open(&path).at("make", &path)
    }

    /// Unpacks an archive: `length` bytes of a file from its position on. Nothing has to be known of the file, because
    /// what is in it is compared with the layer's digest.
    pub fn unpack(self, archive: &File, length: u64) -> Result<(), StoreError> {
        let root = self.directory.join("rootfs");
        make_directory(&root, 0o755)?;
        let failed = |source| StoreError::Unpack { layer: self.diff_id, source };
        let Store { unpack, bounds, paths, .. } = &self.store;
        let unpacked = unpack::run(unpack, archive, length, &root, *bounds).map_err(failed)?;
        if unpacked.diff_id != self.diff_id {
            return Err(StoreError::Digest { expected: self.diff_id, found: unpacked.diff_id });
        }
        removal::file(&self.directory.join("archive"))?;
        Facts { bytes: unpacked.bytes, boot: Some(boot()?) }.write(&self.directory)?;
        let layer = paths.layer(&self.diff_id);
        fs::rename(&self.directory, &layer).at("name", &layer)?;
        File::open(paths.layers()).and_then(|layers| layers.sync_all()).at("sync", &layer)
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        if self.lock.is(&self.directory) {
            let _told = removal::tree(&self.store.paths, &self.directory).inspect_err(tell);
        }
    }
}

fn make_directory(path: &Path, mode: u32) -> Result<(), StoreError> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.at("make", path),
    }
}
