//! Paths as they stand on the command line.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// An absolute path: what is started from here runs elsewhere.
pub(crate) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}
