//! The ports of a pod's containers, by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::definition::port::PortDefinition;

/// A port of a container, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container_port: Option<u16>,
    /// The port of the host: 0 is any; none at all if absent, which only container networks allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host_port: Option<u16>,
    #[serde(default = "tcp", skip_serializing_if = "Vec::is_empty")]
    pub(crate) protocol: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) network_names: Vec<String>,
}

impl Endpoint {
    pub(super) fn definition(&self) -> PortDefinition {
        PortDefinition {
            port: self.host_port.unwrap_or(0),
            name: Some(self.name.clone()),
            protocol: self.protocol.join(","),
            labels: self.labels.clone(),
        }
    }
}

fn tcp() -> Vec<String> {
    vec!["tcp".into()]
}
