//! Faults of definitions: Marathon's rules, with its messages and paths.

use checks::spec::{Command, CommandProbe, Probe};
use mesos::checksum::Checksum;
use serde_json::json;

use super::app::{App, Check};
use super::container::ContainerKind;
use super::env::EnvValue;
use super::health_check::{HealthCheck, IpProtocol, Protocol};
use super::network::{self, Mode};
use super::port::PortDefinition;
use super::rules::{NAME, is_name, one_way, unique};
use super::run_spec::RunSpec;
use super::secret;
use super::strategy::UnreachableStrategy;
use crate::ids::AppId;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Such as `/upgradeStrategy/minimumHealthCapacity`, or `/`.
    pub(crate) path: String,
    pub(crate) error: String,
}

/// All that is wrong with a definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("Object is not valid")]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Nothing but this.
    pub(crate) fn of(path: impl Into<String>, error: impl Into<String>) -> Faults {
        Faults(vec![Fault { path: path.into(), error: error.into() }])
    }

    /// One more.
    pub(crate) fn add(&mut self, path: impl Into<String>, error: impl Into<String>) {
        self.0.push(Fault { path: path.into(), error: error.into() });
    }

    /// One more, unless `holds`.
    pub(crate) fn require(&mut self, holds: bool, path: impl Into<String>, error: impl Into<String>) {
        if !holds {
            self.add(path, error);
        }
    }

    /// One more, unless the engine would ask so.
    pub(super) fn require_probe(&mut self, probe: Probe, path: impl Into<String>) {
        if let Err(error) = probe.validate() {
            self.add(path, error.problem);
        }
    }

    /// The same, found further down.
    pub(crate) fn below(self, at: &str) -> Faults {
        let below = |fault: Fault| Fault { path: format!("{at}{}", fault.path.trim_end_matches('/')), ..fault };
        Faults(self.0.into_iter().map(below).collect())
    }

    /// The value, if nothing is wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Faults> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

const RESERVED: [&str; 5] = ["restart", "tasks", "versions", ".", ".."];
const SEGMENT: &str =
    "^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$";

/// Adds everything that is wrong with `app`.
pub(crate) fn validate(spec: &RunSpec, app: &App, faults: &mut Faults) {
    id(spec, faults);
    command(app, faults);
    checksums(app, faults);
    executor(app, faults);
    sizes(spec, faults);
    ports(spec.port_definitions.as_deref().unwrap_or_default(), faults);
    strategy(spec, faults);
    if let Some(brake) = &spec.brake {
        brake.validate("/brake", faults);
    }
    checks(spec, app, faults);
    readiness(spec, faults);
    places(spec, app, faults);
    migration(spec, faults);
    for (index, fetch) in app.fetch.iter().enumerate() {
        faults.require(is_uri(&fetch.uri), format!("/fetch({index})/uri"), "URI has invalid syntax.");
    }
}

/// The rule of DC/OS for apps that it upgrades itself.
fn migration(spec: &RunSpec, faults: &mut Faults) {
    let label = |name: &str| spec.labels.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let complete = label("DCOS_PACKAGE_FRAMEWORK_NAME").is_some() && label("DCOS_MIGRATION_API_PATH").is_some();
    let holds = label("DCOS_MIGRATION_API_VERSION").is_none_or(|version| version == "v1" && complete);
    let error = "DCOS_PACKAGE_FRAMEWORK_NAME and DCOS_MIGRATION_API_PATH must be defined when using \
                 DCOS_MIGRATION_API_VERSION";
    faults.require(holds, "/", error);
}

/// True if it has only characters that a URI may have, and `%` only before two digits.
fn is_uri(text: &str) -> bool {
    let strange = |letter: char| letter.is_whitespace() || letter.is_control() || "<>\"{}|\\^`".contains(letter);
    let escapes = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    !text.is_empty() && !text.contains(strange) && text.split('%').skip(1).all(escapes)
}

fn id(spec: &RunSpec, faults: &mut Faults) {
    faults.require(!spec.id.is_root(), "/id", "Path must contain at least one path element");
    path(&spec.id, "/id", faults);
    for (index, dependency) in spec.dependencies.iter().enumerate() {
        path(dependency, &format!("/dependencies({index})"), faults);
    }
}

/// Adds what is wrong with the id of an app or a group.
pub(crate) fn path(id: &AppId, at: &str, faults: &mut Faults) {
    let legal = id.segments().all(is_segment);
    faults.require(legal, at, format!("must fully match regular expression '{SEGMENT}'"));
    let reserved = id.segments().next_back().is_some_and(|last| RESERVED.contains(&last));
    let error = format!("must not end with any of the following reserved keywords: {}", RESERVED.join(", "));
    faults.require(!reserved, at, error);
}

fn is_segment(segment: &str) -> bool {
    segment.split('.').all(is_name)
}

fn command(app: &App, faults: &mut Faults) {
    if app.cmd.is_some() && !app.args.is_empty() || app.cmd.is_none() && app.args.is_empty() && app.container.is_none()
    {
        faults.add("/", "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.");
    }
    let is_bare = app.container.as_ref().is_some_and(|container| container.docker.is_none());
    let runs = app.cmd.is_some() || !app.args.is_empty();
    faults.require(runs || !is_bare, "/", "a container without an image needs one of 'cmd' or 'args'");
    let empty = app.cmd.as_ref().is_some_and(|cmd| cmd.trim().is_empty());
    faults.require(!empty, "/cmd", "must not be an empty string");
    let text = app.cmd.iter().chain(&app.args).chain(app.env.keys()).map(String::as_str);
    let mut text = text.chain(app.env.values().filter_map(EnvValue::text));
    faults.require(!text.any(|text| text.contains('\0')), "/", "must not contain a NUL character");
    for name in app.env.keys().filter(|name| name.is_empty() || name.contains('=')) {
        faults.add(format!("/env/{name}"), "must be the name of a variable, not empty and without '='");
    }
}

fn checksums(app: &App, faults: &mut Faults) {
    for (index, fetch) in app.fetch.iter().enumerate() {
        if let Some(Err(error)) = fetch.checksum.as_deref().map(str::parse::<Checksum>) {
            faults.add(format!("/fetch({index})/checksum"), error.to_string());
        }
    }
}

fn executor(app: &App, faults: &mut Faults) {
    let executor = app.executor.as_str();
    let path = executor.strip_prefix('/').unwrap_or(executor);
    let legal = ["", "//cmd"].contains(&executor) || path.split('/').all(|part| !part.is_empty());
    faults.require(legal, "/executor", "must fully match regular expression '^(//cmd)|(/?[^/]+(/[^/]+)*)|$'");
    faults.require(!executor.contains('\0'), "/executor", "must not contain a NUL character");
}

fn sizes(spec: &RunSpec, faults: &mut Faults) {
    faults.require(
        spec.cpus >= 0.001 && spec.cpus.is_finite(),
        "/cpus",
        format!("got {}, expected 0.001 or more", spec.cpus),
    );
    for (path, value) in [("/mem", spec.mem), ("/disk", spec.disk)] {
        faults.require((0.0..1e9).contains(&value), path, format!("got {value}, expected 0 or more"));
    }
    let factor = spec.backoff_factor;
    faults.require((1.0..1e9).contains(&factor), "/backoffFactor", format!("got {factor}, expected 1.0 or more"));
}

fn ports(ports: &[PortDefinition], faults: &mut Faults) {
    let numbers = ports.iter().map(|port| port.port).filter(|&port| port != 0);
    faults.require(unique(numbers), "/portDefinitions", "Ports must be unique.");
    let names = ports.iter().filter_map(|port| port.name.as_deref());
    faults.require(unique(names), "/portDefinitions", "Port names must be unique.");
    for (index, port) in ports.iter().enumerate() {
        let named = port.name.as_deref().is_none_or(is_name);
        faults.require(named, format!("/portDefinitions({index})/name"), NAME);
        let known = ["tcp", "udp", "udp,tcp", "tcp,udp"].contains(&port.protocol.as_str());
        faults.require(known, format!("/portDefinitions({index})/protocol"), "expected tcp, udp or udp,tcp");
    }
}

fn strategy(spec: &RunSpec, faults: &mut Faults) {
    let strategy = spec.upgrade_strategy;
    if spec.is_single_instance() {
        faults.require(spec.instances <= 1, "/", "Single instance app may only have one instance");
        for (name, value) in strategy.capacities() {
            faults.require(value == 0.0, format!("/upgradeStrategy/{name}"), format!("got {value}, expected 0.0"));
        }
    }
    strategy.validate("/upgradeStrategy", faults);
    if let UnreachableStrategy::After { inactive_after_seconds: inactive, expunge_after_seconds: expunge } =
        spec.unreachable_strategy
    {
        let (inactive, expunge) = (inactive.as_f64(), expunge.as_f64());
        let error = format!(
            "inactiveAfterSeconds ({inactive}) must be less or equal to expungeAfterSeconds, which is {expunge}"
        );
        faults.require(inactive <= expunge, "/unreachableStrategy", error);
    }
}

fn checks(spec: &RunSpec, app: &App, faults: &mut Faults) {
    for (index, check) in spec.health_checks.iter().enumerate() {
        check_ports(spec, check, &format!("/healthChecks({index})"), faults);
        check_form(check, &format!("/healthChecks({index})"), faults);
        family(check, app, &format!("/healthChecks({index})"), faults);
    }
    let checks = spec.health_checks.iter().map(|check| json!(check).to_string());
    faults.require(unique(checks), "/healthChecks", "elements must be unique");
    if let Some(check) = &app.check {
        shown_check(spec, check, faults);
    }
}

fn shown_check(spec: &RunSpec, check: &Check, faults: &mut Faults) {
    one_way([check.http.is_some(), check.tcp.is_some(), check.exec.is_some()], "/check", faults);
    let http = check.http.as_ref().map(|http| (http.port, http.port_index));
    let ports = http.or_else(|| check.tcp.as_ref().map(|tcp| (tcp.port, tcp.port_index)));
    if let Some((port, index)) = ports {
        faults.require(
            port.is_none() || index.is_none(),
            "/check",
            "HealthCheck must specify either a port or a portIndex",
        );
        let exists = port.is_some() || usize::from(index.unwrap_or(0)) < spec.wanted_ports().len();
        let error = "Health check port indices must address an element of the ports array or container port mappings.";
        faults.require(exists, "/check", error);
    }
    let https = check.http.as_ref().and_then(|http| http.scheme.as_deref()).is_some_and(|scheme| scheme != "HTTP");
    faults.require(!https, "/check/http/scheme", "error.unknown.enum.literal");
    if let Some(exec) = &check.exec {
        exec.command.validate("/check/exec", faults);
    }
}

fn readiness(spec: &RunSpec, faults: &mut Faults) {
    let count = spec.readiness_checks.len();
    faults.require(count <= 1, "/readinessChecks", format!("got {count}, expected 1 or less"));
    for (index, check) in spec.readiness_checks.iter().enumerate() {
        check.validate(&format!("/readinessChecks({index})"), &spec.wanted_ports(), faults);
    }
}

fn check_ports(spec: &RunSpec, check: &HealthCheck, path: &str, faults: &mut Faults) {
    if check.protocol == Protocol::Command {
        return;
    }
    let ways = [check.port.is_some(), check.port_index.is_some(), check.port_name.is_some()];
    let one = ways.iter().filter(|given| **given).count() == 1;
    faults.require(one, path, "HealthCheck must specify either a port or a portIndex");
    if let Some(name) = &check.port_name {
        let known = spec.wanted_ports().iter().any(|port| port.name == Some(name));
        faults.require(known, format!("{path}/portName"), format!("No port definition reference for portName {name}"));
    }
    if let Some(index) = check.port_index {
        let exists = usize::from(index) < spec.wanted_ports().len();
        let error = "Health check port indices must address an element of the ports array or container port mappings.";
        faults.require(exists, path, error);
    }
    faults.require(check.port != Some(0), format!("{path}/port"), "got 0, expected a port from 1 to 65535");
}

fn check_form(check: &HealthCheck, path: &str, faults: &mut Faults) {
    let is_command = check.protocol == Protocol::Command;
    let error = if is_command { "COMMAND needs a command" } else { "only COMMAND may have a command" };
    faults.require(is_command == check.command.is_some(), format!("{path}/command"), error);
    if let Some(command) = &check.command {
        let probe = CommandProbe::new(Command::Shell(command.value.clone()));
        faults.require_probe(Probe::Command(probe), format!("{path}/command/value"));
    }
    if let Some(options) = &check.http {
        let error = "only checks over HTTP may have these options";
        faults.require(check.protocol.is_http(), format!("{path}/http"), error);
        let error = "the scheduler asks the host of the task: only checks of the executor may have an address";
        faults.require(check.protocol.is_native() || options.address.is_none(), format!("{path}/http/address"), error);
        let is_secure = matches!(check.protocol, Protocol::Https | Protocol::MesosHttps);
        let error = "only HTTPS and MESOS_HTTPS may have demands on a certificate";
        faults.require(is_secure || options.tls.is_none(), format!("{path}/http/tls"), error);
        options.validate(&format!("{path}/http"), faults);
    }
    let is_grpc = check.protocol == Protocol::MesosGrpc;
    faults.require(is_grpc || check.service.is_none(), format!("{path}/service"), "only MESOS_GRPC may have a service");
    if let Some(options) = &check.grpc {
        faults.require(is_grpc, format!("{path}/grpc"), "only MESOS_GRPC may have these options");
        options.validate(&format!("{path}/grpc"), faults);
    }
    let visible = check.path.as_deref().is_none_or(|path| !path.chars().any(|c| c.is_whitespace() || c.is_control()));
    faults.require(visible, format!("{path}/path"), "must not contain blanks or control characters");
}

/// Adds the fault of a check over IPv6 where there is none.
fn family(check: &HealthCheck, app: &App, path: &str, faults: &mut Faults) {
    let docker = app.container.as_ref().is_some_and(|container| container.kind == ContainerKind::Docker);
    let may = match check.protocol {
        // Marathon does not know these.
        Protocol::MesosGrpc | Protocol::MesosListen => true,
        Protocol::MesosHttp | Protocol::MesosHttps | Protocol::MesosTcp => docker,
        Protocol::Http | Protocol::Https | Protocol::Tcp | Protocol::Command => false,
    };
    let error = "IPv6 can only be used for container type DOCKER and Mesos http/https/tcp health checks";
    faults.require(may || check.ip_protocol == IpProtocol::IPv4, path, error);
}

/// Adds what is wrong with what is around the task: networks, container, secrets and limits.
fn places(spec: &RunSpec, app: &App, faults: &mut Faults) {
    network::validate(&app.networks, faults);
    secret::validate(&app.secrets, faults);
    secret::references(&app.env, &app.secrets, "/env", faults);
    if let Some(limits) = &app.resource_limits {
        limits.validate(spec.cpus, spec.mem, "", faults);
    }
    let Some(container) = &app.container else { return };
    container.validate(&app.networks, &app.secrets, faults);
    let named = app.networks.iter().filter(|network| network.mode == Mode::Container).count();
    let error = "may only specify a single container network when using the Docker container engine";
    faults.require(container.kind == ContainerKind::Mesos || named <= 1, "/", error);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_host_name_like() {
        for good in ["a", "a-b", "a.b", "9", "a--b"] {
            assert!(is_segment(good), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a_b", "a..b", "a b", "ä"] {
            assert!(!is_segment(bad), "{bad}");
        }
    }

    #[test]
    fn uris_have_escapes_of_two_digits_and_no_blanks() {
        for good in ["http://host/a%20b?c=d", "file:///a", "//relative", "a.tgz", "hdfs://ü"] {
            assert!(is_uri(good), "{good}");
        }
        for bad in ["", "%%", "a b", "http://host/%2", "a{b}"] {
            assert!(!is_uri(bad), "{bad}");
        }
    }
}
