//! The ports of an instance as its tasks and others learn of them: in variables, and in Mesos' discovery.

use std::collections::BTreeMap;

use mesos::v1::Port as DiscoveryPort;

use crate::definition::network::{self, Network};
use crate::definition::ports::Port;

use super::variable_name;

/// The labels that say which address a port is at.
const SCOPE: &str = "network-scope";
const NAME: &str = "network-name";

/// The variables of an app's ports: by their order, by the number that was asked for, and by name.
pub(super) fn variables(ports: &[Port<'_>], set: &mut impl FnMut(&str, String)) {
    if ports.is_empty() {
        return;
    }
    let chosen = ports.iter().filter(|port| port.host.is_some()).chain(ports.iter().filter(|port| is_unsaid(port)));
    let chosen: Vec<_> = chosen.map(|port| port.outside().to_string()).collect();
    if let Some(first) = chosen.first() {
        set("PORT", first.clone());
    }
    set("PORTS", chosen.join(","));
    for (index, port) in ports.iter().enumerate() {
        let number = port.outside().to_string();
        set(&format!("PORT{index}"), number.clone());
        let asked = if port.wanted.requested == 0 { port.outside() } else { port.wanted.requested };
        set(&format!("PORT_{asked}"), number.clone());
        if let Some(name) = port.wanted.name {
            set(&format!("PORT_{}", variable_name(name)), number);
        }
    }
}

/// True if neither the host nor the definition says which port the task listens on.
fn is_unsaid(port: &Port<'_>) -> bool {
    port.host.is_none() && port.wanted.requested == 0
}

/// The variables of a pod's endpoints: the port that is listened on, that of the host, and that of the container.
pub(super) fn endpoint_variables(ports: &[Port<'_>], set: &mut impl FnMut(&str, String)) {
    for port in ports {
        let name = variable_name(port.wanted.name.unwrap_or_default());
        set(&format!("ENDPOINT_{name}"), port.inside.to_string());
        if let Some(host) = port.host {
            set(&format!("EP_HOST_{name}"), host.to_string());
        }
        if port.wanted.container.is_some() {
            set(&format!("EP_CONTAINER_{name}"), port.inside.to_string());
        }
    }
}

/// The ports for discovery, one for each protocol: on the host where it has one, else on each network.
pub(super) fn discovery(networks: &[Network], ports: &[Port<'_>]) -> Vec<DiscoveryPort> {
    ports.iter().flat_map(|port| of_port(networks, port)).collect()
}

fn of_port(networks: &[Network], port: &Port<'_>) -> Vec<DiscoveryPort> {
    let protocols: Vec<Option<&str>> = match port.wanted.protocols.as_slice() {
        [] => vec![None],
        some => some.iter().map(|protocol| Some(*protocol)).collect(),
    };
    let places = places(networks, port);
    let at = |protocol: Option<&str>| {
        let one = |labels: &BTreeMap<&str, &str>| DiscoveryPort {
            number: u32::from(port.outside()),
            name: port.wanted.name.map(str::to_owned),
            protocol: protocol.map(str::to_owned),
            labels: labelled(port, labels),
            ..DiscoveryPort::default()
        };
        places.iter().map(one).collect::<Vec<_>>()
    };
    protocols.into_iter().flat_map(at).collect()
}

/// The labels of each place a port is at; on the host's network there is nothing to tell.
fn places<'a>(networks: &'a [Network], port: &'a Port<'_>) -> Vec<BTreeMap<&'a str, &'a str>> {
    if port.wanted.container.is_none() {
        return vec![BTreeMap::new()];
    }
    if port.host.is_some() {
        return vec![[(SCOPE, "host")].into()];
    }
    let all = || network::names(networks).collect::<Vec<_>>();
    let own: Vec<&str> = port.wanted.networks.iter().map(String::as_str).collect();
    let names = if own.is_empty() { all() } else { own };
    names.into_iter().map(|name| [(SCOPE, "container"), (NAME, name)].into()).collect()
}

fn labelled(port: &Port<'_>, more: &BTreeMap<&str, &str>) -> Option<mesos::v1::Labels> {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    super::labels(&port.wanted.labels.clone().into_iter().chain(more).collect())
}
