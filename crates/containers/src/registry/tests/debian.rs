//! Docker's own registry, as Debian has it, on this machine.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::wait::until;
use serde_json::json;
use tempfile::TempDir;

use super::sample::{INDEX, MANIFEST, index};
use super::*;
use crate::image::Digest;

/// `sesame`, as htpasswd has it.
const HTPASSWD: &str = "me:$2b$04$EoQ5SaKBHXLoP3rTtRIDiOqrrb/MWDWC8EPUKMum16koRHEK9T3da\n";

struct Debian {
    registry: Child,
    address: SocketAddr,
    authorization: String,
    _directory: TempDir,
}

impl Drop for Debian {
    fn drop(&mut self) {
        let _it_has_ended = self.registry.kill();
        let _nothing_to_do = self.registry.wait();
    }
}

impl Debian {
    /// Nothing, and a word about it, where there is no such registry.
    fn start(test: &str, with_password: bool) -> Option<Debian> {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("htpasswd"), HTPASSWD).unwrap();
        let mut config = json!({"version": "0.1", "http": {"addr": "127.0.0.1:0"},
            "storage": {"filesystem": {"rootdirectory": path("files")}}});
        if with_password {
            config["auth"] = json!({"htpasswd": {"realm": "here", "path": path("htpasswd")}});
        }
        fs::write(path("config.yml"), config.to_string()).unwrap();
        let log = || Stdio::from(File::options().create(true).append(true).open(path("log")).unwrap());
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(path("config.yml")).stdin(Stdio::null()).stdout(log()).stderr(log());
        let Ok(registry) = command.spawn() else {
            println!("SKIPPED {test}: there is no docker-registry here");
            return None;
        };
        let authorization = format!("Basic {}", STANDARD.encode("me:sesame"));
        let address = until("the registry to listen", PATIENCE, || listening(&path("log")));
        Some(Debian { registry, address, authorization, _directory: directory })
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> harness::http::Answer {
        let headers = [("content-type", kind), ("authorization", &self.authorization)];
        harness::http::request(self.address, method, path, &headers, body).unwrap()
    }

    fn push_blob(&self, repository: &str, blob: &[u8]) {
        let begun = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
        let place = begun.header("location").unwrap().split_once(&self.address.to_string()).unwrap().1;
        let path = format!("{place}&digest={}", Digest::of(blob));
        let put = self.send("PUT", &path, "application/octet-stream", blob);
        assert_eq!(put.status, 201, "{}", put.text());
    }

    fn push_manifest(&self, repository: &str, tag: &str, kind: &str, manifest: &[u8]) {
        let put = self.send("PUT", &format!("/v2/{repository}/manifests/{tag}"), kind, manifest);
        assert_eq!(put.status, 201, "{}", put.text());
    }

    fn push(&self, repository: &str, tag: &str, image: &Sample) {
        image.blobs().for_each(|blob| self.push_blob(repository, blob));
        self.push_manifest(repository, tag, MANIFEST, &image.manifest);
    }

    fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

fn listening(log: &Path) -> Option<SocketAddr> {
    let log = fs::read_to_string(log).ok()?;
    let rest = log.split_once("listening on ")?.1;
    rest.split(|letter: char| letter != ':' && letter != '.' && !letter.is_ascii_digit()).next()?.parse().ok()
}

fn config(address: &str, password: &str) -> DockerConfig {
    let config = json!({"auths": {address: {"username": "me", "password": password}}});
    DockerConfig::parse(config.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn what_is_pushed_is_pulled_by_tag_and_by_digest() {
    let Some(registry) = Debian::start("what_is_pushed_is_pulled_by_tag_and_by_digest", false) else { return };
    let sample = Sample::new(&[100_000, 0, 3_000_000]);
    registry.push("cygnet/web", "1", &sample);
    let digest = Digest::of(&sample.manifest);
    for name in ["cygnet/web:1".to_owned(), format!("cygnet/web@{digest}"), format!("cygnet/web:other@{digest}")] {
        assert_eq!(pull(&once(), &registry.image(&name), None).await.unwrap(), sample, "{name}");
    }
    let missing = failed(&once(), &registry.image("cygnet/web:2")).await;
    let expected = format!(
        "cannot pull 'cygnet/web:2' from {}: there is no such image, saying 'manifest unknown': correct its name, or push it",
        registry.address
    );
    assert_eq!(missing, expected);
}

#[tokio::test]
async fn an_index_leads_to_the_image_for_this_machine() {
    let Some(registry) = Debian::start("an_index_leads_to_the_image_for_this_machine", false) else { return };
    let (own, other) = (Sample::new(&[1000]), Sample::of("s390x", &[2000]));
    registry.push("web", "own", &own);
    registry.push("web", "other", &other);
    let here = crate::image::Platform::here().architecture;
    registry.push_manifest("web", "both", INDEX, &index(&[("s390x", &other), (&here, &own)]));
    registry.push_manifest("web", "others", INDEX, &index(&[("s390x", &other)]));
    assert_eq!(pull(&once(), &registry.image("web:both"), None).await.unwrap(), own);
    let error = failed(&once(), &registry.image("web:others")).await;
    assert!(error.ends_with(&format!("there is no image for linux/{here}, only for linux/s390x")), "{error}");
    let error = failed(&once(), &registry.image("web:other")).await;
    assert!(error.contains(&format!("the image is for linux/s390x, but this machine is linux/{here}")), "{error}");
}

#[tokio::test]
async fn a_registry_with_passwords_lets_in_those_who_know_them() {
    let Some(registry) = Debian::start("a_registry_with_passwords_lets_in_those_who_know_them", true) else { return };
    let sample = Sample::new(&[1000]);
    registry.push("web", "latest", &sample);
    let (address, image) = (registry.address.to_string(), registry.image("web"));
    let (right, wrong) = (config(&address, "sesame"), config(&format!("http://{address}/v2/"), "barley"));
    let agent = |config: &DockerConfig| Registries { config: config.clone(), ..once() };
    assert_eq!(pull(&agent(&right), &image, None).await.unwrap(), sample);
    assert_eq!(pull(&agent(&wrong), &image, Some(&right)).await.unwrap(), sample);
    let error = failed(&once(), &image).await;
    assert!(error.contains("it wants credentials, and there are none for it, saying 'authentication"), "{error}");
    let error = failed(&agent(&wrong), &image).await;
    assert!(error.contains("it refuses the credentials of 'me' (401), saying 'authentication"), "{error}");
    assert!(pull(&agent(&right), &image, Some(&wrong)).await.is_err(), "the app's own come first");
}

#[tokio::test]
async fn a_blob_is_fetched_from_where_it_ended() {
    let Some(registry) = Debian::start("a_blob_is_fetched_from_where_it_ended", false) else { return };
    let sample = Sample::new(&[1_000_000]);
    registry.push("web", "latest", &sample);
    let (meter, progress) = Meter::new();
    let mut repository = once().repository(&registry.image("web").parse().unwrap(), None, meter).unwrap();
    let layer = repository.describe().await.unwrap().manifest.layers[0].blob.clone();
    for there in [0, 400_000, 1_000_000] {
        let (mut beginning, mut file) = (Beginning::default(), Vec::new());
        beginning.add(&sample.layers[0][..there]);
        assert_eq!(beginning.bytes(), there as u64);
        repository.fetch(&layer, beginning, &mut file).await.unwrap();
        assert!(file == sample.layers[0][there..], "from {there}");
    }
    assert_eq!(progress.borrow().bytes, 3_000_000);
}

#[tokio::test]
async fn layers_are_fetched_at_the_same_time_by_copies() {
    let Some(registry) = Debian::start("layers_are_fetched_at_the_same_time_by_copies", true) else { return };
    let sample = Sample::new(&[500_000, 600_000, 700_000]);
    registry.push("web", "latest", &sample);
    let (image, config) = (registry.image("web").parse().unwrap(), config(&registry.address.to_string(), "sesame"));
    let login = once().login(&image, Some(&config));
    let mut repository = once().repository(&image, login, Meter::new().0).unwrap();
    let mut fetching = tokio::task::JoinSet::new();
    for (at, layer) in repository.describe().await.unwrap().manifest.layers.into_iter().enumerate() {
        let mut copy = repository.clone();
        fetching.spawn(async move {
            let mut file = Vec::new();
            copy.fetch(&layer.blob, Beginning::default(), &mut file).await.map(|()| (at, file))
        });
    }
    for (at, file) in fetching.join_all().await.into_iter().map(Result::unwrap) {
        assert!(file == sample.layers[at], "layer {at}");
    }
}
