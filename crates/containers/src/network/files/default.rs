//! The operator's resolvers for networks that name none: Mesos' `--default_container_dns`. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Dns;

/// The resolvers by network; those without a network's name are for all networks of their kind that are not there by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultDns {
    mesos: BTreeMap<Option<String>, Dns>,
    docker_bridge: Option<Dns>,
    docker_user: BTreeMap<Option<String>, Dns>,
}

/// Why a text names no resolvers; the operator is at fault.
#[derive(Debug, thiserror::Error)]
pub enum DefaultDnsError {
    /// It is not as Mesos describes it.
    #[error("Failed to parse --default_container_dns: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Two entries are for the same networks.
    #[error("--default_container_dns has more than one entry for {0}")]
    Twice(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flag {
    #[serde(default)]
    mesos: Vec<Entry<MesosMode>>,
    #[serde(default)]
    docker: Vec<Entry<DockerMode>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<Mode> {
    network_mode: Mode,
    network_name: Option<String>,
    dns: Dns,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum MesosMode {
    Cni,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DockerMode {
    Bridge,
    User,
}

impl DefaultDns {
    /// Reads the flag's JSON.
    pub fn read(text: &str) -> Result<DefaultDns, DefaultDnsError> {
        let Flag { mesos, docker } = serde_json::from_str(text)?;
        let mut all = DefaultDns::default();
        for Entry { network_mode: MesosMode::Cni, network_name, dns } in mesos {
            once(&mut all.mesos, "CNI", network_name, dns)?;
        }
        for Entry { network_mode, network_name, dns } in docker {
            match network_mode {
                DockerMode::User => once(&mut all.docker_user, "Docker's", network_name, dns)?,
                DockerMode::Bridge if all.docker_bridge.replace(dns).is_some() => {
                    return Err(DefaultDnsError::Twice("Docker's bridge".to_owned()));
                }
                DockerMode::Bridge => {}
            }
        }
        Ok(all)
    }

    /// The resolvers for a network of a container of type MESOS.
    pub fn mesos(&self, network: &str) -> Option<&Dns> {
        by_name(&self.mesos, network)
    }

    /// The resolvers for a container of type DOCKER, by its network's mode or name. One in the host's network has the
    /// host's.
    pub fn docker(&self, mode: &str) -> Option<&Dns> {
        match mode {
            "host" | "none" => None,
            "bridge" => self.docker_bridge.as_ref(),
            name => by_name(&self.docker_user, name),
        }
    }
}

fn by_name<'a>(all: &'a BTreeMap<Option<String>, Dns>, network: &str) -> Option<&'a Dns> {
    all.get(&Some(network.to_owned())).or_else(|| all.get(&None))
}

fn once(
    all: &mut BTreeMap<Option<String>, Dns>,
    kind: &str,
    network: Option<String>,
    dns: Dns,
) -> Result<(), DefaultDnsError> {
    let networks = match &network {
        Some(network) => format!("{kind} network '{network}'"),
        None => format!("{kind} networks"),
    };
    all.insert(network, dns).map_or(Ok(()), |_other| Err(DefaultDnsError::Twice(networks)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_before_all_names() {
        let text = r#"{
            "mesos": [
                {"network_mode": "CNI", "network_name": "blue", "dns": {"nameservers": ["10.0.0.1"], "domain": "d"}},
                {"network_mode": "CNI", "dns": {"nameservers": ["10.0.0.2"], "options": ["timeout:3"]}}],
            "docker": [
                {"network_mode": "BRIDGE", "dns": {"nameservers": ["10.0.0.3"]}},
                {"network_mode": "USER", "network_name": "net", "dns": {"nameservers": ["10.0.0.4"]}}]}"#;
        let all = DefaultDns::read(text).unwrap();
        let first = |dns: Option<&Dns>| dns.map(|dns| dns.nameservers[0].clone());
        assert_eq!(
            [first(all.mesos("blue")), first(all.mesos("red"))],
            [Some("10.0.0.1"), Some("10.0.0.2")].map(|it| it.map(str::to_owned))
        );
        assert_eq!(all.mesos("blue").unwrap().text(), "domain d\nnameserver 10.0.0.1\n");
        assert_eq!(
            [first(all.docker("bridge")), first(all.docker("net"))],
            [Some("10.0.0.3"), Some("10.0.0.4")].map(|it| it.map(str::to_owned))
        );
        assert_eq!([all.docker("other"), all.docker("host"), DefaultDns::read("{}").unwrap().mesos("blue")], [None; 3]);
    }

    #[test]
    fn other_texts_are_refused() {
        let entry = r#"{"network_mode": "CNI", "network_name": "a", "dns": {}}"#;
        let bridge = r#"{"network_mode": "BRIDGE", "dns": {}}"#;
        for (text, why) in [
            ("", "Failed to parse --default_container_dns: EOF"),
            (r#"{"mesos": [{"network_mode": "HOST", "dns": {}}]}"#, "unknown variant `HOST`"),
            (r#"{"mesos": [{"network_mode": "CNI"}]}"#, "missing field `dns`"),
            (&format!("{{\"mesos\": [{entry}, {entry}]}}"), "more than one entry for CNI network 'a'"),
            (&format!("{{\"docker\": [{bridge}, {bridge}]}}"), "more than one entry for Docker's bridge"),
        ] {
            let error = DefaultDns::read(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
