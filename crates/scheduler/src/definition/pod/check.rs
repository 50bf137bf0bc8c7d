//! A check of a container whose results are shown, and decide nothing: as an app's, but for its endpoints.

use super::{Container, HttpEndpoint, TcpEndpoint};
use crate::definition::app::{Check, HttpCheck, TcpCheck};

/// The check as a person writes it.
pub(super) type PodCheck = Check<HttpEndpoint, TcpEndpoint>;

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
        Check {
            http,
            tcp,
            exec: self.exec.clone(),
            interval_seconds: self.interval_seconds,
            timeout_seconds: self.timeout_seconds,
            delay_seconds: self.delay_seconds,
        }
    }
}
