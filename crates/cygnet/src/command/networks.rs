//! The networks of an agent's containers, as options.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::paths::absolute;

/// The options about networks.
#[derive(Debug, Args)]
pub(crate) struct Networks {
    /// The name by which tasks ask for the agent's own bridge
    #[arg(long, default_value = "mesos-bridge", env = "CYGNET_MESOS_BRIDGE_NAME")]
    mesos_bridge_name: String,
    /// What the bridge is called on the machine; by default, a name that no other agent's has
    #[arg(long, env = "CYGNET_BRIDGE_LINK")]
    bridge_link: Option<String>,
    /// The addresses of the bridge, such as "10.1.0.0/22"; by default, some of 10.192.0.0/10, the same each time
    #[arg(long, env = "CYGNET_BRIDGE_SUBNET")]
    bridge_subnet: Option<String>,
    /// The longest packet of containers on the bridge, where the way out carries less than 1500 bytes
    #[arg(long, env = "CYGNET_BRIDGE_MTU")]
    bridge_mtu: Option<u32>,
    /// Where networks by name are described: a directory of CNI configurations
    #[arg(long, env = "CYGNET_NETWORK_CNI_CONFIG_DIR")]
    network_cni_config_dir: Option<PathBuf>,
    /// Where the plugins of CNI are: directories with colons between them
    #[arg(long, env = "CYGNET_NETWORK_CNI_PLUGINS_DIR")]
    network_cni_plugins_dir: Option<String>,
    /// Whether what containers have in networks is remembered across a restart of the machine
    #[arg(long, value_parser = BoolishValueParser::new(), env = "CYGNET_NETWORK_CNI_ROOT_DIR_PERSIST")]
    network_cni_root_dir_persist: bool,
    /// How long a plugin of CNI may take
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration, env = "CYGNET_NETWORK_CNI_TIMEOUT")]
    network_cni_timeout: Duration,
    /// The resolvers for networks that name none, as Mesos' JSON or the path of a file with it
    #[arg(long, value_name = "JSON", env = "CYGNET_DEFAULT_CONTAINER_DNS")]
    default_container_dns: Option<String>,
}

impl Networks {
    /// The name by which tasks ask for the bridge.
    pub(crate) fn bridge(&self) -> &str {
        &self.mesos_bridge_name
    }

    pub(crate) fn give(&self, options: &mut ::agent::Options) -> anyhow::Result<()> {
        let networks = &mut options.networks;
        networks.mesos_bridge_name.clone_from(&self.mesos_bridge_name);
        networks.bridge_link.clone_from(&self.bridge_link);
        networks.bridge_subnet.clone_from(&self.bridge_subnet);
        networks.bridge_mtu = self.bridge_mtu;
        networks.network_cni_config_dir = self.network_cni_config_dir.as_deref().map(absolute).transpose()?;
        networks.network_cni_plugins_dir.clone_from(&self.network_cni_plugins_dir);
        networks.network_cni_root_dir_persist = self.network_cni_root_dir_persist;
        networks.network_cni_timeout = self.network_cni_timeout;
        networks.default_container_dns.clone_from(&self.default_container_dns);
        Ok(())
    }
}
