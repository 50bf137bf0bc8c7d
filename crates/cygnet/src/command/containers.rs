//! Images, and what every container is given, as options.

use std::path::PathBuf;
use std::time::Duration;

use agent::{ContainerOptions, ImageCollection};
use anyhow::Context;
use clap::Args;
use containers::capabilities::{self, Policy};
use containers::copy::Backend;
use containers::provision::Settings;
use mesos::Codec;
use mesos::v1::Image;
use processes::CapabilitySet;
use serde::Deserialize;
use serde_json::Value;

use crate::paths::absolute;

/// The options about images and containers.
#[derive(Debug, Args)]
pub(crate) struct Containers {
    /// The kinds of images that containers may have: "docker", or nothing
    #[arg(long, default_value = "docker", env = "CYGNET_IMAGE_PROVIDERS")]
    image_providers: String,
    /// The registry of images whose names have none, such as "https://registry-1.docker.io"; or a directory with archives of
    /// images, NAME:TAG.tar
    #[arg(long, default_value = "https://registry-1.docker.io", env = "CYGNET_DOCKER_REGISTRY")]
    docker_registry: String,
    /// A registry that is spoken to without TLS, as in the names of its images: HOST:PORT; may be given several times
    #[arg(long, value_name = "HOST:PORT")]
    insecure_registry: Vec<String>,
    /// The credentials for registries: the path of Docker's config.json, or its content
    #[arg(long, env = "CYGNET_DOCKER_CONFIG")]
    docker_config: Option<String>,
    /// Where images are kept; by default, below the work directory
    #[arg(long, env = "CYGNET_DOCKER_STORE_DIR")]
    docker_store_dir: Option<PathBuf>,
    /// How an image becomes a file system: "overlay" or "copy"; by default, by overlay where the kernel can
    #[arg(long, value_name = "BACKEND", value_parser = backend, env = "CYGNET_IMAGE_PROVISIONER_BACKEND")]
    image_provisioner_backend: Option<Backend>,
    /// When images that nobody needs are removed, as Mesos' JSON: {"image_disk_headroom": 0.1}, the share of the disk that is
    /// to stay free, "image_disk_watch_interval" and "excluded_images"
    #[arg(long, value_name = "JSON", value_parser = collection, env = "CYGNET_IMAGE_GC_CONFIG")]
    image_gc_config: Option<ImageCollection>,
    /// Where containers with an image find their sandbox
    #[arg(long, default_value = "/mnt/mesos/sandbox", env = "CYGNET_SANDBOX_DIRECTORY")]
    sandbox_directory: PathBuf,
    /// How much shared memory a container has, such as 64MB
    #[arg(long, value_parser = bytes, env = "CYGNET_DEFAULT_CONTAINER_SHM_SIZE")]
    default_container_shm_size: Option<u64>,
    /// The capabilities of containers that ask for none, as Mesos' JSON: {"capabilities": ["CHOWN"]}
    #[arg(long, value_name = "JSON", env = "CYGNET_EFFECTIVE_CAPABILITIES")]
    effective_capabilities: Option<String>,
    /// The most capabilities that a container gets, as Mesos' JSON
    #[arg(long, value_name = "JSON", env = "CYGNET_BOUNDING_CAPABILITIES")]
    bounding_capabilities: Option<String>,
    /// Where filters of system calls are: a directory with seccomp profiles
    #[arg(long, env = "CYGNET_SECCOMP_CONFIG_DIR")]
    seccomp_config_dir: Option<PathBuf>,
    /// The seccomp profile of containers that name none
    #[arg(long, requires = "seccomp_config_dir", env = "CYGNET_SECCOMP_PROFILE_NAME")]
    seccomp_profile_name: Option<String>,
    /// Below which paths of the host directories of volumes are made where there are none, with colons between them
    #[arg(long, env = "CYGNET_HOST_PATH_VOLUME_FORCE_CREATION")]
    host_path_volume_force_creation: Option<String>,
    /// Where secrets are: a directory with a file for each, by name
    #[arg(long, env = "CYGNET_SECRETS_DIRECTORY")]
    secrets_directory: Option<PathBuf>,
}

impl Containers {
    pub(crate) fn give(&self, options: &mut ::agent::Options) -> anyhow::Result<()> {
        options.containers = ContainerOptions {
            image_providers: self.image_providers.clone(),
            docker_registry: self.docker_registry.clone(),
            insecure_registries: self.insecure_registry.clone(),
            docker_config: self.docker_config.clone(),
            docker_store_dir: self.docker_store_dir.as_deref().map(absolute).transpose()?,
            image_gc: self.image_gc_config.clone().unwrap_or_default(),
            settings: self.settings()?,
        };
        Ok(())
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let default = Settings::default();
        let paths = self.host_path_volume_force_creation.iter().flat_map(|paths| paths.split(':'));
        Ok(Settings {
            sandbox_directory: self.sandbox_directory.clone(),
            shared_memory: self.default_container_shm_size.unwrap_or(default.shared_memory),
            capabilities: Policy {
                effective: capabilities(self.effective_capabilities.as_deref(), "--effective-capabilities")?,
                bounding: capabilities(self.bounding_capabilities.as_deref(), "--bounding-capabilities")?,
            },
            seccomp_directory: self.seccomp_config_dir.as_deref().map(absolute).transpose()?,
            seccomp_profile: self.seccomp_profile_name.clone(),
            image_backend: self.image_provisioner_backend,
            secrets_directory: self.secrets_directory.as_deref().map(absolute).transpose()?,
            created_host_paths: paths.filter(|path| !path.is_empty()).map(PathBuf::from).collect(),
        })
    }
}

/// `--image_gc_config` as Mesos has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Collection {
    image_disk_headroom: Option<f64>,
    image_disk_watch_interval: Option<Nanoseconds>,
    #[serde(default)]
    excluded_images: Vec<Value>,
}

#[derive(Deserialize)]
struct Nanoseconds {
    nanoseconds: u64,
}

fn collection(text: &str) -> anyhow::Result<ImageCollection> {
    let Collection { image_disk_headroom, image_disk_watch_interval, excluded_images } = serde_json::from_str(text)?;
    let default = ImageCollection::default();
    let headroom = image_disk_headroom.unwrap_or(default.image_disk_headroom);
    anyhow::ensure!((0.0..=1.0).contains(&headroom), "'image_disk_headroom' is not between 0 and 1");
    let interval = image_disk_watch_interval.map(|of| Duration::from_nanos(of.nanoseconds));
    Ok(ImageCollection {
        image_disk_headroom: headroom,
        image_disk_watch_interval: interval.unwrap_or(default.image_disk_watch_interval),
        excluded_images: excluded_images.iter().map(excluded).collect::<anyhow::Result<_>>()?,
    })
}

fn backend(text: &str) -> anyhow::Result<Backend> {
    Backend::named(text).with_context(|| format!("'{text}' is neither 'overlay' nor 'copy'"))
}

/// The name of an image, which is a string or Mesos' `Image`.
fn excluded(image: &Value) -> anyhow::Result<String> {
    if let Some(name) = image.as_str() {
        return Ok(name.to_owned());
    }
    let image: Image = Codec::Json.decode(image.to_string().as_bytes())?;
    Ok(image.docker.context("an excluded image has no 'docker'")?.name)
}

/// A size in Mesos' words.
fn bytes(text: &str) -> anyhow::Result<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = ["B", "KB", "MB", "GB", "TB"].iter().position(|known| *known == unit);
    let shift = shift.with_context(|| format!("'{text}' does not end in B, KB, MB, GB or TB"))?;
    let number: u64 = number.parse().with_context(|| format!("'{text}' does not begin with a number"))?;
    number.checked_mul(1 << (10 * shift)).with_context(|| format!("'{text}' is too large"))
}

/// Mesos' `CapabilityInfo`. Its decoder passes over names that it does not know, as it must in messages; an operator who
/// mistypes one has to hear of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapabilityNames {
    #[serde(default)]
    capabilities: Vec<String>,
}

fn capabilities(text: Option<&str>, option: &'static str) -> anyhow::Result<Option<CapabilitySet>> {
    let Some(text) = text else { return Ok(None) };
    let names: CapabilityNames = serde_json::from_str(text).context(option)?;
    let number = |name: &String| {
        capabilities::number(name).with_context(|| format!("{option}: there is no capability '{name}'"))
    };
    Ok(Some(names.capabilities.iter().map(number).collect::<anyhow::Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_mesos_writes_them() {
        let read = collection(
            r#"{"image_disk_headroom": 0.2, "image_disk_watch_interval": {"nanoseconds": 3600000000000},
                "excluded_images": [{"type": "DOCKER", "docker": {"name": "app:1"}}, "other"]}"#,
        );
        let read = read.unwrap();
        assert_eq!((read.image_disk_headroom, read.image_disk_watch_interval.as_secs()), (0.2, 3600));
        assert_eq!(read.excluded_images, ["app:1", "other"]);
        assert!(collection(r#"{"image_disk_headroom": 2}"#).is_err() && collection(r#"{"headroom": 0}"#).is_err());
        assert_eq!((bytes("64MB").unwrap(), bytes("1B").unwrap()), (64 << 20, 1));
        assert!(bytes("64").is_err() && bytes("MB").is_err() && bytes("99999999999TB").is_err());
        let set = capabilities(Some(r#"{"capabilities": ["CHOWN", "KILL"]}"#), "x").unwrap().unwrap();
        assert_eq!(set.numbers().collect::<Vec<_>>(), [0, 5]);
        let error = capabilities(Some(r#"{"capabilities": ["NONSENSE"]}"#), "x").unwrap_err().to_string();
        assert_eq!(error, "x: there is no capability 'NONSENSE'");
    }
}
