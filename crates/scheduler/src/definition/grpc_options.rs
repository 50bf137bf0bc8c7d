//! The options of a gRPC health check beside the service it asks about: the authority, and metadata.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use checks::spec::{GrpcProbe, Probe};
use serde::{Deserialize, Serialize};

use super::validate::Faults;

/// The options of a call over gRPC. With none set it is the usual one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct GrpcOptions {
    /// The `:authority`; the address if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<String>,
    /// Sent with the call.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

impl GrpcOptions {
    pub(super) fn validate(&self, path: &str, faults: &mut Faults) {
        // Any address: the port is not known yet.
        let usual = || GrpcProbe::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
        let named = GrpcProbe { authority: self.authority.clone(), ..usual() };
        faults.require_probe(Probe::Grpc(named), format!("{path}/authority"));
        for (name, value) in &self.metadata {
            let with = GrpcProbe { metadata: vec![(name.clone(), value.clone())], ..usual() };
            faults.require_probe(Probe::Grpc(with), format!("{path}/metadata({name})"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: serde_json::Value) -> Vec<String> {
        let options: GrpcOptions = serde_json::from_value(json).unwrap();
        let mut faults = Faults::default();
        options.validate("", &mut faults);
        faults.iter().map(|fault| format!("{} {}", fault.path, fault.error)).collect()
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let good = serde_json::json!({"authority": "shop.example", "metadata": {"x-token": "1"}});
        assert_eq!(faults(good), [""; 0]);
        assert_eq!(faults(serde_json::json!({"authority": ""})), ["/authority is no host name"]);
        let host = serde_json::json!({"metadata": {"host": "a"}});
        assert_eq!(faults(host), ["/metadata(host) may not have 'host': it is set by 'authority'"]);
    }
}
