//! Files of principals and their secrets. In: paths from the command line. Out: what is in them, or why they are of no
//! use. Files that other users may read are warned about.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, ensure};
use mesos::credentials::{Credential, Credentials};

/// The known principals; needed as soon as a flag requires them.
pub(crate) fn known(file: Option<&Path>, flag: &str, needed_by: Option<&str>) -> anyhow::Result<Credentials> {
    let Some(file) = file else {
        ensure!(needed_by.is_none(), "{} needs {flag}, or nobody could come in", needed_by.unwrap_or_default());
        return Ok(Credentials::default());
    };
    let text = read(file)?;
    Credentials::parse(&text).with_context(|| format!("cannot use {}", file.display()))
}

/// The credential of this process.
pub(crate) fn own(file: Option<&Path>) -> anyhow::Result<Option<Credential>> {
    let Some(file) = file else { return Ok(None) };
    let text = read(file)?;
    Credential::parse(&text).map(Some).with_context(|| format!("cannot use {}", file.display()))
}

fn read(file: &Path) -> anyhow::Result<String> {
    // Mesos takes both. Components know nothing of two slashes.
    let file = file.to_str().and_then(|text| text.strip_prefix("file://")).map_or(file, Path::new);
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    if fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0) {
        tracing::warn!(file = %file.display(), "anybody on this machine may read these secrets: chmod o= it");
    }
    Ok(text)
}
