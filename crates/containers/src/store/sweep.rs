//! Remains of a process that was killed, removed by the next.

use std::fs;
use std::path::Path;

use super::error::{At, StoreError, tell};
use super::facts::{Facts, boot};
use super::image::Record;
use super::lock::Lock;
use super::paths::{Paths, digest_of, list};
use super::removal;
use crate::image::Digest;

/// Removes what is not finished, and layers that have lost their files or that an earlier boot may not have written to the
/// end. What cannot be removed is told, and stays until the next time.
pub(super) fn sweep(paths: &Paths) -> Result<(), StoreError> {
    for path in everything(&paths.staging())? {
        if path != paths.pulls() {
            let _told = remove(paths, &path).inspect_err(tell);
        }
    }
    let boot = boot()?;
    for layer in everything(&paths.layers())? {
        if !layer.join("rootfs").is_dir() {
            tell(&StoreError::Damaged { path: layer.clone(), why: "it has no files".to_owned() });
            let _told = removal::tree(paths, &layer).inspect_err(tell);
            continue;
        }
        if Facts::of(&layer).is_of_another_boot(&boot) {
            tracing::info!("image store: {} was not on disk yet when this machine went down", layer.display());
            let _told = removal::tree(paths, &layer).inspect_err(tell);
        }
    }
    damaged(paths)?;
    for directory in [paths.pulls(), paths.images(), paths.configs(), paths.leases()] {
        let unfinished = |path: &std::path::PathBuf| directory == paths.pulls() || path.extension().is_some();
        for path in everything(&directory)?.into_iter().filter(unfinished) {
            let _told = removal::file(&path).inspect_err(tell);
        }
    }
    Ok(())
}

/// Removes names and configurations that cannot be read, so that what they are of is brought again.
fn damaged(paths: &Paths) -> Result<(), StoreError> {
    for path in list(&paths.images())? {
        if Record::parse(path.clone(), &fs::read(&path).at("read", &path)?).is_none() {
            removal::file(&path)?;
        }
    }
    for path in list(&paths.configs())? {
        if digest_of(&path) != Some(Digest::of(&fs::read(&path).at("read", &path)?)) {
            tell(&StoreError::Damaged { path: path.clone(), why: "its digest is another".to_owned() });
            removal::file(&path)?;
        }
    }
    Ok(())
}

/// A child that unpacks dies with its parent, but perhaps only in a moment: it has a lock as long as it lives.
fn remove(paths: &Paths, path: &Path) -> Result<(), StoreError> {
    if !path.is_dir() {
        return removal::file(path);
    }
    let _lock = Lock::directory(&path.join("rootfs"))?;
    removal::tree(paths, path)
}

fn everything(directory: &Path) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let entries = std::fs::read_dir(directory).at("list", directory)?;
    entries.map(|entry| entry.map(|entry| entry.path()).at("list", directory)).collect()
}
