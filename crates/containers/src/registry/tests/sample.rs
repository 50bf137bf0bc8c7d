//! An image to push and to pull. Its layers are no archives: registries do not look into them.

use serde_json::{Value, json};

use crate::image::{Digest, Platform};

pub(super) const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) config: Vec<u8>,
    pub(super) layers: Vec<Vec<u8>>,
    pub(super) manifest: Vec<u8>,
}

impl Sample {
    /// For this machine.
    pub(super) fn new(layers: &[usize]) -> Sample {
        Sample::of(&Platform::here().architecture, layers)
    }

    /// For some machine, with layers of these lengths.
    pub(super) fn of(architecture: &str, lengths: &[usize]) -> Sample {
        let config = json!({"os": "linux", "architecture": architecture, "config": {"Cmd": ["sh"]}});
        Sample::with(config.to_string().as_bytes(), lengths)
    }

    pub(super) fn with(config: &[u8], lengths: &[usize]) -> Sample {
        let config = config.to_vec();
        let layer = |(seed, length): (usize, &usize)| (0..*length).map(|at| (at * (seed + 7) % 251) as u8).collect();
        let layers: Vec<Vec<u8>> = lengths.iter().enumerate().map(layer).collect();
        let described: Vec<_> = layers.iter().map(|layer| descriptor(LAYER, layer)).collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": described,
            "config": descriptor("application/vnd.docker.container.image.v1+json", &config)});
        Sample { config, layers, manifest: manifest.to_string().into_bytes() }
    }

    pub(super) fn blobs(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.layers.iter().chain([&self.config])
    }
}

/// An index of images by their architecture.
pub(super) fn index(images: &[(&str, &Sample)]) -> Vec<u8> {
    let entry = |(architecture, image): &(&str, &Sample)| {
        let mut entry = descriptor(MANIFEST, &image.manifest);
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        entry
    };
    let entries: Vec<_> = images.iter().map(entry).collect();
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string().into_bytes()
}

fn descriptor(kind: &str, content: &[u8]) -> Value {
    json!({"mediaType": kind, "digest": Digest::of(content), "size": content.len()})
}
