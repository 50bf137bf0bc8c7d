//! A port of an app on the host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A port on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct PortDefinition {
    /// The port; 0 is any. Without `requirePorts` it is a wish that names a variable.
    pub(crate) port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// `tcp`, `udp` or `udp,tcp`.
    pub(crate) protocol: String,
    pub(crate) labels: BTreeMap<String, String>,
}

impl Default for PortDefinition {
    fn default() -> Self {
        PortDefinition { port: 0, name: None, protocol: "tcp".into(), labels: BTreeMap::new() }
    }
}

impl PortDefinition {
    /// The one that an app has where none is named.
    pub(crate) fn usual() -> Self {
        PortDefinition { name: Some("default".into()), ..PortDefinition::default() }
    }
}
