//! `ipAddress`: how apps asked for an address of their own before Marathon 1.5.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::definition::network::{Mode, Network};
use crate::definition::port_mapping::PortMapping;

/// The network of the bridge, by the name that agents have for it where nobody says otherwise.
const BRIDGE: &str = "mesos-bridge";

/// An address of the app's own, as a client writes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct IpAddress {
    pub(super) network_name: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
    /// Without meaning, as in Marathon.
    groups: IgnoredAny,
    discovery: Option<Discovery>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Discovery {
    ports: Vec<DiscoveryPort>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiscoveryPort {
    #[serde(default)]
    number: u16,
    name: String,
    #[serde(default = "tcp")]
    protocol: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

fn tcp() -> String {
    "tcp".into()
}

impl IpAddress {
    /// The network it means.
    pub(super) fn network(&self) -> Network {
        let (name, labels) = (self.network_name.clone(), self.labels.clone());
        match name.as_deref() {
            Some(BRIDGE) => Network { mode: Mode::Bridge, name: None, labels },
            _ => Network { mode: Mode::Container, name, labels },
        }
    }

    /// The ports it tells others about: none of the host.
    pub(super) fn port_mappings(&self) -> Vec<PortMapping> {
        let mapping = |port: &DiscoveryPort| PortMapping {
            container_port: port.number,
            name: Some(port.name.clone()),
            protocol: port.protocol.clone(),
            labels: port.labels.clone(),
            ..PortMapping::default()
        };
        self.discovery.iter().flat_map(|discovery| &discovery.ports).map(mapping).collect()
    }
}
