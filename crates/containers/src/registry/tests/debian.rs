//! Docker's own registry, as Debian has it, on this machine.

use harness::registry::Registry;
use serde_json::json;

use super::sample::{INDEX, MANIFEST, index};
use super::*;
use crate::image::Digest;

fn push(registry: &Registry, repository: &str, tag: &str, image: &Sample) {
    image.blobs().for_each(|blob| registry.push_blob(repository, blob));
    registry.push_manifest(repository, tag, MANIFEST, &image.manifest);
}

fn config(address: &str, password: &str) -> DockerConfig {
    let config = json!({"auths": {address: {"username": "me", "password": password}}});
    DockerConfig::parse(config.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn what_is_pushed_is_pulled_by_tag_and_by_digest() {
    let Some(registry) = Registry::start("what_is_pushed_is_pulled_by_tag_and_by_digest") else { return };
    let sample = Sample::new(&[100_000, 0, 3_000_000]);
    push(&registry, "cygnet/web", "1", &sample);
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
    let Some(registry) = Registry::start("an_index_leads_to_the_image_for_this_machine") else { return };
    let (own, other) = (Sample::new(&[1000]), Sample::of("s390x", &[2000]));
    push(&registry, "web", "own", &own);
    push(&registry, "web", "other", &other);
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
    let Some(registry) = Registry::with_password("a_registry_with_passwords_lets_in_those_who_know_them") else {
        return;
    };
    let sample = Sample::new(&[1000]);
    push(&registry, "web", "latest", &sample);
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
    let Some(registry) = Registry::start("a_blob_is_fetched_from_where_it_ended") else { return };
    let sample = Sample::new(&[1_000_000]);
    push(&registry, "web", "latest", &sample);
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
    let Some(registry) = Registry::with_password("layers_are_fetched_at_the_same_time_by_copies") else { return };
    let sample = Sample::new(&[500_000, 600_000, 700_000]);
    push(&registry, "web", "latest", &sample);
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
