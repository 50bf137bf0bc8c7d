//! A port of a container that has a network of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::network::{self, Mode, Network};
use super::rules::{NAME, is_name, unique};
use super::validate::Faults;

/// A port of the container, and the one of its host that leads to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct PortMapping {
    /// The port that the task listens on; 0 is the one of the host.
    pub(crate) container_port: u16,
    /// The port of the host: 0 is any; none at all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host_port: Option<u16>,
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// `tcp`, `udp` or `udp,tcp`.
    pub(crate) protocol: String,
    /// The port that load balancers offer it on; 0 is one that nobody else has.
    pub(crate) service_port: u16,
    /// The networks it is for; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) network_names: Vec<String>,
}

impl Default for PortMapping {
    fn default() -> Self {
        PortMapping {
            container_port: 0,
            host_port: None,
            labels: BTreeMap::new(),
            name: None,
            protocol: "tcp".into(),
            service_port: 0,
            network_names: Vec::new(),
        }
    }
}

impl PortMapping {
    /// The one that a container has where none is named.
    pub(crate) fn usual() -> Self {
        PortMapping { name: Some("default".into()), ..PortMapping::default() }
    }
}

/// The refusal of a port that is offered on one of several networks, and does not say on which.
pub(super) const ONE_NETWORK: &str =
    "networkNames must be a single item list when hostPort is specified and more than 1 container network is defined";

/// Adds what is wrong with port mappings, given the networks they are for.
pub(super) fn validate(mappings: &[PortMapping], networks: &[Network], at: &str, faults: &mut Faults) {
    let names = mappings.iter().filter_map(|mapping| mapping.name.as_deref());
    faults.require(unique(names), at, "Port names must be unique.");
    for (index, mapping) in mappings.iter().enumerate() {
        let at = format!("{at}({index})");
        faults.require(mapping.name.as_deref().is_none_or(is_name), format!("{at}/name"), NAME);
        let known = ["tcp", "udp", "udp,tcp", "tcp,udp"].contains(&mapping.protocol.as_str());
        faults.require(known, format!("{at}/protocol"), "expected tcp, udp or udp,tcp");
        on_networks(mapping.host_port, &mapping.network_names, networks, &at, faults);
    }
}

/// Adds what is wrong with the networks that a port says it is on.
pub(super) fn on_networks(
    host_port: Option<u16>,
    names: &[String],
    networks: &[Network],
    at: &str,
    faults: &mut Faults,
) {
    let several = networks.iter().filter(|network| network.mode == Mode::Container).count() > 1;
    faults.require(!several || host_port.is_none() || names.len() == 1, at, ONE_NETWORK);
    let known: Vec<_> = network::names(networks).collect();
    for (index, name) in names.iter().enumerate() {
        let error = format!("is not one of ({})", known.join(","));
        faults.require(known.contains(&name.as_str()), format!("{at}/networkNames({index})"), error);
    }
}
