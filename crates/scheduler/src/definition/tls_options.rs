//! The part of an HTTPS health check that goes beyond Marathon's, which believes every server: its certificate is verified.

use serde::{Deserialize, Serialize};

use super::seconds::Seconds;
use super::validate::Faults;

/// The demands on a server's certificate. Nothing set is Marathon's way: every one is good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct TlsOptions {
    /// True if an authority that is trusted must have signed it, for the name that is asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) verify: bool,
    /// The authorities to trust, as PEM; those of the machine if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) roots: Option<String>,
    /// The name to ask for and to verify; the host that is asked if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_name: Option<String>,
    /// A certificate that ends sooner is a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_within_seconds: Option<Seconds>,
}

impl TlsOptions {
    pub(super) fn validate(&self, path: &str, faults: &mut Faults) {
        let fits = self.roots.is_none() || self.verify;
        faults.require(fits, format!("{path}/roots"), "mean nothing without 'verify': true");
        let named = self.server_name.as_deref().is_none_or(|name| !name.is_empty() && name.bytes().all(is_of_name));
        faults.require(named, format!("{path}/serverName"), "must be a host name");
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'/'
}
