//! Docker's own registry, as Debian has it, on this machine.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use crate::images::{Image, MANIFEST, digest};
use crate::patience::PATIENCE;
use crate::{http, wait};

/// The one who may push and pull where there are passwords.
pub const USER: &str = "me";

/// The password.
pub const PASSWORD: &str = "sesame";

/// The same, as htpasswd has it.
const HTPASSWD: &str = "me:$2b$04$EoQ5SaKBHXLoP3rTtRIDiOqrrb/MWDWC8EPUKMum16koRHEK9T3da\n";

/// A registry; it ends, and its images with it, when this is dropped.
#[derive(Debug)]
pub struct Registry {
    process: Child,
    /// The place where it listens, also the first part of the names of its images.
    pub address: SocketAddr,
    _directory: TempDir,
}

impl Registry {
    /// A registry for everybody. `None`, and a word that `test` is skipped, where there is no such program.
    pub fn start(test: &str) -> Option<Registry> {
        Registry::with(test, false)
    }

    /// A registry for those who know a password.
    pub fn with_password(test: &str) -> Option<Registry> {
        Registry::with(test, true)
    }

    fn with(test: &str, password: bool) -> Option<Registry> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        fs::write(path("htpasswd"), HTPASSWD).expect("a file");
        let mut config = json!({"version": "0.1", "http": {"addr": "127.0.0.1:0"},
            "storage": {"filesystem": {"rootdirectory": path("files")}}});
        if password {
            config["auth"] = json!({"htpasswd": {"realm": "here", "path": path("htpasswd")}});
        }
        fs::write(path("config.yml"), config.to_string()).expect("a file");
        let log = || Stdio::from(File::options().create(true).append(true).open(path("log")).expect("a file"));
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(path("config.yml")).stdin(Stdio::null()).stdout(log()).stderr(log());
        let Ok(process) = command.spawn() else {
            println!("SKIPPED {test}: there is no docker-registry here");
            return None;
        };
        let address = wait::until("the registry to listen", PATIENCE, || listening(&path("log")));
        Some(Registry { process, address, _directory: directory })
    }

    /// The name of an image in it.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Pushes an image, which has a repository and a tag.
    pub fn push(&self, repository: &str, tag: &str, image: &Image) {
        image.blobs().for_each(|blob| self.push_blob(repository, blob));
        self.push_manifest(repository, tag, MANIFEST, &image.manifest());
    }

    /// Pushes a blob.
    pub fn push_blob(&self, repository: &str, blob: &[u8]) {
        let begun = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        let place = begun.header("location").and_then(|place| place.split_once(&self.address.to_string()));
        let (_, place) = place.expect("a place to put it");
        let path = format!("{place}&digest={}", digest(blob));
        let put = self.send("PUT", &path, "application/octet-stream", blob);
        assert_eq!(put.status, 201, "{}", put.text());
    }

    /// Pushes a manifest of this media type.
    pub fn push_manifest(&self, repository: &str, tag: &str, kind: &str, manifest: &[u8]) {
        let put = self.send("PUT", &format!("/v2/{repository}/manifests/{tag}"), kind, manifest);
        assert_eq!(put.status, 201, "{}", put.text());
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> http::Answer {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        let headers = [("content-type", kind), ("authorization", &authorization)];
        http::request(self.address, method, path, &headers, body).expect("the registry answers")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _it_has_ended = self.process.kill();
        let _nothing_to_do = self.process.wait();
    }
}

fn listening(log: &Path) -> Option<SocketAddr> {
    let log = fs::read_to_string(log).ok()?;
    let rest = log.split_once("listening on ")?.1;
    rest.split(|letter: char| letter != ':' && letter != '.' && !letter.is_ascii_digit()).next()?.parse().ok()
}
