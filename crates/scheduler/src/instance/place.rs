//! The place of an instance's task. Pure, and stored with the instance.

use std::net::IpAddr;

use mesos::v1::NetworkInfo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::spread::Site;

/// See the module; nothing before a launch.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Place {
    /// The agent's host.
    pub host: Option<String>,
    /// The properties of the agent that constraints can ask for.
    pub site: Site,
    pub agent_id: Option<String>,
    /// The host ports of the task.
    pub ports: Vec<u16>,
    /// The first address of the task, as the agent told it.
    pub ip: Option<String>,
    /// The networks of the task, where they have more to tell than that address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Network>,
}

/// A network that a task has joined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Network {
    pub name: Option<String>,
    pub addresses: Vec<String>,
}

impl Network {
    /// The networks of a status.
    pub(crate) fn all(infos: &[NetworkInfo]) -> Vec<Network> {
        let network = |info: &NetworkInfo| Network {
            name: info.name.clone(),
            addresses: info.ip_addresses.iter().filter_map(|address| address.ip_address.clone()).collect(),
        };
        infos.iter().map(network).collect()
    }

    fn is_plain(&self) -> bool {
        self.name.is_none() && self.addresses.len() <= 1
    }
}

fn first_address(networks: &[Network]) -> Option<&String> {
    networks.iter().flat_map(|network| &network.addresses).next()
}

/// The networks that have more to tell than one address.
fn telling(networks: &[Network]) -> &[Network] {
    match networks {
        [only] if only.is_plain() => &[],
        all => all,
    }
}

impl Place {
    /// True if a status with these networks says nothing new about them.
    pub(crate) fn knows(&self, networks: &[Network]) -> bool {
        first_address(networks).is_none_or(|ip| self.ip.as_ref() == Some(ip) && self.networks == telling(networks))
    }

    /// Takes in the networks of a status, if it has some.
    pub(crate) fn joined(&mut self, networks: &[Network]) {
        if let Some(ip) = first_address(networks) {
            (self.ip, self.networks) = (Some(ip.clone()), telling(networks).to_vec());
        }
    }

    /// A task that is launched anew has no address yet.
    pub(crate) fn leave(&mut self) {
        (self.ip, self.networks) = (None, Vec::new());
    }

    /// Its addresses, as Marathon shows those of tasks.
    pub(crate) fn addresses(&self) -> Vec<Value> {
        let all = self.networks.iter().flat_map(|network| &network.addresses);
        let address = |ip: &String| {
            let protocol = if ip.parse().is_ok_and(|ip: IpAddr| ip.is_ipv6()) { "IPv6" } else { "IPv4" };
            json!({"ipAddress": ip, "protocol": protocol})
        };
        all.chain(self.ip.iter().filter(|_| self.networks.is_empty())).map(address).collect()
    }

    /// Its networks, as Marathon shows those of pods.
    pub(crate) fn networks(&self) -> Vec<Value> {
        let network = |network: &Network| match &network.name {
            Some(name) => json!({"name": name, "addresses": network.addresses}),
            None => json!({"addresses": network.addresses}),
        };
        let plain = self.ip.iter().filter(|_| self.networks.is_empty()).map(|ip| json!({"addresses": [ip]}));
        self.networks.iter().map(network).chain(plain).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_told_with_all_their_addresses() {
        let infos: Vec<NetworkInfo> = [
            json!({"name": "blue", "ip_addresses": [{"ip_address": "10.0.0.2"}, {"ip_address": "fd00::2"}]}),
            json!({"name": "red", "ip_addresses": [{"ip_address": "10.1.0.2"}]}),
        ]
        .map(|info| mesos::json::from_value(info).unwrap())
        .into();
        let mut place = Place::default();
        assert!(!place.knows(&Network::all(&infos)));
        place.joined(&Network::all(&infos));
        assert!(place.knows(&Network::all(&infos)));
        place.joined(&[]);
        assert!(place.knows(&[]), "an update without networks says nothing");
        assert_eq!(place.ip.as_deref(), Some("10.0.0.2"));
        let addresses = place.addresses();
        assert_eq!(addresses[1], json!({"ipAddress": "fd00::2", "protocol": "IPv6"}));
        assert_eq!((addresses.len(), place.networks().len()), (3, 2));
        assert_eq!(place.networks()[1], json!({"name": "red", "addresses": ["10.1.0.2"]}));
        place.joined(&[Network { name: None, addresses: vec!["192.0.2.1".to_owned()] }]);
        assert_eq!(place.networks, [], "the host's network is its one address");
        assert_eq!(place.networks(), [json!({"addresses": ["192.0.2.1"]})]);
        assert_eq!(place.addresses(), [json!({"ipAddress": "192.0.2.1", "protocol": "IPv4"})]);
        place.leave();
        assert_eq!((place.addresses(), place.networks()), (Vec::new(), Vec::new()));
    }
}
