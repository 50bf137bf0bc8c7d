//! Images that tests make themselves, in the forms in which others bring them: the archive of `docker save`, the layout
//! of OCI, and the blobs and the manifest of a registry.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest::SHA256;
use serde_json::{Value, json};
use tar::EntryType;

use crate::archive::{Archive, gzip};
use crate::busybox;

/// The media type of an image's manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image.
#[derive(Clone, Debug)]
pub struct Image {
    /// The layers, the lowest first.
    pub layers: Vec<Layer>,
    /// The configuration, as JSON.
    pub config: Vec<u8>,
}

/// A layer of an image.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The archive.
    pub tar: Vec<u8>,
    /// The archive as registries have it.
    pub blob: Vec<u8>,
    form: &'static str,
}

impl Layer {
    /// A layer that nobody compresses.
    pub fn plain(tar: Vec<u8>) -> Layer {
        Layer { blob: tar.clone(), tar, form: "layer.v1.tar" }
    }

    /// A layer that is compressed where it may be.
    pub fn compressed(tar: Vec<u8>) -> Layer {
        Layer { blob: gzip(&tar), tar, form: "layer.v1.tar+gzip" }
    }
}

impl Image {
    /// An image for this machine. `config` is what containers of it begin with: `Env`, `User`, `Entrypoint`, `Cmd`,
    /// `Healthcheck` and so on.
    pub fn new(layers: Vec<Layer>, config: &Value) -> Image {
        Image::on(architecture(), layers, config)
    }

    /// An image for machines of this architecture.
    pub fn on(architecture: &str, layers: Vec<Layer>, config: &Value) -> Image {
        let ids: Vec<String> = layers.iter().map(|layer| digest(&layer.tar)).collect();
        let config = json!({"os": "linux", "architecture": architecture, "config": config,
            "rootfs": {"type": "layers", "diff_ids": ids}});
        Image { layers, config: config.to_string().into_bytes() }
    }

    /// An image of busybox, and of what is in `more` above it.
    pub fn busybox(more: Archive, config: &Value) -> Image {
        let mut config = config.clone();
        if config["Env"].is_null() {
            config["Env"] = json!(["PATH=/bin"]);
        }
        Image::new(vec![Layer::plain(busybox::archive().tar()), Layer::compressed(more.tar())], &config)
    }

    /// The manifest as a registry has it.
    pub fn manifest(&self) -> Vec<u8> {
        let layers: Vec<Value> = self.layers.iter().map(|layer| descriptor(layer.form, &layer.blob)).collect();
        let config = descriptor("config.v1+json", &self.config);
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).to_string().into_bytes()
    }

    /// All that the manifest names.
    pub fn blobs(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.layers.iter().map(|layer| &layer.blob).chain([&self.config])
    }

    /// The files of an OCI layout, in whose index the image has these annotations.
    pub fn oci(&self, annotations: &Value) -> Vec<(String, Vec<u8>)> {
        let manifest = self.manifest();
        let mut entry = descriptor("manifest.v1+json", &manifest);
        entry["annotations"] = annotations.clone();
        let index = json!({"schemaVersion": 2, "manifests": [entry]}).to_string().into_bytes();
        let mut files: Vec<_> =
            self.blobs().chain([&manifest]).map(|content| (blob(content), content.clone())).collect();
        files.push(("index.json".to_owned(), index));
        files.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec()));
        files
    }

    /// The files of `docker save` since version 25: an OCI layout, and what older versions read. `names` has the
    /// repository and the tag of each, as in `app:1`; there may be none.
    pub fn docker(&self, names: &[&str]) -> Vec<(String, Vec<u8>)> {
        let mut files = self.oci(&json!({}));
        let compressed = self.layers.iter().filter(|layer| layer.tar != layer.blob);
        files.extend(compressed.map(|layer| (blob(&layer.tar), layer.tar.clone())));
        let layers: Vec<String> = self.layers.iter().map(|layer| blob(&layer.tar)).collect();
        let names = (!names.is_empty()).then_some(names);
        let manifest = json!([{"Config": blob(&self.config), "RepoTags": names, "Layers": layers}]);
        files.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
        files
    }

    /// Writes `NAME.tar`, as `docker save` does, into a directory of archives.
    pub fn save(&self, directory: &Path, name: &str) {
        fs::write(directory.join(format!("{name}.tar")), tar(&self.docker(&[name])).tar()).expect("an archive");
    }
}

/// These files as an archive. One whose name is `NAME -> TO` is a symbolic link.
pub fn tar(files: &[(String, Vec<u8>)]) -> Archive {
    files.iter().fold(Archive::new(), |archive, (name, content)| match name.split_once(" -> ") {
        Some((name, to)) => archive.symlink(name, to),
        None => archive.entry(EntryType::Regular, name, content, |_| {}),
    })
}

/// These files as files.
pub fn write(directory: &Path, files: &[(String, Vec<u8>)]) {
    for (name, content) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, content).expect("a file");
    }
}

/// The name of a blob in a layout.
pub fn blob(content: &[u8]) -> String {
    format!("blobs/{}", digest(content).replace(':', "/"))
}

/// The digest of a blob, with its algorithm.
pub fn digest(content: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&SHA256, content);
    let digits: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// The architecture of this machine, in the words of images.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn descriptor(kind: &str, content: &[u8]) -> Value {
    let media_type = format!("application/vnd.oci.image.{kind}");
    json!({"mediaType": media_type, "digest": digest(content), "size": content.len()})
}
