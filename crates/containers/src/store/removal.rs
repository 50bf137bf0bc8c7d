//! Removal of trees that others have made, however deep they are.

use std::ffi::OsString;
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

/// Removes a tree. Each directory in it is first moved to the top, so that neither the depth of the tree nor the length of
/// its paths matters.
pub(super) fn tree(paths: &Paths, tree: &Path) -> Result<(), StoreError> {
    let mut condemned = vec![condemn(paths, tree)?];
    while let Some(directory) = condemned.pop() {
        for name in names(&directory)? {
            let path = directory.join(name);
            match fs::symlink_metadata(&path).at("remove", &path)?.is_dir() {
                true => condemned.push(condemn(paths, &path)?),
                false => file(&path)?,
            }
        }
        fs::remove_dir(&directory).at("remove", &directory)?;
    }
    Ok(())
}

fn names(directory: &Path) -> Result<Vec<OsString>, StoreError> {
    let entries = fs::read_dir(directory).at("list", directory)?;
    entries.map(|entry| entry.map(|entry| entry.file_name()).at("list", directory)).collect()
}
