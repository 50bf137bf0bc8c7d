//! Images from files: what `docker save` and makers of OCI layouts have written into a directory of the operator's.
//!
//! ```text
//!   find     the file that has the image of a name
//!   source   files inside it, by name: a tar archive, compressed or not, or a directory
//!   docker   `manifest.json`, which `docker save` writes in all its forms
//!   oci      `index.json` of an OCI layout
//! ```
//!
//! `docker save` of Docker 25 and later writes both documents; then Docker's decides, because it names just the image that
//! was saved. All calls may block.

mod docker;
mod error;
mod find;
mod oci;
mod source;

use std::path::Path;

pub use self::error::{ArchiveError, Reason};
use self::source::Source;
use crate::image::{Digest, ImageConfig, MOST_LAYERS, ManifestError, Platform, Reference, Version};
use crate::store::{Claim, Image, Store};

/// The parts of an image in an archive.
struct Parts {
    /// The digest of its manifest, or of its configuration if it has none.
    manifest: Digest,
    config: Vec<u8>,
    /// Names of its layers' archives, the lowest first.
    layers: Vec<String>,
}

/// Brings the image of this name from the directory into the store. What the store has of it is not read again.
pub fn load(store: &Store, directory: &Path, reference: &Reference) -> Result<Image, ArchiveError> {
    let path = find::find(directory, reference)?;
    bring(store, &path, reference).map_err(|why| ArchiveError::Unusable { path, why })
}

fn bring(store: &Store, path: &Path, reference: &Reference) -> Result<Image, Reason> {
    let mut source = Source::open(path, store)?;
    let parts = match source.has(docker::MANIFEST) {
        true => docker::parts(&mut source, reference)?,
        false => oci::parts(&mut source, reference)?,
    };
    check(&parts, reference)?;
    let pull = store.pull(reference, parts.manifest, &parts.config)?;
    if pull.layers().len() != parts.layers.len() {
        return Err(Reason::Layers { config: pull.layers().len(), manifest: parts.layers.len() });
    }
    for (diff_id, name) in pull.layers().iter().zip(&parts.layers) {
        if let Claim::Yours(layer) = pull.claim(diff_id)? {
            let (archive, length) = source.file(name)?;
            layer.unpack(&archive, length)?;
        }
    }
    Ok(pull.finish()?)
}

/// The image has to be for this machine, and the one that was asked for.
fn check(parts: &Parts, reference: &Reference) -> Result<(), Reason> {
    let platform = ImageConfig::parse(&parts.config).map_err(ManifestError::Json)?.platform;
    let here = Platform::here();
    if !platform.architecture.is_empty() && !here.runs(&platform) {
        return Err(ManifestError::NoPlatform { wanted: here.to_string(), offered: vec![platform.to_string()] }.into());
    }
    if parts.layers.len() > MOST_LAYERS {
        return Err(ManifestError::TooManyLayers(parts.layers.len()).into());
    }
    match reference.version() {
        Version::Digest(wanted) if ![parts.manifest, Digest::of(&parts.config)].contains(wanted) => {
            Err(Reason::OtherImage { wanted: reference.to_string(), offered: parts.manifest.to_string() })
        }
        _ => Ok(()),
    }
}
