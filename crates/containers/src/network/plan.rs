//! The networks that a container joins, from what its `ContainerInfo` says. Pure.
//!
//! | Marathon's mode | `ContainerInfo` of type MESOS | plan |
//! |---|---|---|
//! | `host`, or none | no `network_infos` with a name | the host's network |
//! | `container/bridge` | one, with the name of the bridge, and `port_mappings` | a member of the bridge |
//! | `container` | one for each name | a plugin of CNI for each, `eth0`, `eth1`, ... |
//!
//! A container of type DOCKER is put into its network by Docker; see [`docker`].

use std::net::IpAddr;
use std::ops::RangeInclusive;

use mesos::v1::container_info::Type;
use mesos::v1::container_info::docker_info::Network as DockerMode;
use mesos::v1::network_info::Protocol;
use mesos::v1::{ContainerInfo, NetworkInfo};

use super::ports::{PortMapping, Transport};

/// The networks of a container of type MESOS.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Plan {
    /// The host's.
    #[default]
    Host,
    /// A namespace of its own, which joins these.
    Own(Vec<Join>),
}

/// A network to join.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// The name of the link inside.
    pub interface: String,
    /// The maker of the link.
    pub by: By,
    /// The network as it was asked for.
    pub info: NetworkInfo,
}

/// The maker of a container's link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The agent's own bridge, with these ports of the host.
    Bridge(Vec<PortMapping>),
    /// The plugins of the network that `info` names.
    Cni,
}

/// The network of a container of type DOCKER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerPlan {
    /// `HostConfig.NetworkMode`: `host`, `bridge`, `none`, or the name of a network of Docker's.
    pub mode: String,
    /// `HostConfig.PortBindings`.
    pub ports: Vec<PortMapping>,
}

/// Why a container cannot have the networks it asks for, in Mesos' words where it has some. The framework is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A network is there twice.
    #[error("Attempted to join CNI network '{0}' multiple times")]
    Twice(String),
    /// Docker makes the networks of its containers.
    #[error("Can only prepare CNI networks for a MESOS container")]
    NotMesos,
    /// Containers of a group are in the group's network.
    #[error("Currently, we don't support different network namespaces for parent and nested containers.")]
    Nested,
    /// A bridge has addresses of version 4.
    #[error("The network '{0}' has no IPv6 addresses")]
    Version6(String),
    /// A bridge gives addresses itself.
    #[error("The network '{network}' gives addresses itself; '{address}' cannot be chosen")]
    ChosenAddress {
        /// The network.
        network: String,
        /// The address that was asked for.
        address: String,
    },
    /// A port is none.
    #[error("Port {0} of a port mapping is not between 1 and 65535")]
    Port(u32),
    /// A port is mapped twice.
    #[error("Port {0} of the host is mapped more than once")]
    MappedTwice(u16),
    /// A transport is neither TCP nor UDP.
    #[error("Protocol '{0}' of a port mapping is neither tcp nor udp")]
    Protocol(String),
    /// The host's ports are the container's own.
    #[error("Port mappings are only supported for bridge and user-defined networks")]
    NoMappings,
    /// The task has no ports.
    #[error("Port mappings require port resources")]
    NoPorts,
    /// The task has other ports.
    #[error("Port [{0}] not included in resources")]
    NotOffered(u16),
    /// The host's name is the container's own.
    #[error("Unable to set hostname with host network mode")]
    Hostname,
    /// A network of Docker's needs a name.
    #[error("No network info found in container info")]
    NoInfo,
    /// Docker is asked for one network.
    #[error("Only a single network can be defined in Docker run")]
    Several,
}

impl Join {
    /// True if the agent's own bridge is asked for.
    pub fn is_on_bridge(&self) -> bool {
        matches!(self.by, By::Bridge(_))
    }
}

impl Plan {
    /// The plan of a container that is nobody's part; `bridge` is the name of the agent's own.
    pub fn of(container: Option<&ContainerInfo>, bridge: &str) -> Result<Plan, PlanError> {
        let Some(container) = container else { return Ok(Plan::Host) };
        let named: Vec<&NetworkInfo> = container.network_infos.iter().filter(|info| info.name.is_some()).collect();
        if named.is_empty() {
            return Ok(Plan::Host);
        }
        if container.r#type() != Type::Mesos {
            return Err(PlanError::NotMesos);
        }
        let mut joins: Vec<Join> = Vec::new();
        for (number, info) in named.into_iter().enumerate() {
            if joins.iter().any(|join| join.info.name() == info.name()) {
                return Err(PlanError::Twice(info.name().to_owned()));
            }
            let ports = mapped(info)?;
            let by = if info.name() == bridge { on_bridge(info, ports)? } else { By::Cni };
            joins.push(Join { interface: format!("eth{number}"), by, info: info.clone() });
        }
        Ok(Plan::Own(joins))
    }

    /// The plan of a container in another, which has to be where that is.
    ///
    /// # Errors
    ///
    /// It asks for networks of its own.
    pub fn of_nested(container: Option<&ContainerInfo>) -> Result<(), PlanError> {
        let asks = container.is_some_and(|container| !container.network_infos.is_empty());
        if asks { Err(PlanError::Nested) } else { Ok(()) }
    }

    /// The variables that tell a program of Mesos' where it may listen.
    pub fn environment(&self) -> Option<(&'static str, &'static str)> {
        matches!(self, Plan::Own(_)).then_some(("LIBPROCESS_IP", "0.0.0.0"))
    }

    /// The ports of the host that it takes.
    pub fn host_ports(&self) -> Vec<PortMapping> {
        let Plan::Own(joins) = self else { return Vec::new() };
        // Those that make no sense were refused when the plan was made.
        joins.iter().flat_map(|join| mapped(&join.info).unwrap_or_default()).collect()
    }
}

/// The plan of a container of type DOCKER whose task has these ports of the host.
pub fn docker(container: &ContainerInfo, offered: &[RangeInclusive<u64>]) -> Result<DockerPlan, PlanError> {
    let docker = container.docker.clone().unwrap_or_default();
    let mode = match docker.network() {
        DockerMode::Host if container.hostname.is_some() => return Err(PlanError::Hostname),
        DockerMode::Host => "host",
        DockerMode::Bridge => "bridge",
        DockerMode::None => "none",
        DockerMode::User => match &container.network_infos[..] {
            [] => return Err(PlanError::NoInfo),
            [info] => info.name.as_deref().ok_or(PlanError::NoInfo)?,
            _ => return Err(PlanError::Several),
        },
    };
    let ports = docker.port_mappings.iter().map(|it| mapping(it.host_port, it.container_port, it.protocol.as_deref()));
    let ports = distinct(ports)?;
    if !ports.is_empty() && matches!(docker.network(), DockerMode::Host | DockerMode::None) {
        return Err(PlanError::NoMappings);
    }
    check_offered(&ports, offered)?;
    Ok(DockerPlan { mode: mode.to_owned(), ports })
}

/// A check that a task has the ports that it maps.
pub fn check_offered(ports: &[PortMapping], offered: &[RangeInclusive<u64>]) -> Result<(), PlanError> {
    if !ports.is_empty() && offered.is_empty() {
        return Err(PlanError::NoPorts);
    }
    let is_offered = |port: u16| offered.iter().any(|range| range.contains(&u64::from(port)));
    let other = ports.iter().map(|mapping| mapping.host_port).find(|port| !is_offered(*port));
    other.map_or(Ok(()), |port| Err(PlanError::NotOffered(port)))
}

/// A network as a container's status tells it: as it was asked for, with the addresses it got.
pub fn with_addresses(wanted: &NetworkInfo, addresses: &[IpAddr]) -> NetworkInfo {
    let address = |address: &IpAddr| {
        let protocol = if address.is_ipv4() { Protocol::IPv4 } else { Protocol::IPv6 };
        mesos::v1::network_info::IpAddress { protocol: Some(protocol as i32), ip_address: Some(address.to_string()) }
    };
    NetworkInfo { ip_addresses: addresses.iter().map(address).collect(), ..wanted.clone() }
}

fn on_bridge(info: &NetworkInfo, ports: Vec<PortMapping>) -> Result<By, PlanError> {
    let network = || info.name().to_owned();
    for wanted in &info.ip_addresses {
        match &wanted.ip_address {
            Some(address) => {
                return Err(PlanError::ChosenAddress { network: network(), address: address.clone() });
            }
            None if wanted.protocol() == Protocol::IPv6 => return Err(PlanError::Version6(network())),
            None => {}
        }
    }
    Ok(By::Bridge(ports))
}

fn mapped(info: &NetworkInfo) -> Result<Vec<PortMapping>, PlanError> {
    distinct(info.port_mappings.iter().map(|it| mapping(it.host_port, it.container_port, it.protocol.as_deref())))
}

fn mapping(host_port: u32, container_port: u32, protocol: Option<&str>) -> Result<PortMapping, PlanError> {
    let port = |port: u32| u16::try_from(port).ok().filter(|port| *port > 0).ok_or(PlanError::Port(port));
    let unknown = || PlanError::Protocol(protocol.unwrap_or_default().to_owned());
    let transport = Transport::named(protocol).ok_or_else(unknown)?;
    Ok(PortMapping { transport, host_port: port(host_port)?, container_port: port(container_port)? })
}

fn distinct(mappings: impl Iterator<Item = Result<PortMapping, PlanError>>) -> Result<Vec<PortMapping>, PlanError> {
    let mut all: Vec<PortMapping> = Vec::new();
    for mapping in mappings {
        let mapping = mapping?;
        let same = |other: &PortMapping| (other.transport, other.host_port) == (mapping.transport, mapping.host_port);
        if all.iter().any(same) {
            return Err(PlanError::MappedTwice(mapping.host_port));
        }
        all.push(mapping);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
