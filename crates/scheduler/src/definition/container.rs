//! The container of an app: its image, volumes and ports.

use serde::{Deserialize, Serialize};

use super::linux_info::LinuxInfo;
use super::network::Network;
use super::port_mapping::{self, PortMapping};
use super::secret::{self, Secrets};
use super::validate::Faults;
use super::volume::Volume;

/// A container, as Marathon shows it with all defaults filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container {
    #[serde(rename = "type")]
    pub(crate) kind: ContainerKind,
    /// The image, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) docker: Option<Docker>,
    #[serde(default)]
    pub(crate) volumes: Vec<Volume>,
    /// The ports of the container; none on the host's network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) port_mappings: Option<Vec<PortMapping>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) linux_info: Option<LinuxInfo>,
}

/// The maker of the container: the agent itself, or Docker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ContainerKind {
    Mesos,
    #[default]
    Docker,
}

/// An image, and how a container is made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Docker {
    /// True if it is asked for at its registry also where it is known.
    #[serde(default)]
    pub(crate) force_pull_image: bool,
    pub(crate) image: String,
    /// Further options of `docker run`.
    #[serde(default)]
    pub(crate) parameters: Vec<Parameter>,
    #[serde(default)]
    pub(crate) privileged: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) pull_config: Option<PullConfig>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameter {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The credentials for a registry: a secret whose content is a `config.json` of Docker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PullConfig {
    /// Its name in the definition.
    pub(crate) secret: String,
}

impl Container {
    /// A container of Mesos with nothing in it: a task as any other.
    pub(crate) fn plain() -> Self {
        let kind = ContainerKind::Mesos;
        Container { kind, docker: None, volumes: Vec::new(), port_mappings: None, linux_info: None }
    }

    /// True if there is nothing in it: no image, no volume, no ports and no settings.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Container::plain()
    }

    /// Adds everything that is wrong with it.
    pub(super) fn validate(&self, networks: &[Network], secrets: &Secrets, faults: &mut Faults) {
        for (index, volume) in self.volumes.iter().enumerate() {
            volume.validate(secrets, &format!("/container/volumes({index})"), faults);
        }
        if let Some(linux_info) = &self.linux_info {
            linux_info.validate("/container/linuxInfo", faults);
        }
        if let Some(mappings) = &self.port_mappings {
            port_mapping::validate(mappings, networks, "/container/portMappings", faults);
        }
        match &self.docker {
            Some(docker) => docker.validate(self.kind, secrets, faults),
            None => faults.require(self.kind == ContainerKind::Mesos, "/container/docker", "not defined"),
        }
    }
}

impl Docker {
    fn validate(&self, kind: ContainerKind, secrets: &Secrets, faults: &mut Faults) {
        let at = "/container/docker";
        faults.require(!self.image.trim().is_empty(), format!("{at}/image"), "must not be empty");
        for (index, parameter) in self.parameters.iter().enumerate() {
            faults.require(!parameter.key.is_empty(), format!("{at}/parameters({index})/key"), "must not be empty");
        }
        let docker = kind == ContainerKind::Docker;
        faults.require(docker || self.parameters.is_empty(), format!("{at}/parameters"), "must be empty");
        let error = "privileged is not supported with the Mesos containerizer";
        faults.require(docker || !self.privileged, format!("{at}/privileged"), error);
        let Some(config) = &self.pull_config else { return };
        let error = "pullConfig is not supported with Docker containerizer";
        faults.require(!docker, format!("{at}/pullConfig"), error);
        let declared = secrets.contains_key(&config.secret);
        faults.require(docker || declared, format!("{at}/pullConfig"), secret::PULL_CONFIG);
    }
}
