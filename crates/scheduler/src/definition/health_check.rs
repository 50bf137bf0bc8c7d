//! One health check of an app, with Marathon's defaults.

use serde::{Deserialize, Serialize};

use super::grpc_options::GrpcOptions;
use super::http_options::HttpOptions;
use super::ports::Port;
use super::schedule;
use super::seconds::Seconds;

/// A health check. Marathon's times are whole seconds; here they may have a fraction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct HealthCheck {
    pub(crate) protocol: Protocol,
    /// The path to ask for; `/` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// A port by number; or `port_index`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port_index: Option<u16>,
    /// The name of one of the app's ports: beyond Marathon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port_name: Option<String>,
    /// Its name in results: beyond Marathon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The way to ask over HTTP, and what is expected; beyond Marathon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<HttpOptions>,
    /// The service a gRPC check asks for; the whole server if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grpc: Option<GrpcOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<CommandValue>,
    /// For how long failures do not count before the first success.
    pub(crate) grace_period_seconds: Seconds,
    /// From the end of an attempt to the next one.
    pub(crate) interval_seconds: Seconds,
    pub(crate) timeout_seconds: Seconds,
    /// The number of failures in a row that kill the instance. 0: never by scheduler-level checks, at once by the
    /// executor's.
    pub(crate) max_consecutive_failures: u32,
    /// The number of successes in a row that make the instance healthy: beyond Marathon, from Aurora.
    #[serde(skip_serializing_if = "is_one")]
    pub(crate) minimum_consecutive_successes: u32,
    /// True if a kill for failing this check slows launches down, like any other failure: beyond Marathon.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) backoff_after_kill: bool,
    /// Until the first attempt.
    pub(crate) delay_seconds: Seconds,
    /// True if statuses 100 to 199 say nothing.
    pub(crate) ignore_http1xx: bool,
    pub(crate) ip_protocol: IpProtocol,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandValue {
    /// For `sh -c`.
    pub(crate) value: String,
}

/// The way to ask, and who does: the scheduler, or (`MESOS_*` and `COMMAND`) the executor beside the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Protocol {
    #[default]
    Http,
    Https,
    Tcp,
    Command,
    MesosHttp,
    MesosHttps,
    MesosTcp,
    /// The gRPC health protocol: beyond Marathon.
    MesosGrpc,
    /// A look at the kernel's list of listening ports; the task never knows: beyond Marathon.
    MesosListen,
}

impl Protocol {
    pub(crate) fn is_http(self) -> bool {
        matches!(self, Protocol::Http | Protocol::Https | Protocol::MesosHttp | Protocol::MesosHttps)
    }

    pub(crate) fn is_native(self) -> bool {
        !matches!(self, Protocol::Http | Protocol::Https | Protocol::Tcp)
    }
}

/// The loopback address that the executor asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum IpProtocol {
    #[default]
    IPv4,
    IPv6,
}

impl From<String> for CommandValue {
    fn from(value: String) -> Self {
        CommandValue { value }
    }
}

impl Default for HealthCheck {
    fn default() -> Self {
        HealthCheck {
            protocol: Protocol::default(),
            path: None,
            port: None,
            port_index: None,
            port_name: None,
            name: None,
            http: None,
            service: None,
            grpc: None,
            command: None,
            grace_period_seconds: schedule::grace(),
            interval_seconds: schedule::interval(),
            timeout_seconds: schedule::timeout(),
            max_consecutive_failures: schedule::failures(),
            minimum_consecutive_successes: 1,
            backoff_after_kill: false,
            delay_seconds: schedule::delay(),
            ignore_http1xx: false,
            ip_protocol: IpProtocol::default(),
        }
    }
}

impl HealthCheck {
    /// The port to ask, of those that the instance has; nothing if it names another one by its number.
    pub(crate) fn instance_port<'a>(&self, ports: &'a [Port<'a>]) -> Option<&'a Port<'a>> {
        match &self.port_name {
            _ if self.port.is_some() => None,
            Some(name) => ports.iter().find(|port| port.wanted.name == Some(name)),
            None => ports.get(usize::from(self.port_index.unwrap_or(0))),
        }
    }

    /// The port that the executor asks, beside the task: the one it listens on.
    pub(crate) fn inner_port(&self, ports: &[Port<'_>]) -> Option<u16> {
        self.port.or_else(|| self.instance_port(ports).map(|port| port.inside))
    }

    /// The failure in a row at which an instance is killed. With 0 that is the first one where the executor checks, as Mesos
    /// has it, and never where the scheduler does.
    pub(crate) fn kills_at(&self) -> Option<u32> {
        match self.max_consecutive_failures {
            0 if !self.protocol.is_native() => None,
            most => Some(most.max(1)),
        }
    }

    /// The path to ask for, beginning with `/`.
    pub(crate) fn effective_path(&self) -> String {
        rooted(self.path.as_deref().unwrap_or_default())
    }
}

/// A path as it is, or with the slash that it lacks.
pub(super) fn rooted(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_one(number: &u32) -> bool {
    *number == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::RunSpec;
    use crate::ids::AppId;
    use crate::time::Timestamp;

    fn check(json: serde_json::Value) -> HealthCheck {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn defaults_are_marathons() {
        let check = check(serde_json::json!({}));
        assert_eq!(check.protocol, Protocol::Http);
        let times = [check.grace_period_seconds, check.interval_seconds, check.timeout_seconds, check.delay_seconds];
        assert_eq!(times, [300, 60, 20, 15].map(Seconds::whole));
        assert_eq!((check.max_consecutive_failures, check.minimum_consecutive_successes), (3, 1));
        assert_eq!(check.effective_path(), "/");
    }

    #[test]
    fn no_failure_is_too_many_for_the_scheduler_and_the_first_one_for_an_executor() {
        let kills = |protocol: &str, most: u32| {
            check(serde_json::json!({"protocol": protocol, "maxConsecutiveFailures": most})).kills_at()
        };
        assert_eq!([kills("HTTP", 0), kills("MESOS_HTTP", 0), kills("COMMAND", 0)], [None, Some(1), Some(1)]);
        assert_eq!([kills("HTTP", 3), kills("MESOS_HTTP", 3)], [Some(3), Some(3)]);
    }

    #[test]
    fn a_path_keeps_its_slashes_and_gets_one_if_it_has_none() {
        let asked = |path: &str| check(serde_json::json!({"path": path})).effective_path();
        assert_eq!(["//double//", "/x", "x", ""].map(asked), ["//double//", "/x", "/x", "/"]);
    }

    #[test]
    fn health_check_effective_port_hard_coded_or_by_index() {
        let ports = serde_json::json!([{}, {"name": "api"}]);
        let port_definitions = serde_json::from_value(ports).unwrap();
        let app = RunSpec { port_definitions, ..RunSpec::new(AppId::new("/a"), Timestamp::from_millis(0)) };
        for (json, port) in [
            (serde_json::json!({"port": 1234}), Some(1234)),
            (serde_json::json!({"portIndex": 1}), Some(4321)),
            (serde_json::json!({"portIndex": 5}), None),
            (serde_json::json!({"portName": "api"}), Some(4321)),
            (serde_json::json!({"portName": "none"}), None),
            (serde_json::json!({}), Some(1)),
        ] {
            assert_eq!(check(json.clone()).inner_port(&app.ports(&[1, 4321])), port, "{json}");
        }
    }

    #[test]
    fn what_marathon_does_not_know_is_only_shown_where_it_is_used() {
        let json = serde_json::to_value(check(serde_json::json!({}))).unwrap();
        assert_eq!(json["intervalSeconds"], serde_json::json!(60));
        assert!(json.get("minimumConsecutiveSuccesses").is_none() && json.get("portName").is_none());
        let quick = check(serde_json::json!({"intervalSeconds": 0.25, "minimumConsecutiveSuccesses": 2}));
        assert_eq!(quick.interval_seconds.duration(), std::time::Duration::from_millis(250));
        assert_eq!(serde_json::to_value(quick).unwrap()["minimumConsecutiveSuccesses"], 2);
    }

    #[test]
    fn names_are_marathons() {
        for (protocol, name) in [(Protocol::MesosHttps, "MESOS_HTTPS"), (Protocol::Tcp, "TCP")] {
            assert_eq!(serde_json::to_value(protocol).unwrap(), name);
        }
        assert_eq!(
            check(serde_json::json!({"ignoreHttp1xx": true, "ipProtocol": "IPv6"})).ip_protocol,
            IpProtocol::IPv6
        );
    }
}
