//! Removal of files, and of trees that others have made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{At, StoreError};
use super::paths::Paths;

/// Removes a file that may be gone.
pub(super) fn file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.at("remove", path),
    }
}

/// Moves a tree to where the rest of its life is its removal, at the latest by the next sweep.
pub(super) fn condemn(paths: &Paths, tree: &Path) -> Result<PathBuf, StoreError> {
    let condemned = paths.unique(&paths.staging(), "gone");
    fs::rename(tree, &condemned).at("remove", tree)?;
    Ok(condemned)
}

/// Removes a tree.
pub(super) fn tree(paths: &Paths, tree: &Path) -> Result<(), StoreError> {
    let condemned = condemn(paths, tree)?;
    processes::remove_tree(&condemned).at("remove", &condemned)
}
