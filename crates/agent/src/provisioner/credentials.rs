//! The credentials that an app brings for its image: a value, or the name of a file of the operator's.

use std::path::Path;

use containers::image::Reference;
use containers::registry::DockerConfig;
use containers::spec;
use mesos::v1::Secret;

use super::error::ImageError;

/// Reads the credentials. May block.
pub(super) fn read(secret: &Secret, directory: Option<&Path>, image: &Reference) -> Result<DockerConfig, ImageError> {
    let text = spec::secret(secret, directory)
        .map_err(|error| ImageError::Secret { image: image.clone(), source: error.into() })?;
    DockerConfig::parse(&text).map_err(|error| ImageError::Config { image: image.clone(), source: error.into() })
}

#[cfg(test)]
mod tests {
    use mesos::v1::secret::{self, Value};
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn credentials_are_a_value_or_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let config = br#"{"auths": {"here:5000": {"auth": "bWU6c2VzYW1l"}}}"#;
        std::fs::write(directory.path().join("pull"), config).unwrap();
        let image: Reference = "here:5000/app".parse().unwrap();
        std::fs::create_dir(directory.path().join("registry")).unwrap();
        std::fs::write(directory.path().join("registry/key"), config).unwrap();
        mknodat(CWD, directory.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let kind = |kind: secret::Type| Some(kind.into());
        let value = Value { data: config.to_vec() };
        let value = Secret { r#type: kind(secret::Type::Value), value: Some(value), reference: None };
        let keyed = |name: &str, key: Option<&str>| {
            let reference = secret::Reference { name: name.to_owned(), key: key.map(str::to_owned) };
            Secret { r#type: kind(secret::Type::Reference), reference: Some(reference), value: None }
        };
        let named = |name: &str| keyed(name, None);
        for secret in [value, named("pull"), named("registry/key"), keyed("registry", Some("key"))] {
            let config = read(&secret, Some(directory.path()), &image).unwrap();
            assert_eq!(config.login(&image).unwrap().user(), Some("me"));
        }
        for (secret, directory, words) in [
            (named("../pull"), Some(directory.path()), "to be those of files"),
            (named("other"), Some(directory.path()), "'other' cannot be read"),
            (named("pull"), None, "no directory of secrets"),
            (named("pipe"), Some(directory.path()), "it is no file"),
            (Secret::default(), None, "neither a 'value'"),
        ] {
            let error = read(&secret, directory, &image).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("here:5000/app"), "{error}");
        }
    }
}
