//! A check of a container whose results are shown, and decide nothing.

use serde::{Deserialize, Serialize};

use super::{Container, HttpEndpoint, TcpEndpoint};
use crate::definition::app::{Check, ExecCheck, HttpCheck, TcpCheck};
use crate::definition::{Faults, Seconds, schedule};

/// As a person writes it, with Marathon's defaults: as an app's, but for its endpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodCheck {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpEndpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpEndpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecCheck>,
    #[serde(default = "schedule::interval")]
    pub interval_seconds: Seconds,
    #[serde(default = "schedule::timeout")]
    pub timeout_seconds: Seconds,
    #[serde(default = "schedule::delay")]
    pub delay_seconds: Seconds,
}

impl PodCheck {
    /// As the check of an app whose ports are those of this container.
    pub(crate) fn of(&self, container: &Container) -> Check {
        let index = |name: &str| {
            let found = container.endpoints.iter().position(|endpoint| endpoint.name == name);
            found.and_then(|index| u16::try_from(index).ok())
        };
        let http = self.http.as_ref().map(|http| HttpCheck {
            port_index: index(&http.endpoint),
            port: None,
            path: http.path.clone(),
            scheme: Some(http.scheme.clone()),
        });
        let tcp = self.tcp.as_ref().map(|tcp| TcpCheck { port_index: index(&tcp.endpoint), port: None });
        let (interval_seconds, timeout_seconds) = (self.interval_seconds, self.timeout_seconds);
        let (exec, delay_seconds) = (self.exec.clone(), self.delay_seconds);
        Check { http, tcp, exec, interval_seconds, timeout_seconds, delay_seconds }
    }

    /// Adds what makes no sense in it.
    pub(super) fn validate(&self, container: &Container, at: &str, faults: &mut Faults) {
        let kinds = [self.http.is_some(), self.tcp.is_some(), self.exec.is_some()];
        let one = kinds.iter().filter(|given| **given).count() == 1;
        faults.require(one, at, "Only one of http, tcp, or command may be specified");
        let http = self.http.as_ref().map(|http| ("http", &http.endpoint));
        let tcp = self.tcp.as_ref().map(|tcp| ("tcp", &tcp.endpoint));
        for (kind, name) in http.into_iter().chain(tcp) {
            let declared = container.endpoints.iter().any(|endpoint| endpoint.name == *name);
            faults.require(declared, format!("{at}/{kind}/endpoint"), "contained in the container endpoints");
        }
        // Mesos has no other for checks that are only shown.
        let plain = self.http.as_ref().is_none_or(|http| http.scheme == "HTTP");
        faults.require(plain, format!("{at}/http/scheme"), "error.unknown.enum.literal");
        if let Some(exec) = &self.exec {
            super::validate::command(&exec.command, &format!("{at}/exec"), faults);
        }
    }
}
