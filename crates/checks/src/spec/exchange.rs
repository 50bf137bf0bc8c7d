//! Bytes sent and bytes expected.

use std::net::{IpAddr, SocketAddr};

use super::{Expectation, SpecError, expectation, require, require_address};

/// Sends something and looks at what comes back.
///
/// An answer is expected, whatever it is: silence is a timeout. Over TCP nothing need be sent, for servers that speak
/// first, and bytes are taken in until all expectations hold or the peer ends. Over UDP one datagram is the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ExchangeProbe {
    /// TCP or UDP.
    pub transport: Transport,
    /// The address to ask, as seen from the check's place.
    pub address: SocketAddr,
    /// The address to ask from; the kernel's choice if absent.
    pub source: Option<IpAddr>,
    /// The bytes to send.
    #[cfg_attr(feature = "serde", serde(default))]
    pub send: Vec<u8>,
    /// The expectations that the answer must meet, all of them. Without any, any byte is a good answer.
    #[cfg_attr(feature = "serde", serde(default))]
    pub expect: Vec<Expectation>,
}

/// The protocol that carries the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Transport {
    /// A connection.
    Tcp,
    /// Datagrams.
    Udp,
}

/// The longest payload of a datagram over IPv4.
const DATAGRAM: usize = 65_507;

impl ExchangeProbe {
    /// Sends this, and takes any answer.
    pub fn new(transport: Transport, address: SocketAddr, send: impl Into<Vec<u8>>) -> ExchangeProbe {
        ExchangeProbe { transport, address, source: None, send: send.into(), expect: Vec::new() }
    }

    pub(super) fn validate(&self) -> Result<(), SpecError> {
        require_address(&self.address, self.source, "probe.exchange.address")?;
        let is_datagram = self.transport == Transport::Udp;
        require(!is_datagram || !self.send.is_empty(), "probe.exchange.send", "is empty; nobody answers to nothing")?;
        require(!is_datagram || self.send.len() <= DATAGRAM, "probe.exchange.send", "does not fit into a datagram")?;
        expectation::validate(&self.expect, "probe.exchange.expect")
    }
}
