//! The settings of TLS. Each check owns its settings; a [`TlsPlan`] is what they are compiled to.

mod plan;
mod trust;
mod verifier;

use std::fmt;
use std::time::Duration;

use super::{SpecError, is_visible, require};
pub(crate) use plan::{HTTP2, TlsPlan};

/// The settings of TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Tls {
    /// The certificates of servers that are accepted.
    pub verification: Verification,
    /// The name to ask for (SNI) and to verify; the host that is asked if absent.
    pub server_name: Option<String>,
    /// The certificate to show to servers that ask for one.
    pub identity: Option<ClientIdentity>,
    /// A certificate that expires sooner is a failure of its own, even if the answer is good.
    pub expires_within: Option<Duration>,
}

/// The certificates of servers that are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Verification {
    /// Every one, as Mesos and Marathon do.
    #[default]
    None,
    /// The certificate authorities this machine trusts.
    SystemRoots,
    /// These certificate authorities, in PEM; and servers whose own certificate is among them.
    Roots(Vec<u8>),
}

/// A certificate chain and its key.
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ClientIdentity {
    /// In PEM, our own first.
    pub certificates: Vec<u8>,
    /// In PEM.
    pub key: Vec<u8>,
}

/// Keys are not printed.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientIdentity").field("certificates", &self.certificates.len()).finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn validate(&self) -> Result<(), SpecError> {
        let name = self.server_name.as_deref();
        let is_name = name.is_none_or(|name| !name.is_empty() && is_visible(name));
        require(is_name, "probe.tls.server_name", "is no host name")?;
        if self.has_pem() { TlsPlan::of(self, None).map(drop) } else { Ok(()) }
    }

    /// True if there is something to read. What this machine trusts is not the check's.
    fn has_pem(&self) -> bool {
        self.identity.is_some() || matches!(self.verification, Verification::Roots(_))
    }
}
