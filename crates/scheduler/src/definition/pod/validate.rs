//! Faults of pods: Marathon's rules, with its messages and paths.

use super::surroundings::{self, is_name};
use super::{Container, HttpEndpoint, Pod, Scaling, TcpEndpoint};
use crate::definition::env::EnvValue;
use crate::definition::exec_command::ExecCommand;
use crate::definition::rules::{self, NAME, unique};
use crate::definition::validate::path;
use crate::definition::{Faults, runnable};
use crate::ids::AppId;

/// Adds everything that is wrong with a pod.
pub(super) fn validate(pod: &Pod, faults: &mut Faults) {
    let id = AppId::new(&pod.id);
    faults.require(pod.id.starts_with('/'), "/id", "Path needs to be absolute");
    faults.require(!id.is_root(), "/id", "Path must contain at least one path element");
    path(&id, "/id", faults);
    let longest = pod.containers.iter().map(|one| one.name.as_str()).max_by_key(|name| name.len());
    runnable::id(&id, longest.unwrap_or_default(), "/id", faults);
    scaling(&pod.scaling, faults);
    surroundings::validate(pod, faults);
    environment(&pod.environment, "", faults);
    names(pod, faults);
    scheduling(pod, faults);
    faults.require(!pod.containers.is_empty(), "/containers", "must not be empty");
    for (index, one) in pod.containers.iter().enumerate() {
        container(one, &format!("/containers({index})"), faults);
        surroundings::container(pod, one, &format!("/containers({index})"), faults);
        program(pod, one, &format!("/containers({index})"), faults);
    }
}

fn scaling(scaling: &Scaling, faults: &mut Faults) {
    faults.require(scaling.kind == "fixed", "/scaling", "Not a fixed scaling policy");
    let within = scaling.max_instances.is_none_or(|most| scaling.instances <= most);
    let error = format!("got {}, expected maxInstances or fewer", scaling.instances);
    faults.require(within, "/scaling/instances", error);
}

/// The program as the kernel is given it: the pod's variables, the container's, and its command.
fn program(pod: &Pod, one: &Container, at: &str, faults: &mut Faults) {
    let variables = [("", &pod.environment), (at, &one.environment)];
    let variables = variables.into_iter().flat_map(|(at, all)| {
        all.iter().map(move |(name, value)| (format!("{at}/environment/{name}"), name.len() + 1 + value.length()))
    });
    let command = one.exec.iter().flat_map(|exec| {
        let texts = exec.command.shell.iter().chain(exec.command.argv.iter().flatten());
        texts.map(|text| (format!("{at}/exec/command"), text.len()))
    });
    runnable::program(command.chain(variables), at, faults);
}

fn environment(variables: &std::collections::BTreeMap<String, EnvValue>, at: &str, faults: &mut Faults) {
    for name in variables.keys() {
        let at = format!("{at}/environment/{name}");
        let error = "must contain only alphanumeric chars or underscore, must not begin with a number, and must be 254 \
                     chars or less";
        let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let named = !name.is_empty()
            && name.len() <= 254
            && name.chars().all(legal)
            && !name.starts_with(|first: char| first.is_ascii_digit());
        faults.require(named, at, error);
    }
}

fn names(pod: &Pod, faults: &mut Faults) {
    let containers = pod.containers.iter().map(|one| &one.name);
    faults.require(unique(containers), "/containers", "container names must be unique");
    let endpoints = pod.endpoints().map(|one| &one.name);
    faults.require(unique(endpoints), "/endpoints", "endpoint names must be unique across all containers");
    let ports = pod.endpoints().filter_map(|one| one.host_port).filter(|port| *port != 0);
    faults.require(unique(ports), "/endpoints", "host ports must be unique across all containers");
}

fn scheduling(pod: &Pod, faults: &mut Faults) {
    pod.scheduling.upgrade.validate("/scheduling/upgrade", faults);
    if let Some(brake) = &pod.scheduling.brake {
        brake.validate("/scheduling/brake", faults);
    }
    for (index, constraint) in pod.scheduling.placement.constraints.iter().enumerate() {
        if let Err(error) = constraint.constraint() {
            faults.add(format!("/scheduling/placement/constraints({index})"), error);
        }
    }
    let (backoff, own) = (pod.scheduling.backoff, pod.executor_resources);
    for (at, value, least) in [
        ("/scheduling/backoff/backoffFactor", backoff.backoff_factor, 0.0),
        ("/executorResources/cpus", own.cpus, 0.01),
        ("/executorResources/mem", own.mem, 32.0),
        ("/executorResources/disk", own.disk, 0.001),
    ] {
        faults.require((least..1e9).contains(&value), at, format!("got {value}, expected {least} or more"));
    }
}

fn container(one: &Container, at: &str, faults: &mut Faults) {
    faults.require(is_name(&one.name), format!("{at}/name"), NAME);
    let resources = one.resources;
    faults.require((0.001..1e9).contains(&resources.cpus), format!("{at}/resources/cpus"), "expected 0.001 or more");
    for (name, value) in [("mem", resources.mem), ("disk", resources.disk)] {
        faults.require((0.0..1e9).contains(&value), format!("{at}/resources/{name}"), "expected 0 or more");
    }
    faults.require(resources.gpus == 0, format!("{at}/resources/gpus"), "gpus are not supported yet");
    environment(&one.environment, at, faults);
    match &one.exec {
        None => {
            let error = "a container without an image needs a command";
            faults.require(one.image.is_some(), format!("{at}/exec"), error);
        }
        Some(exec) => exec.command.validate(&format!("{at}/exec"), faults),
    }
    for (index, endpoint) in one.endpoints.iter().enumerate() {
        let at = format!("{at}/endpoints({index})");
        let error = "Duplicate protocols within the same endpoint are not allowed";
        faults.require(unique(endpoint.protocol.iter()), format!("{at}/protocol"), error);
        // Any name: it is told to those who look for the endpoint, as it is.
        faults.require(endpoint.protocol.iter().all(|name| is_name(name)), format!("{at}/protocol"), "error.pattern");
        faults.require(is_name(&endpoint.name), format!("{at}/name"), NAME);
    }
    checks(one, at, faults);
}

/// The ways in which a container can be asked, and the schemes it may be asked with.
struct Ways<'a> {
    http: Option<&'a HttpEndpoint>,
    tcp: Option<&'a TcpEndpoint>,
    exec: Option<&'a ExecCommand>,
    schemes: &'a [&'a str],
}

impl Ways<'_> {
    fn validate(&self, container: &Container, at: &str, faults: &mut Faults) {
        rules::one_way([self.http.is_some(), self.tcp.is_some(), self.exec.is_some()], at, faults);
        let http = self.http.map(|http| ("http", &http.endpoint));
        let tcp = self.tcp.map(|tcp| ("tcp", &tcp.endpoint));
        for (kind, name) in http.into_iter().chain(tcp) {
            let declared = container.endpoints.iter().any(|endpoint| endpoint.name == *name);
            faults.require(declared, format!("{at}/{kind}/endpoint"), "contained in the container endpoints");
        }
        let scheme = self.http.is_none_or(|http| self.schemes.contains(&http.scheme.as_str()));
        faults.require(scheme, format!("{at}/http/scheme"), "error.unknown.enum.literal");
        if let Some(command) = self.exec {
            command.validate(&format!("{at}/exec"), faults);
        }
    }
}

/// Adds what makes no sense in a container's checks.
fn checks(one: &Container, at: &str, faults: &mut Faults) {
    if let Some(check) = &one.health_check {
        let exec = check.exec.as_ref().map(|exec| &exec.command);
        let schemes = &["HTTP", "HTTPS"];
        let at = format!("{at}/healthCheck");
        Ways { http: check.http.as_ref(), tcp: check.tcp.as_ref(), exec, schemes }.validate(one, &at, faults);
        rules::shorter(check.timeout_seconds, check.interval_seconds, &at, faults);
    }
    if let Some(check) = &one.check {
        let exec = check.exec.as_ref().map(|exec| &exec.command);
        // Mesos has no other for checks that are only shown.
        let schemes = &["HTTP"];
        let at = format!("{at}/check");
        Ways { http: check.http.as_ref(), tcp: check.tcp.as_ref(), exec, schemes }.validate(one, &at, faults);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::definition::RunSpec;
    use crate::time::Timestamp;

    fn pod(json: Value) -> Result<RunSpec, Faults> {
        serde_json::from_value::<Pod>(json).unwrap().app(Timestamp::from_millis(0))
    }

    fn definition() -> Value {
        json!({"id": "/shop/pod", "containers": [
            {"name": "web", "exec": {"command": {"shell": "run"}}, "resources": {"cpus": 0.5, "mem": 64},
                "endpoints": [{"name": "http", "hostPort": 0}],
                "healthCheck": {"http": {"endpoint": "http", "path": "/health"}}},
            {"name": "log", "exec": {"command": {"argv": ["tail", "-f"]}}},
        ]})
    }

    #[test]
    fn a_pod_is_an_app_of_all_its_containers_and_the_executor() {
        let app = pod(definition()).unwrap();
        assert_eq!((app.cpus, app.mem, app.disk), (1.6, 224.0, 10.0));
        assert_eq!((app.wanted_ports().len(), app.health_checks.len()), (1, 1));
        assert_eq!(app.health_checks[0].port_name.as_deref(), Some("http"));
        let shown = json!(app.pod());
        assert_eq!(shown["containers"][1]["exec"]["command"]["argv"][0], "tail");
        assert_eq!(shown["scaling"], json!({"kind": "fixed", "instances": 1}));
    }

    #[test]
    fn what_is_wrong_has_a_path_and_marathons_words() {
        const DECLARED: &str = "contained in the container endpoints";
        const ONE_WAY: &str = "Only one of http, tcp, or command may be specified";
        const PORT: &str = "is not allowed when using host-mode networking";
        let long = json!(format!("/{}", "a".repeat(195)));
        let too_many = json!({"kind": "fixed", "instances": 3, "maxInstances": 2});
        for (field, value, error) in [
            ("id", json!("pod"), "Path needs to be absolute"),
            ("id", long, "must not have more than 194 characters, so that task ids fit into 255: it has 195"),
            ("containers", json!([]), "must not be empty"),
        ] {
            refused(field, value, &format!("/{field}"), error);
        }
        for (field, value, path, error) in [
            ("scaling", too_many, "/scaling/instances", "got 3, expected maxInstances or fewer"),
            ("containers/1/name", json!("web"), "/containers", "container names must be unique"),
        ] {
            refused(field, value, path, error);
        }
        for (field, value, at, error) in [
            ("check", json!({"tcp": {"endpoint": "x"}}), "check/tcp/endpoint", DECLARED),
            ("check", json!({}), "check", ONE_WAY),
            ("endpoints/0/containerPort", json!(80), "endpoints(0)/containerPort", PORT),
            ("healthCheck/http/endpoint", json!("x"), "healthCheck/http/endpoint", DECLARED),
            ("healthCheck/tcp", json!({"endpoint": "http"}), "healthCheck", ONE_WAY),
            ("healthCheck/timeoutSeconds", json!(60), "healthCheck/timeoutSeconds", "got 60, expected less than 60"),
            ("endpoints/0/name", json!("A"), "endpoints(0)/name", NAME),
            ("endpoints/0/protocol", json!(["http", "T C P"]), "endpoints(0)/protocol", "error.pattern"),
        ] {
            refused(&format!("containers/0/{field}"), value, &format!("/containers(0)/{at}"), error);
        }
    }

    #[test]
    fn faults_of_a_check_come_in_one_order() {
        let check = json!({"http": {"endpoint": "x", "scheme": "FTP"}, "tcp": {"endpoint": "y"},
            "exec": {"command": {}}, "timeoutSeconds": 60});
        let mut json = definition();
        json["containers"][0]["healthCheck"] = check;
        let faults = pod(json).unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.trim_start_matches("/containers(0)/")).collect();
        let parts = ["", "/http/endpoint", "/tcp/endpoint", "/http/scheme", "/exec/command", "/timeoutSeconds"];
        assert_eq!(paths, parts.map(|part| format!("healthCheck{part}")));
    }

    /// Sets a field of the definition, given by the names and numbers on the way to it.
    #[track_caller]
    fn refused(field: &str, value: Value, path: &str, error: &str) {
        let mut json = definition();
        let inner = field.split('/').fold(&mut json, |json, part| match part.parse::<usize>() {
            Ok(index) => &mut json[index],
            Err(_) => &mut json[part],
        });
        *inner = value;
        let faults = pod(json).unwrap_err();
        assert!(faults.iter().any(|fault| fault.path == path && fault.error == error), "{path}: {faults:?}");
    }
}
