//! A readiness check: asked during deployments only, until an instance of the new version says that it is ready.

use serde::{Deserialize, Serialize};

use super::ports::{Port, WantedPort};
use super::rules;
use super::seconds::Seconds;
use super::validate::Faults;

/// A readiness check, with Marathon's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ReadinessCheck {
    /// Its name in results.
    pub(crate) name: String,
    pub(crate) protocol: ReadinessProtocol,
    pub(crate) path: String,
    pub(crate) port_name: String,
    pub(crate) interval_seconds: Seconds,
    /// The longest that an attempt may take; less than the interval.
    pub(crate) timeout_seconds: Seconds,
    /// The statuses that say *ready*.
    pub(crate) http_status_codes_for_ready: Vec<u16>,
    pub(crate) preserve_last_response: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ReadinessProtocol {
    #[default]
    Http,
    Https,
}

impl Default for ReadinessCheck {
    fn default() -> Self {
        ReadinessCheck {
            name: "readinessCheck".into(),
            protocol: ReadinessProtocol::Http,
            path: "/".into(),
            port_name: "http-api".into(),
            interval_seconds: Seconds::whole(30),
            timeout_seconds: Seconds::whole(10),
            http_status_codes_for_ready: vec![200],
            preserve_last_response: false,
        }
    }
}

impl ReadinessCheck {
    /// The port to ask, of those that the instance has.
    pub(crate) fn port<'a>(&self, ports: &'a [Port<'a>]) -> Option<&'a Port<'a>> {
        ports.iter().find(|port| port.wanted.name == Some(&self.port_name))
    }

    /// The path to ask for, beginning with `/`.
    pub(crate) fn effective_path(&self) -> String {
        super::health_check::rooted(&self.path)
    }

    pub(super) fn validate(&self, path: &str, wanted: &[WantedPort<'_>], faults: &mut Faults) {
        for (field, text) in [("name", &self.name), ("path", &self.path), ("portName", &self.port_name)] {
            faults.require(!text.is_empty(), format!("{path}/{field}"), "must not be empty");
        }
        let known = wanted.iter().any(|port| port.name == Some(&self.port_name));
        let error = format!("No port definition reference for portName {}", self.port_name);
        faults.require(known, format!("{path}/portName"), error);
        let (interval, timeout) = (self.interval_seconds, self.timeout_seconds);
        for (field, seconds) in [("intervalSeconds", interval), ("timeoutSeconds", timeout)] {
            let error = format!("got {}, expected 1 or more", seconds.as_f64());
            faults.require(seconds.as_f64() >= 1.0, format!("{path}/{field}"), error);
        }
        rules::shorter(timeout, interval, path, faults);
        let codes = &self.http_status_codes_for_ready;
        faults.require(!codes.is_empty(), format!("{path}/httpStatusCodesForReady"), "must not be empty");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::RunSpec;
    use crate::ids::AppId;
    use crate::time::Timestamp;

    fn named(name: &str) -> RunSpec {
        let port_definitions = serde_json::from_value(serde_json::json!([{}, {"name": name}])).unwrap();
        RunSpec { port_definitions, ..RunSpec::new(AppId::new("/a"), Timestamp::from_millis(0)) }
    }

    fn faults(json: serde_json::Value) -> Vec<String> {
        let check: ReadinessCheck = serde_json::from_value(json).unwrap();
        let mut faults = Faults::default();
        check.validate("", &named("http-api").wanted_ports(), &mut faults);
        faults.iter().map(|fault| format!("{}: {}", fault.path, fault.error)).collect()
    }

    #[test]
    fn the_default_asks_the_port_named_http_api() {
        let check = ReadinessCheck::default();
        assert!(faults(serde_json::json!({})).is_empty());
        let asked = |name: &str| check.port(&named(name).ports(&[1, 2])).and_then(|port| port.host);
        assert_eq!((asked("http-api"), asked("other")), (Some(2), None));
    }

    #[test]
    fn a_path_keeps_its_slashes_and_gets_one_if_it_has_none() {
        let asked = |path: &str| ReadinessCheck { path: path.into(), ..ReadinessCheck::default() }.effective_path();
        assert_eq!(["//double//", "/x", "x", "?y"].map(asked), ["//double//", "/x", "/x", "/?y"]);
    }

    #[test]
    fn readiness_check_validator_rows() {
        for (json, path) in [
            (serde_json::json!({"name": ""}), "/name"),
            (serde_json::json!({"path": ""}), "/path"),
            (serde_json::json!({"portName": "x"}), "/portName: No port definition reference for portName x"),
            (serde_json::json!({"intervalSeconds": 0, "timeoutSeconds": 1}), "/intervalSeconds"),
            (serde_json::json!({"timeoutSeconds": 0}), "/timeoutSeconds"),
            (serde_json::json!({"timeoutSeconds": 30}), "/timeoutSeconds: got 30, expected less than 30"),
            (serde_json::json!({"timeoutSeconds": 31}), "/timeoutSeconds"),
            (serde_json::json!({"httpStatusCodesForReady": []}), "/httpStatusCodesForReady"),
        ] {
            assert!(
                faults(json.clone()).iter().any(|fault| fault.starts_with(path)),
                "{json}: {:?}",
                faults(json.clone())
            );
        }
        assert!(faults(serde_json::json!({"timeoutSeconds": 29})).is_empty());
    }
}
