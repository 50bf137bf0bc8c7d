//! `index.json` of an OCI layout: manifests, configurations and layers by their digests.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Parts;
use super::error::Reason;
use super::source::Source;
use crate::image::{Digest, Document, Manifest, ManifestError, Platform, Reference, choose};

pub(super) const INDEX: &str = "index.json";
/// Annotations that have the name of an image: its tag, or all of it.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

#[derive(Deserialize)]
struct Index {
    manifests: Vec<serde_json::Value>,
}

#[derive(Deserialize, Default)]
struct Named {
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl Named {
    fn names(&self) -> impl Iterator<Item = &String> {
        NAMES.iter().filter_map(|name| self.annotations.as_ref()?.get(*name))
    }

    fn is(&self, wanted: &Reference) -> bool {
        let is = |name: &String| {
            *name == wanted.version().to_string() || name.parse().is_ok_and(|name: Reference| name == *wanted)
        };
        self.names().any(is)
    }
}

/// The parts of an image; of several, the one of this name that is for this machine.
pub(super) fn parts(source: &mut Source, wanted: &Reference) -> Result<Parts, Reason> {
    let mut index: Index = serde_json::from_slice(&source.document(INDEX)?).map_err(ManifestError::Json)?;
    index.manifests = those_of(index.manifests, wanted)?;
    let document = serde_json::json!({"manifests": index.manifests}).to_string();
    let mut document = Document::parse(document.as_bytes(), "application/vnd.oci.image.index.v1+json")?;
    let mut digest = None;
    // An index may name others, but nobody nests them deeper.
    for _ in 0..3 {
        match document {
            Document::Index(entries) => {
                let chosen = choose(&entries, &Platform::here())?.digest;
                let bytes = blob(source, &chosen)?;
                document = Document::parse(&bytes, guess(&bytes))?;
                digest = Some(chosen);
            }
            Document::Manifest(manifest) => return of(source, digest.unwrap_or(manifest.config.digest), &manifest),
        }
    }
    Err(ManifestError::Kind("index of indexes".to_owned()).into())
}

/// The descriptors of this name; all if there is only one image, or if they have no names.
fn those_of(all: Vec<serde_json::Value>, wanted: &Reference) -> Result<Vec<serde_json::Value>, Reason> {
    let named: Vec<Named> = all.iter().map(|one| Named::deserialize(one).unwrap_or_default()).collect();
    let offered: Vec<&str> = named.iter().flat_map(Named::names).map(String::as_str).collect();
    if named.iter().any(|named| named.is(wanted)) {
        let both = all.iter().zip(&named).filter(|(_, named)| named.is(wanted));
        return Ok(both.map(|(one, _)| one.clone()).collect());
    }
    match all.len() > 1 && !offered.is_empty() {
        true => Err(Reason::OtherImage { wanted: wanted.to_string(), offered: offered.join(", ") }),
        false => Ok(all),
    }
}

fn of(source: &mut Source, digest: Digest, manifest: &Manifest) -> Result<Parts, Reason> {
    let config = blob(source, &manifest.config.digest)?;
    let layers = manifest.layers.iter().map(|layer| name(&layer.blob.digest)).collect();
    Ok(Parts { manifest: digest, config, layers })
}

/// The document of this digest, checked.
fn blob(source: &mut Source, digest: &Digest) -> Result<Vec<u8>, Reason> {
    let bytes = source.document(&name(digest))?;
    match Digest::of(&bytes) == *digest {
        true => Ok(bytes),
        false => Err(Reason::Digest(name(digest))),
    }
}

fn name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// The media type of a document that does not say its own, as old ones do not.
fn guess(bytes: &[u8]) -> &'static str {
    let is_index = serde_json::from_slice::<Index>(bytes).is_ok();
    if is_index { "application/vnd.oci.image.index.v1+json" } else { "application/vnd.oci.image.manifest.v1+json" }
}
