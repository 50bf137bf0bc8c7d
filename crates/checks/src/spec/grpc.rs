//! The gRPC health protocol.

use std::net::{IpAddr, SocketAddr};

use super::{SpecError, Tls, is_visible, require, require_address, reserved};

/// Asks `grpc.health.v1.Health/Check`; healthy is `SERVING`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct GrpcProbe {
    /// The address to connect to, as seen from the check's place.
    pub address: SocketAddr,
    /// The address to connect from; the kernel's choice if absent.
    pub source: Option<IpAddr>,
    /// The `:authority`, and the server name of TLS if that has none; the address if absent.
    pub authority: Option<String>,
    /// The service to ask about; empty is the server as a whole.
    #[cfg_attr(feature = "serde", serde(default))]
    pub service: String,
    /// Sent with the call, in this order, names in small letters. The values of those that end in `-bin` are base64.
    #[cfg_attr(feature = "serde", serde(default))]
    pub metadata: Vec<(String, String)>,
    /// With TLS, if present.
    pub tls: Option<Tls>,
}

impl GrpcProbe {
    /// Plain text, the server as a whole.
    pub fn new(address: SocketAddr) -> GrpcProbe {
        let (service, metadata) = (String::new(), Vec::new());
        GrpcProbe { address, source: None, authority: None, service, metadata, tls: None }
    }

    pub(super) fn validate(&self) -> Result<(), SpecError> {
        require_address(&self.address, self.source, "probe.grpc.address")?;
        let authority = self.authority.as_deref();
        let is_name = authority.is_none_or(|name| !name.is_empty() && is_visible(name));
        require(is_name, "probe.grpc.authority", "is no host name")?;
        self.metadata.iter().try_for_each(|(name, value)| validate_metadata(name, value))?;
        self.tls.as_ref().map_or(Ok(()), Tls::validate)
    }
}

/// The names that metadata may not have, and why, beside everything that begins with `grpc-`.
const RESERVED: [(&str, &str); 8] = [
    ("host", "it is set by 'authority'"),
    ("content-type", "it follows from the protocol"),
    ("content-length", "it follows from the protocol"),
    ("te", "it follows from the protocol"),
    ("user-agent", "the engine says who it is"),
    ("connection", "HTTP/2 has none"),
    ("transfer-encoding", "HTTP/2 has none"),
    ("upgrade", "HTTP/2 has none"),
];

fn validate_metadata(name: &str, value: &str) -> Result<(), SpecError> {
    const FIELD: &str = "probe.grpc.metadata";
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let is_name = !name.is_empty() && name.bytes().all(legal);
    require(is_name, FIELD, format!("has an invalid name, which is of letters, digits, '_', '-', '.': {name:?}"))?;
    require(
        !name.to_ascii_lowercase().starts_with("grpc-"),
        FIELD,
        format!("may not have '{name}': 'grpc-' is the protocol's"),
    )?;
    reserved(&RESERVED, FIELD, name)?;
    let is_plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    require(is_plain, FIELD, format!("has a value that is not of printable ASCII in '{name}'"))
}
