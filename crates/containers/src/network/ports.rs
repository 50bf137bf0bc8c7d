//! Ports of the host that lead to ports of containers.
//!
//! One table of `nf_tables` per bridge has them in two maps. It is made as a whole when the agent starts, of the
//! containers that live, so whatever an agent before it left is gone; from then on elements come and go over netlink.

mod elements;
mod flows;
mod others;
mod preflight;
mod rules;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use serde::{Deserialize, Serialize};

pub(super) use self::elements::{add, remove};
pub(super) use self::flows::forget;
pub(super) use self::others::elsewhere;
pub use self::preflight::{Firewall, inspect, let_through, shut_out};
pub use self::rules::{Mapped, Table};

/// The transport of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A port of the host that leads to one of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    /// The transport of both.
    pub transport: Transport,
    /// The port of the host.
    pub host_port: u16,
    /// The container's.
    pub container_port: u16,
}

impl Transport {
    /// The transport by its name in NetworkInfo and DockerInfo; `tcp` if there is none.
    pub fn named(name: Option<&str>) -> Option<Transport> {
        match name.unwrap_or("tcp").to_ascii_lowercase().as_str() {
            "tcp" => Some(Transport::Tcp),
            "udp" => Some(Transport::Udp),
            _ => None,
        }
    }

    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        }
    }
}

impl fmt::Display for PortMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} port {}", self.transport.name(), self.host_port)
    }
}

/// True if a process of the host has the port: it would no longer be reached once the port is mapped.
pub(super) fn is_taken(mapping: PortMapping) -> bool {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, mapping.host_port));
    match mapping.transport {
        Transport::Tcp => TcpListener::bind(address).is_err(),
        Transport::Udp => UdpSocket::bind(address).is_err(),
    }
}
