//! The things that an agent has made ready for the container of a task, written down for the executor that starts it.
//!
//! In: a [`Provision`] of the agent's. Out: the same, read by the executor, also by one that comes later. It is a file in
//! the state of the executor, by the id of the task:
//!
//! ```text
//! <executor's state>/provisions/<task>.json
//! ```
//!
//! The agent keeps what it names (layers, a network namespace) until the executor is over. An executor without such a
//! file, as below an agent of Apache Mesos, has no images and no networks to give.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mesos::v1::{NetworkInfo, TaskId};
use serde::{Deserialize, Serialize};

use crate::capabilities;
use crate::copy::Backend;
use crate::image::ImageConfig;
use crate::network::files::Dns;
use crate::rootfs::{SANDBOX, SHARED_MEMORY};

/// All that is ready for one container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provision {
    /// Its image, if it has one.
    pub image: Option<ProvisionedImage>,
    /// The images of volumes, by their references as the volumes say them.
    pub volume_images: BTreeMap<String, ProvisionedImage>,
    /// Its network, if that is not the host's.
    pub network: Option<ProvisionedNetwork>,
    /// The operator's word.
    pub settings: Settings,
}

/// An image that is unpacked, and stays so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionedImage {
    /// The name it was asked for by.
    pub reference: String,
    /// The directories of its layers, the lowest first.
    pub layers: Vec<PathBuf>,
    /// The way it is to be run.
    pub config: ImageConfig,
}

/// A network namespace that is joined to the networks that were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProvisionedNetwork {
    /// The handle of the namespace.
    pub namespace: PathBuf,
    /// The networks with their addresses, for statuses.
    #[serde(with = "as_mesos_writes_them")]
    pub networks: Vec<NetworkInfo>,
    /// The name of the machine that the container is.
    pub hostname: String,
    /// `/etc/hosts`
    pub hosts: String,
    /// The resolvers.
    pub dns: Dns,
}

impl ProvisionedNetwork {
    /// The first of its addresses.
    pub fn address(&self) -> Option<&str> {
        self.networks.iter().flat_map(|network| &network.ip_addresses).find_map(|address| address.ip_address.as_deref())
    }
}

/// The operator's word about containers: options of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `--sandbox_directory`: the place of the sandbox in a container with an image.
    pub sandbox_directory: PathBuf,
    /// `--default_container_shm_size`, in bytes.
    pub shared_memory: u64,
    /// `--effective_capabilities` and `--bounding_capabilities`.
    pub capabilities: capabilities::Policy,
    /// `--seccomp_config_dir`
    pub seccomp_directory: Option<PathBuf>,
    /// `--seccomp_profile_name`
    pub seccomp_profile: Option<String>,
    /// `--image_provisioner_backend`; the first that works if absent.
    pub image_backend: Option<Backend>,
    /// The directory with secrets, a file each, by name.
    pub secrets_directory: Option<PathBuf>,
    /// `--host_path_volume_force_creation`: paths of the host below which directories of volumes are made.
    pub created_host_paths: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sandbox_directory: SANDBOX.into(),
            shared_memory: SHARED_MEMORY,
            capabilities: capabilities::Policy::default(),
            seccomp_directory: None,
            seccomp_profile: None,
            image_backend: None,
            secrets_directory: None,
            created_host_paths: Vec::new(),
        }
    }
}

impl Provision {
    /// Writes it down for the executor that keeps its state here. It may hold secrets' names, and paths that concern nobody.
    pub fn write(&self, executor_state: &Path, task: &TaskId) -> io::Result<()> {
        let path = Provision::path(executor_state, task);
        fs::create_dir_all(executor_state.join(DIRECTORY))?;
        store::replace_file(&path, &serde_json::to_vec(self)?, 0o600)
    }

    /// The provision of a task, if its agent made one.
    pub fn read(executor_state: &Path, task: &TaskId) -> io::Result<Option<Provision>> {
        match read(&Provision::path(executor_state, task)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            provision => provision.map(Some),
        }
    }

    /// The file of a task's provision. Ids of tasks are components of paths: agents refuse others.
    pub fn path(executor_state: &Path, task: &TaskId) -> PathBuf {
        executor_state.join(DIRECTORY).join(format!("{}.json", task.value))
    }

    /// The provisions of all tasks of an executor, as far as they can be read; why not is told.
    pub fn all(executor_state: &Path) -> Vec<Provision> {
        let entries = fs::read_dir(executor_state.join(DIRECTORY)).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|it| it == "json"));
        files.filter_map(|path| read(&path).inspect_err(|error| tracing::warn!("{error}")).ok()).collect()
    }

    /// Forgets all provisions of an executor. `false` if there were none.
    pub fn forget(executor_state: &Path) -> io::Result<bool> {
        match fs::remove_dir_all(executor_state.join(DIRECTORY)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    /// The images that it has layers of.
    pub fn images(&self) -> impl Iterator<Item = &ProvisionedImage> {
        self.image.iter().chain(self.volume_images.values())
    }
}

fn read(path: &Path) -> io::Result<Provision> {
    let damaged = |error: io::Error| io::Error::new(error.kind(), format!("{} is damaged: {error}", path.display()));
    fs::read(path).and_then(|content| Ok(serde_json::from_slice(&content)?)).map_err(damaged)
}

const DIRECTORY: &str = "provisions";

/// Messages in the JSON of Mesos.
mod as_mesos_writes_them {
    use mesos::Codec;
    use mesos::v1::NetworkInfo;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(networks: &[NetworkInfo], serializer: S) -> Result<S::Ok, S::Error> {
        networks.iter().map(mesos::json::to_value).collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NetworkInfo>, D::Error> {
        let read = |value: &Value| Codec::Json.decode(value.to_string().as_bytes()).map_err(D::Error::custom);
        Vec::<Value>::deserialize(deserializer)?.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executor_reads_what_its_agent_wrote() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Provision::read(directory.path(), &"t".into()).unwrap(), None);
        let config = br#"{"os": "linux", "architecture": "amd64", "config": {"Env": ["A=b"], "User": "web",
            "Healthcheck": {"Test": ["CMD", "true"]}}}"#;
        let image = ProvisionedImage {
            reference: "web:1".to_owned(),
            layers: vec!["/layers/1/rootfs".into()],
            config: ImageConfig::parse(config).unwrap(),
        };
        let network = ProvisionedNetwork {
            namespace: "/run/cygnet/n".into(),
            networks: vec![NetworkInfo { name: Some("blue".to_owned()), ..NetworkInfo::default() }],
            hostname: "h".to_owned(),
            hosts: "127.0.0.1 localhost\n".to_owned(),
            dns: Dns::default(),
        };
        let volume_images = BTreeMap::from([("data:1".to_owned(), image.clone())]);
        let written =
            Provision { image: Some(image), volume_images, network: Some(network), settings: Settings::default() };
        written.write(directory.path(), &"t".into()).unwrap();
        assert_eq!(Provision::read(directory.path(), &"t".into()).unwrap(), Some(written.clone()));

        fs::write(Provision::path(directory.path(), &"damaged".into()), "{").unwrap();
        let error = Provision::read(directory.path(), &"damaged".into()).unwrap_err().to_string();
        assert!(error.contains("provisions/damaged.json is damaged"), "{error}");
        assert_eq!(Provision::all(directory.path()), [written]);
    }
}
