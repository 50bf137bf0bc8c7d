//! The name by which people know a health check: its own, or what it asks of an instance. Pure.

use crate::definition::{HealthCheck, Protocol, RunSpec};
use crate::instance::Instance;

/// The name of a check, or else what it asks.
pub(crate) fn check_name(app: &RunSpec, check: &HealthCheck, instance: &Instance) -> String {
    check.name.clone().unwrap_or_else(|| question(app, check, instance))
}

/// The name of a check in metrics: its own, or else its number, for what it asks may have a port in it that is another one in
/// every instance.
pub(crate) fn check_label(check: &HealthCheck, index: usize) -> String {
    check.name.clone().unwrap_or_else(|| index.to_string())
}

/// The question in words.
pub(crate) fn question(app: &RunSpec, check: &HealthCheck, instance: &Instance) -> String {
    asks(check, port(app, check, instance))
}

/// The port that a check of this instance asks at, if it is known.
fn port(app: &RunSpec, check: &HealthCheck, instance: &Instance) -> Option<u16> {
    let ports = app.ports(&instance.place.ports);
    match check.protocol.is_native() {
        true => check.inner_port(&ports),
        false => check.port.or_else(|| check.instance_port(&ports).map(|port| port.outside())),
    }
}

fn asks(check: &HealthCheck, port: Option<u16>) -> String {
    let port = port.map_or_else(|| "a port not known yet".to_owned(), |port| format!("port {port}"));
    match check.protocol {
        Protocol::Http | Protocol::MesosHttp => format!("GET {} at {port}", check.effective_path()),
        Protocol::Https | Protocol::MesosHttps => format!("GET {} at {port} over TLS", check.effective_path()),
        Protocol::Tcp | Protocol::MesosTcp => format!("connect to {port}"),
        Protocol::MesosListen => format!("is {port} listened on"),
        Protocol::MesosGrpc => match &check.service {
            Some(service) => format!("gRPC health of {service} at {port}"),
            None => format!("gRPC health at {port}"),
        },
        Protocol::Command => {
            let command = check.command.as_ref().map(|command| command.value.as_str());
            format!("run `{}`", command.unwrap_or_default())
        }
    }
}
