//! The documents by which registries describe images: a manifest of one, or an index of one for each platform.
//!
//! Docker's (`distribution/spec/manifest-v2-2`) and OCI's (`image-spec`) have the same fields under other media types.

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// The largest document that is read: OCI asks registries for at least this.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The most layers: those that an overlay of this kernel can have, with room for its own.
pub const MOST_LAYERS: usize = 120;

/// A document as a registry gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// The image for each platform.
    Index(Vec<Entry>),
}

/// The parts of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The description of the way it is to be run.
    pub config: Blob,
    /// Its files, the lowest layer first.
    pub layers: Vec<Layer>,
}

/// Bytes that a registry has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Their name, and the proof that they are right.
    pub digest: Digest,
    /// Their number.
    pub bytes: u64,
}

/// An archive of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The archive.
    pub blob: Blob,
    /// The way it is compressed.
    pub compression: Compression,
}

/// The compression of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// An image of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The platform it runs on; without, any.
    pub platform: Option<Platform>,
    /// Its manifest.
    pub manifest: Blob,
}

/// A kind of machine, in the words of Go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`
    pub os: String,
    /// `amd64`, `arm64`
    pub architecture: String,
    /// `v7` of an `arm`.
    #[serde(default)]
    pub variant: Option<String>,
}

/// Why a document cannot be used; the registry, or the maker of the image, is at fault.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is no JSON, or lacks a field.
    #[error("the manifest cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It is larger than anybody's.
    #[error("the manifest has {0} bytes; at most {MOST_BYTES} are read")]
    TooLarge(usize),
    /// It is of a kind that we do not know, such as version 1 of Docker's.
    #[error("manifests of the kind '{0}' are not supported")]
    Kind(String),
    /// A layer is of a kind that we do not know, such as files that are to be had elsewhere.
    #[error("layers of the kind '{0}' are not supported")]
    LayerKind(String),
    /// More layers than a container can have.
    #[error("the image has {0} layers; at most {MOST_LAYERS} are supported")]
    TooManyLayers(usize),
    /// The index has no image for this machine.
    #[error("there is no image for {wanted}, only for {}", offered.join(", "))]
    NoPlatform {
        /// This machine.
        wanted: String,
        /// The platforms that the index names.
        offered: Vec<String>,
    },
}

impl Document {
    /// Reads a document that came with this media type. One that says its own kind is believed.
    pub fn parse(bytes: &[u8], media_type: &str) -> Result<Document, ManifestError> {
        if bytes.len() > MOST_BYTES {
            return Err(ManifestError::TooLarge(bytes.len()));
        }
        let raw: Raw = serde_json::from_slice(bytes)?;
        let kind = raw.media_type.clone().unwrap_or_else(|| media_type.to_owned());
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/vnd.docker.distribution.manifest.v2+json" | "application/vnd.oci.image.manifest.v1+json" => {
                raw.manifest().map(Document::Manifest)
            }
            "application/vnd.docker.distribution.manifest.list.v2+json" | "application/vnd.oci.image.index.v1+json" => {
                Ok(Document::Index(raw.index()))
            }
            _ => Err(ManifestError::Kind(kind)),
        }
    }
}

impl Platform {
    /// This machine's.
    pub fn here() -> Platform {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            other => other,
        };
        Platform { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None }
    }

    /// True if an image for the other platform runs here.
    pub fn runs(&self, other: &Platform) -> bool {
        let variant = self.variant.is_none() || other.variant.is_none() || self.variant == other.variant;
        self.os == other.os && self.architecture == other.architecture && variant
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

/// The image of an index for this machine.
pub fn choose<'a>(index: &'a [Entry], here: &Platform) -> Result<&'a Blob, ManifestError> {
    let runs = |entry: &&Entry| entry.platform.as_ref().is_none_or(|platform| here.runs(platform));
    let found = index.iter().find(runs).map(|entry| &entry.manifest);
    let offered = || index.iter().flat_map(|entry| &entry.platform).map(ToString::to_string).collect();
    found.ok_or_else(|| ManifestError::NoPlatform { wanted: here.to_string(), offered: offered() })
}

/// Both kinds, as they are written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    media_type: Option<String>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: Digest,
    size: u64,
    platform: Option<Platform>,
}

impl Descriptor {
    fn blob(&self) -> Blob {
        Blob { digest: self.digest, bytes: self.size }
    }

    fn layer(&self) -> Result<Layer, ManifestError> {
        let compression = match self.media_type.as_str() {
            "application/vnd.docker.image.rootfs.diff.tar.gzip" | "application/vnd.oci.image.layer.v1.tar+gzip" => {
                Compression::Gzip
            }
            "application/vnd.oci.image.layer.v1.tar+zstd" => Compression::Zstd,
            "application/vnd.docker.image.rootfs.diff.tar" | "application/vnd.oci.image.layer.v1.tar" => {
                Compression::None
            }
            other => return Err(ManifestError::LayerKind(other.to_owned())),
        };
        Ok(Layer { blob: self.blob(), compression })
    }
}

impl Raw {
    fn manifest(self) -> Result<Manifest, ManifestError> {
        if self.layers.len() > MOST_LAYERS {
            return Err(ManifestError::TooManyLayers(self.layers.len()));
        }
        let missing = || <serde_json::Error as serde::de::Error>::missing_field("config");
        let config = self.config.as_ref().ok_or_else(missing)?.blob();
        Ok(Manifest { config, layers: self.layers.iter().map(Descriptor::layer).collect::<Result<_, _>>()? })
    }

    fn index(self) -> Vec<Entry> {
        let entry = |one: Descriptor| Entry { manifest: one.blob(), platform: one.platform };
        self.manifests.into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

    fn descriptor(kind: &str, content: &str) -> Value {
        json!({"mediaType": kind, "digest": Digest::of(content.as_bytes()), "size": content.len()})
    }

    fn parse(document: &Value, media_type: &str) -> Result<Document, ManifestError> {
        Document::parse(document.to_string().as_bytes(), media_type)
    }

    #[test]
    fn dockers_and_ocis_manifests_are_read_alike() {
        let docker = "application/vnd.docker.distribution.manifest.v2+json";
        let blob = |content: &str| Blob { digest: Digest::of(content.as_bytes()), bytes: content.len() as u64 };
        for (kind, layer, compression) in [
            (docker, "application/vnd.docker.image.rootfs.diff.tar.gzip", Compression::Gzip),
            (OCI, "application/vnd.oci.image.layer.v1.tar+gzip", Compression::Gzip),
            (OCI, "application/vnd.oci.image.layer.v1.tar+zstd", Compression::Zstd),
            (OCI, "application/vnd.oci.image.layer.v1.tar", Compression::None),
        ] {
            let document = json!({"schemaVersion": 2, "config": descriptor("", "config"),
                "layers": [descriptor(layer, "one"), descriptor(layer, "two")]});
            let layers = ["one", "two"].map(|content| Layer { blob: blob(content), compression }).to_vec();
            let expected = Document::Manifest(Manifest { config: blob("config"), layers });
            assert_eq!(parse(&document, &format!("{kind}; charset=utf-8")).unwrap(), expected, "{layer}");
        }
    }

    #[test]
    fn an_index_has_an_image_for_this_machine_or_names_those_it_has() {
        let entry = |architecture: &str| {
            let mut entry = descriptor(OCI, architecture);
            entry["platform"] = json!({"os": "linux", "architecture": architecture});
            entry
        };
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({"mediaType": kind, "manifests": [entry("s390x"), entry("amd64")]});
        let Document::Index(index) = parse(&index, "text/plain").unwrap() else { panic!("an index") };
        let machine = |architecture: &str| Platform { architecture: architecture.to_owned(), ..Platform::here() };
        assert_eq!(choose(&index, &machine("amd64")).unwrap().digest, Digest::of(b"amd64"));
        let error = choose(&index, &machine("riscv64")).unwrap_err().to_string();
        assert_eq!(error, "there is no image for linux/riscv64, only for linux/s390x, linux/amd64");
    }

    #[test]
    fn documents_of_no_use_say_why() {
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        let layers = |count: usize, kind: &str| vec![descriptor(kind, "x"); count];
        let manifest = |layers: Vec<Value>| json!({"config": descriptor("", "c"), "layers": layers});
        for (document, kind, why) in [
            (json!({}), "application/vnd.docker.distribution.manifest.v1+prettyjws", "of the kind 'application/vnd"),
            (json!({}), OCI, "missing field `config`"),
            (json!({"config": {"digest": "x", "size": 1}}), OCI, "'x' is no digest"),
            (json!({"config": {"digest": Digest::of(b""), "size": -1}}), OCI, "invalid value"),
            (manifest(layers(1, foreign)), OCI, "layers of the kind 'application/vnd.docker.image.rootfs.foreign"),
            (manifest(layers(121, "")), OCI, "the image has 121 layers; at most 120 are supported"),
        ] {
            let error = parse(&document, kind).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        let large = vec![b' '; MOST_BYTES + 1];
        assert!(matches!(Document::parse(&large, OCI), Err(ManifestError::TooLarge(_))));
    }
}
