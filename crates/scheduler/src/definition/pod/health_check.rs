//! The health check of a pod's container, and the check of an app that it is to the planner.

use serde::{Deserialize, Serialize};

use super::Exec;
use crate::definition::{HealthCheck, Protocol, Seconds, schedule};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PodHealthCheck {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<HttpEndpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tcp: Option<TcpEndpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exec: Option<Exec>,
    #[serde(default = "schedule::grace")]
    pub(crate) grace_period_seconds: Seconds,
    #[serde(default = "schedule::interval")]
    pub(crate) interval_seconds: Seconds,
    #[serde(default = "schedule::failures")]
    pub(crate) max_consecutive_failures: u32,
    #[serde(default = "schedule::timeout")]
    pub(crate) timeout_seconds: Seconds,
    #[serde(default = "schedule::delay")]
    pub(crate) delay_seconds: Seconds,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpEndpoint {
    pub(crate) endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(default = "http")]
    pub(crate) scheme: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TcpEndpoint {
    pub(crate) endpoint: String,
}

impl PodHealthCheck {
    /// As the check of an app.
    pub(super) fn check(&self) -> HealthCheck {
        let (protocol, port_name, path) = match (&self.http, &self.tcp) {
            (Some(http), _) => {
                let secure = http.scheme.eq_ignore_ascii_case("https");
                (
                    if secure { Protocol::MesosHttps } else { Protocol::MesosHttp },
                    Some(&http.endpoint),
                    http.path.as_ref(),
                )
            }
            (None, Some(tcp)) => (Protocol::MesosTcp, Some(&tcp.endpoint), None),
            (None, None) => (Protocol::Command, None, None),
        };
        HealthCheck {
            protocol,
            port_name: port_name.cloned(),
            path: path.cloned(),
            command: self.exec.as_ref().map(|exec| exec.command.shell.clone().unwrap_or_default().into()),
            grace_period_seconds: self.grace_period_seconds,
            interval_seconds: self.interval_seconds,
            timeout_seconds: self.timeout_seconds,
            delay_seconds: self.delay_seconds,
            max_consecutive_failures: self.max_consecutive_failures,
            ..HealthCheck::default()
        }
    }
}

fn http() -> String {
    "HTTP".into()
}
