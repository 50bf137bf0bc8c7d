//! Listening ports: asked of the network, or of the kernel.

use std::net::{IpAddr, SocketAddr};

use super::Transport;

/// The question whether a TCP connection can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct TcpProbe {
    /// The address to connect to, as seen from the check's place.
    pub address: SocketAddr,
    /// The address to connect from; the kernel's choice if absent.
    pub source: Option<IpAddr>,
    /// The point to go to.
    #[cfg_attr(feature = "serde", serde(default))]
    pub mode: TcpMode,
}

impl TcpProbe {
    /// Half-open.
    pub fn new(address: SocketAddr) -> TcpProbe {
        TcpProbe { address, source: None, mode: TcpMode::default() }
    }
}

/// The point to which a TCP probe goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TcpMode {
    /// The connection is reset before its handshake ends: the application never wakes, and nothing lingers in tables
    /// of connections.
    #[default]
    HalfOpen,
    /// A whole connection, which the application accepts and then finds reset.
    Connect,
}

/// The question whether a port is listened on, asked of the kernel (`sock_diag`) in the network namespace of the
/// check's place.
///
/// Nothing is sent and the application never knows. It says that a socket is there, not that anybody serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ListenProbe {
    /// TCP or UDP.
    pub transport: Transport,
    /// The address a client would connect to; a socket bound to all addresses serves it, too.
    pub address: SocketAddr,
}

impl ListenProbe {
    /// A TCP port.
    pub fn new(address: SocketAddr) -> ListenProbe {
        ListenProbe { transport: Transport::Tcp, address }
    }
}
