//! Registries that behave and registries that do not.

mod debian;
mod hostile;
mod sample;
mod scripted;
mod tls;
mod tokens;

use std::time::Duration;

use harness::patience::PATIENCE;

use self::sample::Sample;
use super::*;
use crate::image::Blob;

/// Tries nothing twice, and waits for nobody's words for long.
fn once() -> Registries {
    Registries { pace: pace(Duration::ZERO), stall: PATIENCE, ..Registries::default() }
}

/// Tries again at once.
fn again() -> Registries {
    Registries { pace: pace(PATIENCE), ..once() }
}

fn pace(patience: Duration) -> Pace {
    Pace { first: Duration::from_millis(1), most: Duration::from_millis(4), patience }
}

/// Everything that a pull does.
async fn pull(registries: &Registries, image: &str, own: Option<&DockerConfig>) -> Result<Sample, PullError> {
    let image = image.parse().unwrap();
    let (meter, progress) = Meter::new();
    let mut repository = registries.repository(&image, registries.login(&image, own), meter.clone())?;
    let described = repository.describe().await?;
    let blobs: Vec<Blob> = described.manifest.layers.iter().map(|layer| layer.blob.clone()).collect();
    meter.expect(blobs.len(), total(blobs.iter()));
    let mut layers = Vec::new();
    for blob in &blobs {
        let mut file = Vec::new();
        repository.fetch(blob, Beginning::default(), &mut file).await?;
        layers.push(file);
    }
    let progress = progress.borrow().clone();
    assert_eq!((progress.complete, progress.bytes), (blobs.len(), progress.total), "all of it was counted");
    Ok(Sample { config: described.config_text.to_vec(), layers, manifest: described.manifest_text.to_vec() })
}

/// The words of a pull that fails.
async fn failed(registries: &Registries, image: &str) -> String {
    match pull(registries, image, None).await {
        Ok(_) => panic!("'{image}' was pulled"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn only_registries_of_this_machine_and_named_ones_are_spoken_to_without_tls() {
    let registries = Registries { insecure: vec!["a.b:5000".to_owned()], ..Registries::default() };
    for (registry, plain) in [
        ("localhost", true),
        ("localhost:5000", true),
        ("127.0.0.1:5000", true),
        ("127.9.9.9", true),
        ("[::1]:5000", true),
        ("a.b:5000", true),
        ("a.b", false),
        ("10.0.0.1:5000", false),
        ("docker.io", false),
    ] {
        assert_eq!(registries.is_plain(registry), plain, "{registry}");
    }
}
