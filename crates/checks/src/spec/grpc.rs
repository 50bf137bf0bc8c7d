//! The gRPC health protocol.

use std::net::{IpAddr, SocketAddr};

use super::{SpecError, Tls, is_visible, require, require_address};

/// Asks `grpc.health.v1.Health/Check`; healthy is `SERVING`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcProbe {
    /// Whom to connect to, as seen from the check's place.
    pub address: SocketAddr,
    /// Whom to connect from; whatever the kernel takes if absent.
    pub source: Option<IpAddr>,
    /// The `:authority`, and the server name of TLS if that has none; the address if absent.
    pub authority: Option<String>,
    /// The service to ask about; empty is the server as a whole.
    pub service: String,
    /// With TLS, if present.
    pub tls: Option<Tls>,
}

impl GrpcProbe {
    /// Plain text, the server as a whole.
    pub fn new(address: SocketAddr) -> GrpcProbe {
        GrpcProbe { address, source: None, authority: None, service: String::new(), tls: None }
    }

    pub(super) fn validate(&self) -> Result<(), SpecError> {
        require_address(&self.address, self.source, "probe.grpc.address")?;
        let authority = self.authority.as_deref();
        let is_name = authority.is_none_or(|name| !name.is_empty() && is_visible(name));
        require(is_name, "probe.grpc.authority", "is no host name")?;
        self.tls.as_ref().map_or(Ok(()), Tls::validate)
    }
}
