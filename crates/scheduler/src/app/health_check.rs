//! One health check of an app, with Marathon's defaults.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A health check. Times are whole seconds, as Marathon has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealthCheck {
    /// How to ask, and who does.
    #[serde(default)]
    pub protocol: Protocol,
    /// The path to ask for; `/` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A port by number; or `port_index`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Which of the app's ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_index: Option<u16>,
    /// The command of a COMMAND check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandValue>,
    /// For how long failures do not count before the first success.
    #[serde(default = "grace")]
    pub grace_period_seconds: u32,
    /// From the end of an attempt to the next one.
    #[serde(default = "interval")]
    pub interval_seconds: u32,
    /// How long an attempt may take.
    #[serde(default = "timeout")]
    pub timeout_seconds: u32,
    /// How many failures in a row kill the instance. 0: never by scheduler-level checks, at once by the executor's.
    #[serde(default = "failures")]
    pub max_consecutive_failures: u32,
    /// Until the first attempt.
    #[serde(default = "delay")]
    pub delay_seconds: u32,
    /// Whether statuses 100 to 199 say nothing.
    #[serde(default)]
    pub ignore_http1xx: bool,
    /// Which loopback address the executor asks.
    #[serde(default)]
    pub ip_protocol: IpProtocol,
}

/// A command for the shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandValue {
    /// For `sh -c`.
    pub value: String,
}

/// How to ask, and who does: the scheduler, or (`MESOS_*` and `COMMAND`) the executor beside the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "Marathon's own names")]
pub enum Protocol {
    #[default]
    Http,
    Https,
    Tcp,
    Command,
    MesosHttp,
    MesosHttps,
    MesosTcp,
}

impl Protocol {
    /// Whether the executor asks, and not the scheduler.
    #[must_use]
    pub fn is_native(self) -> bool {
        !matches!(self, Protocol::Http | Protocol::Https | Protocol::Tcp)
    }
}

/// Which loopback address the executor asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "Marathon's own names")]
pub enum IpProtocol {
    #[default]
    IPv4,
    IPv6,
}

impl HealthCheck {
    /// The port to ask, given the instance's host ports.
    #[must_use]
    pub fn effective_port(&self, ports: &[u16]) -> Option<u16> {
        self.port.or_else(|| ports.get(usize::from(self.port_index.unwrap_or(0))).copied())
    }

    /// The path to ask for, beginning with `/`.
    #[must_use]
    pub fn effective_path(&self) -> String {
        format!("/{}", self.path.as_deref().unwrap_or_default().trim_start_matches('/'))
    }

    /// Seconds as a duration, and none for 0: no limit.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        (self.timeout_seconds > 0).then(|| Duration::from_secs(self.timeout_seconds.into()))
    }
}

fn grace() -> u32 {
    300
}

fn interval() -> u32 {
    60
}

fn timeout() -> u32 {
    20
}

fn failures() -> u32 {
    3
}

fn delay() -> u32 {
    15
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: serde_json::Value) -> HealthCheck {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn defaults_are_marathons() {
        let check = check(serde_json::json!({}));
        assert_eq!(check.protocol, Protocol::Http);
        assert_eq!((check.grace_period_seconds, check.interval_seconds, check.timeout_seconds), (300, 60, 20));
        assert_eq!((check.max_consecutive_failures, check.delay_seconds), (3, 15));
        assert_eq!(check.effective_path(), "/");
    }

    #[test]
    fn a_port_by_number_wins_over_the_ports_of_the_instance() {
        assert_eq!(check(serde_json::json!({"port": 1234})).effective_port(&[1, 2]), Some(1234));
        assert_eq!(check(serde_json::json!({"portIndex": 1})).effective_port(&[1, 4321]), Some(4321));
        assert_eq!(check(serde_json::json!({"portIndex": 5})).effective_port(&[1]), None);
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
