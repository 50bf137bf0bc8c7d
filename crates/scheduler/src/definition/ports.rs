//! The ports of an instance, wherever its definition has them: `portDefinitions` on the host's network, `portMappings` of a
//! container, `endpoints` of a pod. In: a definition, and the host ports that an instance has. Out: which port is which.

use std::collections::BTreeMap;

use super::network;
use super::pod::Endpoint;
use super::port::PortDefinition;
use super::port_mapping::PortMapping;
use super::run_spec::{Kind, RunSpec};

/// The first of the ports that containers listen on where nobody says which: each has all of its network's to itself.
const FIRST_UNSAID: u16 = 20_000;

/// A port as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WantedPort<'a> {
    pub(crate) host: HostPort,
    /// The port in the container, where that has a network of its own; 0 is the one of the host.
    pub(crate) container: Option<u16>,
    /// The number that a variable is named after, unless it is 0.
    pub(crate) requested: u16,
    /// The port that load balancers offer it on.
    pub(crate) service: u16,
    pub(crate) name: Option<&'a str>,
    pub(crate) protocols: Vec<&'a str>,
    pub(crate) labels: &'a BTreeMap<String, String>,
    /// The networks it is for; all if empty.
    pub(crate) networks: &'a [String],
}

/// A port of the host, if one is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostPort {
    None,
    Any,
    This(u16),
}

/// A port as an instance has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Port<'a> {
    pub(crate) wanted: WantedPort<'a>,
    /// The port of the host that leads to it.
    pub(crate) host: Option<u16>,
    /// The port that the task listens on.
    pub(crate) inside: u16,
}

impl HostPort {
    /// This port; any for 0.
    fn of(port: u16) -> Self {
        if port == 0 { HostPort::Any } else { HostPort::This(port) }
    }
}

impl<'a> WantedPort<'a> {
    /// The port as an instance has it that has these ports of the host left.
    fn had(self, unsaid: u16, host_ports: &mut impl Iterator<Item = u16>) -> Option<Port<'a>> {
        let host = match self.host {
            HostPort::None => None,
            HostPort::Any | HostPort::This(_) => Some(host_ports.next()?),
        };
        let inside = self.container.filter(|port| *port != 0).or(host).unwrap_or(unsaid);
        Some(Port { wanted: self, host, inside })
    }
}

impl Port<'_> {
    /// The port that others know it by: the host's, or, without one, the container's.
    pub(crate) fn outside(&self) -> u16 {
        self.host.unwrap_or(self.inside)
    }
}

impl RunSpec {
    /// The ports of an instance as they are asked for.
    pub(crate) fn wanted_ports(&self) -> Vec<WantedPort<'_>> {
        match &self.kind {
            Kind::Pod { pod } => {
                let host = network::is_host(&pod.networks);
                pod.endpoints().map(|endpoint| endpoint.wanted(host)).collect()
            }
            Kind::App(app) if network::is_host(&app.networks) => {
                self.port_definitions.iter().flatten().map(|port| port.wanted(self.require_ports)).collect()
            }
            Kind::App(app) => {
                let mappings = app.container.iter().flat_map(|container| &container.port_mappings);
                mappings.flatten().map(PortMapping::wanted).collect()
            }
        }
    }

    /// The ports of an instance that has these host ports, in the order in which they are asked for. One that should have a
    /// host port, and has none, is left out.
    pub(crate) fn ports(&self, host_ports: &[u16]) -> Vec<Port<'_>> {
        let mut host_ports = host_ports.iter().copied();
        let wanted = self.wanted_ports().into_iter().zip(FIRST_UNSAID..);
        wanted.filter_map(|(wanted, unsaid)| wanted.had(unsaid, &mut host_ports)).collect()
    }

    /// The service ports of an app, which load balancers listen on.
    pub(crate) fn service_ports(&self) -> Vec<u16> {
        if self.app().is_none() {
            return Vec::new();
        }
        self.wanted_ports().iter().map(|port| port.service).collect()
    }

    /// The service ports that may be chosen: not those of ports that have to be certain ones of the host.
    pub(crate) fn service_ports_mut(&mut self) -> Vec<&mut u16> {
        let Kind::App(app) = &mut self.kind else { return Vec::new() };
        if network::is_host(&app.networks) {
            let chosen = self.port_definitions.iter_mut().filter(|_| !self.require_ports);
            return chosen.flatten().map(|port| &mut port.port).collect();
        }
        let mappings = app.container.iter_mut().flat_map(|container| &mut container.port_mappings);
        mappings.flatten().map(|mapping| &mut mapping.service_port).collect()
    }

    /// Service ports that may be any keep the numbers that were given to them before, in their order: sending an app once
    /// more changes nothing.
    pub(crate) fn keep_service_ports(&mut self, before: &[u16]) {
        let mut own = self.service_ports_mut();
        let mut free: Vec<_> =
            before.iter().filter(|number| **number != 0 && !own.iter().any(|own| *own == *number)).collect();
        free.reverse();
        for port in own.iter_mut().filter(|port| ***port == 0) {
            **port = free.pop().copied().unwrap_or(0);
        }
    }
}

impl PortDefinition {
    fn wanted(&self, required: bool) -> WantedPort<'_> {
        WantedPort {
            host: if required { HostPort::of(self.port) } else { HostPort::Any },
            container: None,
            requested: self.port,
            service: self.port,
            name: self.name.as_deref(),
            protocols: self.protocol.split(',').collect(),
            labels: &self.labels,
            networks: &[],
        }
    }
}

impl PortMapping {
    fn wanted(&self) -> WantedPort<'_> {
        WantedPort {
            host: self.host_port.map_or(HostPort::None, HostPort::of),
            container: Some(self.container_port),
            requested: self.container_port,
            service: self.service_port,
            name: self.name.as_deref(),
            protocols: self.protocol.split(',').collect(),
            labels: &self.labels,
            networks: &self.network_names,
        }
    }
}

impl Endpoint {
    fn wanted(&self, on_host: bool) -> WantedPort<'_> {
        let host = if on_host { self.host_port.or(Some(0)) } else { self.host_port };
        WantedPort {
            host: host.map_or(HostPort::None, HostPort::of),
            container: (!on_host).then_some(self.container_port.unwrap_or(0)),
            requested: 0,
            service: 0,
            name: Some(&self.name),
            protocols: self.protocol.iter().map(String::as_str).collect(),
            labels: &self.labels,
            networks: &self.network_names,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::definition::AppUpdate;
    use crate::ids::AppId;
    use crate::time::Timestamp;

    fn app(json: Value) -> RunSpec {
        let update: AppUpdate = serde_json::from_value(json).unwrap();
        update.create(AppId::new("/a"), Timestamp::from_millis(0)).unwrap()
    }

    fn seen(spec: &RunSpec, host: &[u16]) -> Vec<(Option<u16>, u16)> {
        spec.ports(host).iter().map(|port| (port.host, port.inside)).collect()
    }

    #[test]
    fn network_info_port_assignments_rows() {
        let mapped = |mode: &str, mappings: Value| {
            let network = if mode == "container" { json!({"name": "blue"}) } else { json!({"mode": mode}) };
            app(json!({"networks": [network], "container": {"type": "MESOS", "docker": {"image": "a"},
                "portMappings": mappings}}))
        };
        let host = app(json!({"cmd": "run", "portDefinitions": [{"port": 0}, {"port": 80}]}));
        assert_eq!(seen(&host, &[31000, 31001]), [(Some(31000), 31000), (Some(31001), 31001)]);
        let user = mapped(
            "container",
            json!([{"containerPort": 80}, {"containerPort": 0, "hostPort": 0},
            {"containerPort": 81, "hostPort": 8081}, {"containerPort": 0}]),
        );
        let ports = [(None, 80), (Some(31000), 31000), (Some(8081), 81), (None, 20_003)];
        assert_eq!(seen(&user, &[31000, 8081]), ports);
        let bridge = mapped("container/bridge", json!([{"containerPort": 80}, {"containerPort": 0}]));
        assert_eq!(seen(&bridge, &[31000, 31001]), [(Some(31000), 80), (Some(31001), 31001)]);
        assert_eq!(seen(&bridge, &[31000]), [(Some(31000), 80)]);
    }
}
