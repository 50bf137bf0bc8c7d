//! `manifest.json` of `docker save`: configurations and layers by their names in the archive.

use serde::Deserialize;

use super::Parts;
use super::error::Reason;
use super::source::Source;
use crate::image::{Digest, ManifestError, Reference};

pub(super) const MANIFEST: &str = "manifest.json";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

impl Entry {
    fn tags(&self) -> &[String] {
        self.repo_tags.as_deref().unwrap_or_default()
    }

    fn is(&self, wanted: &Reference) -> bool {
        self.tags().iter().any(|tag| tag.parse().is_ok_and(|tag: Reference| tag == *wanted))
    }
}

/// The parts of an image; of several, the one of this name.
pub(super) fn parts(source: &mut Source, wanted: &Reference) -> Result<Parts, Reason> {
    let mut entries: Vec<Entry> = serde_json::from_slice(&source.document(MANIFEST)?).map_err(ManifestError::Json)?;
    let found = match entries.len() {
        1 => Some(0),
        _ => entries.iter().position(|entry| entry.is(wanted)),
    };
    let Some(found) = found else {
        let offered: Vec<_> = entries.iter().flat_map(Entry::tags).map(String::as_str).collect();
        return Err(Reason::OtherImage { wanted: wanted.to_string(), offered: offered.join(", ") });
    };
    let Entry { config, layers, .. } = entries.swap_remove(found);
    let config = source.document(&config)?;
    Ok(Parts { manifest: Digest::of(&config), config, layers })
}
