//! The container and networks of an app as a client writes them: with the forms of before Marathon 1.5, which are taken up.

use serde::Deserialize;
use serde_json::Value;

use crate::definition::container::{Container, ContainerKind, Docker, Parameter, PullConfig};
use crate::definition::linux_info::LinuxInfo;
use crate::definition::network::{Mode, Network};
use crate::definition::port_mapping::PortMapping;
use crate::definition::validate::Faults;
use crate::definition::volume::Volume;

use super::ip_address::IpAddress;

/// A container as a client writes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ContainerUpdate {
    #[serde(rename = "type")]
    kind: ContainerKind,
    docker: Option<DockerUpdate>,
    volumes: Vec<Volume>,
    port_mappings: Option<Vec<PortMapping>>,
    linux_info: Option<LinuxInfo>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DockerUpdate {
    image: String,
    #[serde(default)]
    force_pull_image: bool,
    #[serde(default)]
    privileged: bool,
    #[serde(default)]
    parameters: Vec<Parameter>,
    pull_config: Option<PullConfig>,
    /// The older form of `networks`.
    network: Option<DockerNetwork>,
    /// The older place of `portMappings`.
    port_mappings: Option<Vec<PortMapping>>,
    /// Refused: `pullConfig` took its place.
    credential: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DockerNetwork {
    Bridge,
    Host,
    None,
    User,
}

impl ContainerUpdate {
    /// The container of Mesos that an `ipAddress` alone means.
    pub(super) fn plain() -> Self {
        ContainerUpdate { kind: ContainerKind::Mesos, ..ContainerUpdate::default() }
    }

    /// The container, with the ports that an `ipAddress` beside it has.
    pub(super) fn container(self, address: Option<&IpAddress>, faults: &mut Faults) -> Container {
        let old = self.docker.as_ref().and_then(|docker| docker.port_mappings.clone());
        let both = self.port_mappings.as_ref().is_some_and(|ports| !ports.is_empty())
            && old.as_ref().is_some_and(|ports| !ports.is_empty());
        faults.require(!both, "/container", "cannot specify both portMappings and docker.portMappings");
        let mut port_mappings = self.port_mappings.filter(|ports| !ports.is_empty() || old.is_none()).or(old);
        if let Some(discovered) = address.map(IpAddress::port_mappings).filter(|ports| !ports.is_empty()) {
            let error = "ipAddress/discovery is not allowed for Docker containers";
            faults.require(self.kind == ContainerKind::Mesos, "/ipAddress", error);
            let error = "container.portMappings and ipAddress.discovery.ports must not both be set";
            faults.require(port_mappings.as_ref().is_none_or(Vec::is_empty), "/container/portMappings", error);
            port_mappings = Some(discovered);
        }
        let docker = self.docker.map(|docker| docker.docker(faults));
        Container { kind: self.kind, docker, volumes: self.volumes, port_mappings, linux_info: self.linux_info }
    }

    /// The networks that `docker.network` and `ipAddress` mean, if these are used.
    pub(super) fn networks(
        &self,
        address: Option<&IpAddress>,
        given: Option<&Vec<Network>>,
        faults: &mut Faults,
    ) -> Option<Vec<Network>> {
        let kind = self.docker.as_ref().and_then(|docker| docker.network);
        let given = given.is_some_and(|networks| !networks.is_empty());
        let error = "must not specify both container.docker.network and networks";
        faults.require(kind.is_none() || !given, "/", error);
        faults.require(address.is_none() || !given, "/", "must not specify both networks and ipAddress");
        let (labels, name) =
            address.map(|address| (address.labels.clone(), address.network_name.clone())).unwrap_or_default();
        let network = match (kind, address) {
            (Some(DockerNetwork::Host), _) => Network::of(Mode::Host),
            (Some(DockerNetwork::User), _) => Network { mode: Mode::Container, name, labels },
            (Some(DockerNetwork::Bridge), _) => Network { mode: Mode::Bridge, name: None, labels },
            (Some(DockerNetwork::None), _) => {
                faults.add("/container/docker/network", "unsupported docker network type NONE");
                return None;
            }
            (None, Some(address)) => address.network(),
            (None, None) => return None,
        };
        Some(vec![network])
    }
}

impl DockerUpdate {
    fn docker(self, faults: &mut Faults) -> Docker {
        faults.require(self.credential.is_none(), "/container/docker/credential", "must be empty");
        Docker {
            force_pull_image: self.force_pull_image,
            image: self.image,
            parameters: self.parameters,
            privileged: self.privileged,
            pull_config: self.pull_config,
        }
    }
}
