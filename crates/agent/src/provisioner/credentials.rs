//! The credentials that an app brings for its image: a value, or the name of a file of the operator's.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use containers::image::Reference;
use containers::registry::DockerConfig;
use mesos::v1::Secret;

use super::error::{ImageError, SecretError};
use crate::ids::check_path_component;

/// The most bytes of a secret.
const MOST_BYTES: u64 = 1 << 20;

/// Reads the credentials. May block.
pub(super) fn read(secret: &Secret, directory: Option<&Path>, image: &Reference) -> Result<DockerConfig, ImageError> {
    let text = text(secret, directory).map_err(|source| ImageError::Secret { image: image.clone(), source })?;
    DockerConfig::parse(&text).map_err(|error| ImageError::Config { image: image.clone(), source: error.into() })
}

fn text(secret: &Secret, directory: Option<&Path>) -> Result<Vec<u8>, SecretError> {
    if let Some(value) = &secret.value {
        return Ok(value.data.clone());
    }
    let name = &secret.reference.as_ref().ok_or(SecretError::Empty)?.name;
    let directory = directory.ok_or_else(|| SecretError::NoDirectory(name.clone()))?;
    check_path_component("Secret", name).map_err(|_| SecretError::Name(name.clone()))?;
    let mut text = Vec::new();
    let read = File::open(directory.join(name)).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut text));
    read.map(|_| text).map_err(|source| SecretError::Read { name: name.clone(), source })
}

#[cfg(test)]
mod tests {
    use mesos::v1::secret::{self, Value};

    use super::*;

    #[test]
    fn credentials_are_a_value_or_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let config = br#"{"auths": {"here:5000": {"auth": "bWU6c2VzYW1l"}}}"#;
        std::fs::write(directory.path().join("pull"), config).unwrap();
        let image: Reference = "here:5000/app".parse().unwrap();
        let value = Secret { value: Some(Value { data: config.to_vec() }), ..Secret::default() };
        let named = |name: &str| {
            let reference = secret::Reference { name: name.to_owned(), key: None };
            Secret { reference: Some(reference), ..Secret::default() }
        };
        for secret in [value, named("pull")] {
            let config = read(&secret, Some(directory.path()), &image).unwrap();
            assert_eq!(config.login(&image).unwrap().user(), Some("me"));
        }
        for (secret, directory, words) in [
            (named("../pull"), Some(directory.path()), "no name"),
            (named("other"), Some(directory.path()), "'other' cannot be read"),
            (named("pull"), None, "secrets_directory"),
            (Secret::default(), None, "neither a value"),
        ] {
            let error = read(&secret, directory, &image).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("here:5000/app"), "{error}");
        }
    }
}
