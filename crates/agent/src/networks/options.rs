//! The options about networks of containers, with Mesos' and Marathon's names where they have some.

use std::path::PathBuf;
use std::time::Duration;

use mesos::duration;

/// See the fields; the default is a bridge, and no networks by name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkOptions {
    /// The name by which tasks ask for the bridge; the scheduler's option has to be the same.
    pub mesos_bridge_name: String,
    /// The name that the bridge has on the machine; by default, one of this agent's alone.
    pub bridge_link: Option<String>,
    /// The addresses of the bridge, such as `10.1.0.0/22`; by default, some of 10.192.0.0/10, the same each time.
    pub bridge_subnet: Option<String>,
    /// The longest packet of containers on the bridge in bytes, where the way out carries less than 1500.
    pub bridge_mtu: Option<u32>,
    /// The directory of networks by name: CNI's configurations.
    pub network_cni_config_dir: Option<PathBuf>,
    /// The directories of CNI's plugins, with colons between them.
    pub network_cni_plugins_dir: Option<String>,
    /// Set if what is remembered of containers' networks is to outlive the machine's restart: it is below the work
    /// directory then, and below `/run` otherwise.
    pub network_cni_root_dir_persist: bool,
    /// The time that a plugin may take.
    pub network_cni_timeout: Duration,
    /// The resolvers for networks that name none: Mesos' JSON, or the path of a file with it.
    pub default_container_dns: Option<String>,
}

impl Default for NetworkOptions {
    fn default() -> Self {
        NetworkOptions {
            mesos_bridge_name: "mesos-bridge".to_owned(),
            bridge_link: None,
            bridge_subnet: None,
            bridge_mtu: None,
            network_cni_config_dir: None,
            network_cni_plugins_dir: None,
            network_cni_root_dir_persist: false,
            network_cni_timeout: Duration::from_secs(30),
            default_container_dns: None,
        }
    }
}

impl NetworkOptions {
    /// As `/flags` shows them.
    pub(crate) fn flags(&self) -> impl Iterator<Item = (&'static str, String)> {
        let always = [
            ("mesos_bridge_name", self.mesos_bridge_name.clone()),
            ("network_cni_root_dir_persist", self.network_cni_root_dir_persist.to_string()),
            ("network_cni_timeout", duration::format(self.network_cni_timeout)),
        ];
        let directory = self.network_cni_config_dir.as_ref().map(|directory| directory.display().to_string());
        let where_set = [
            ("bridge_link", self.bridge_link.clone()),
            ("bridge_mtu", self.bridge_mtu.map(|mtu| mtu.to_string())),
            ("bridge_subnet", self.bridge_subnet.clone()),
            ("default_container_dns", self.default_container_dns.clone()),
            ("network_cni_config_dir", directory),
            ("network_cni_plugins_dir", self.network_cni_plugins_dir.clone()),
        ];
        always.into_iter().chain(where_set.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}
