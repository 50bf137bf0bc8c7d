//! The places in a store.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{At, StoreError};
use crate::image::{Digest, Reference};

/// The places in a store.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    root: Arc<Path>,
}

impl Paths {
    /// Makes the directories. Layers have device nodes and setuid programs, so only the owner may enter.
    pub(super) fn make(root: &Path) -> Result<Paths, StoreError> {
        let paths = Paths { root: root.into() };
        let all = [root.to_owned(), paths.images(), paths.configs(), paths.layers(), paths.leases(), paths.staging()];
        for directory in all.into_iter().chain([paths.pulls()]) {
            DirBuilder::new().recursive(true).mode(0o700).create(&directory).at("make", &directory)?;
        }
        Ok(paths)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    pub(super) fn configs(&self) -> PathBuf {
        self.root.join("configs")
    }

    pub(super) fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    pub(super) fn leases(&self) -> PathBuf {
        self.root.join("leases")
    }

    pub(super) fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// The directory for the needs of pulls under way; they are gone with their process.
    pub(super) fn pulls(&self) -> PathBuf {
        self.staging().join("pulls")
    }

    /// Held by the process that has the store open.
    pub(super) fn process_lock(&self) -> PathBuf {
        self.root.join("process.lock")
    }

    /// Held for a moment by whoever changes what is needed, and by the collector.
    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("holds.lock")
    }

    pub(super) fn image(&self, reference: &Reference) -> PathBuf {
        self.images().join(Digest::of(reference.to_string().as_bytes()).hex())
    }

    pub(super) fn config(&self, digest: &Digest) -> PathBuf {
        self.configs().join(digest.hex())
    }

    pub(super) fn layer(&self, diff_id: &Digest) -> PathBuf {
        self.layers().join(diff_id.hex())
    }

    /// A name of an image may mean something else by the next time that a container wants it: both are kept.
    pub(super) fn lease<'a>(&self, container: &str, layers: impl Iterator<Item = &'a Digest>) -> PathBuf {
        let layers: String = layers.map(Digest::hex).collect();
        let [container, layers] = [container, &layers].map(|text| Digest::of(text.as_bytes()).hex());
        self.leases().join(format!("{container}-{layers}"))
    }

    /// The leases that are of one of these containers, or of none of them.
    pub(super) fn leases_of<'a>(
        &self,
        containers: impl IntoIterator<Item = &'a str>,
        are: bool,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let named = containers.into_iter().map(|container| Digest::of(container.as_bytes()).hex());
        let named: BTreeSet<String> = named.collect();
        let is_named = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            named.contains(name.split('-').next().unwrap_or_default()) == are
        };
        Ok(list(&self.leases())?.into_iter().filter(is_named).collect())
    }

    /// The layer while it is made.
    pub(super) fn unfinished(&self, diff_id: &Digest) -> PathBuf {
        self.staging().join(format!("layer-{}", diff_id.hex()))
    }

    /// A name that nothing in this store has.
    pub(super) fn unique(&self, directory: &Path, kind: &str) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            // A process that was killed may have had the same id.
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = directory.join(format!("{kind}-{}-{number}", std::process::id()));
            if path.symlink_metadata().is_err() {
                return path;
            }
        }
    }
}

/// The files of a directory that are there as a whole.
pub(super) fn list(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = fs::read_dir(directory).at("list", directory)?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path()).at("list", directory)).collect();
    Ok(paths?.into_iter().filter(|path| path.extension().is_none()).collect())
}

/// The digest that is the name of a file.
pub(super) fn digest_of(path: &Path) -> Option<Digest> {
    format!("sha256:{}", path.file_name()?.to_str()?).parse().ok()
}
