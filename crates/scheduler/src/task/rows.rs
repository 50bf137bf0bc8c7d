//! Marathon's own tests of `TaskBuilder`, `TaskGroupBuilder`, `EnvironmentHelper` and `PortDiscovery`, row by row, as far as
//! they are about containers.

use std::collections::BTreeMap;

use mesos::v1::container_info::{DockerInfo, docker_info};
use mesos::v1::offer::operation::LaunchGroup;
use mesos::v1::{Offer, Resource, TaskInfo};
use serde_json::{Value, json};

use super::{Site, build, group};
use crate::definition::{AppUpdate, Pod, RunSpec};
use crate::ids::{AppId, InstanceId};
use crate::instance::{Instance, Place};
use crate::time::Timestamp;

const AT: Timestamp = Timestamp::from_millis(0);

fn instance(spec: &RunSpec, ports: &[u16]) -> Instance {
    let place = Place { ports: ports.to_vec(), ..Place::default() };
    Instance { place, ..Instance::scheduled(InstanceId::new(&spec.id, "u"), spec, AT) }
}

fn site(offer: &Offer) -> Site<'_> {
    Site { offer, enforced: false, bridge: "mesos-bridge" }
}

fn task(json: Value, ports: &[u16]) -> TaskInfo {
    let update: AppUpdate = serde_json::from_value(json).unwrap();
    let spec = update.create(AppId::new("/web"), AT).unwrap();
    build(&spec, spec.app().unwrap(), &instance(&spec, ports), site(&Offer::default()), Vec::new())
}

fn launched(json: Value, ports: &[u16]) -> LaunchGroup {
    let spec = serde_json::from_value::<Pod>(json).unwrap().app(AT).unwrap();
    let mut resources =
        [("cpus", 9.0), ("mem", 999.0), ("disk", 99.0)].map(|(name, size)| Resource::scalar(name, size)).to_vec();
    resources.push(Resource::ports(1..=65_535));
    let (offer, instance) = (Offer::default(), instance(&spec, ports));
    group::build(&spec, spec.pod().unwrap(), &instance, site(&offer), resources, "f").unwrap()
}

fn variables(task: &TaskInfo) -> BTreeMap<String, String> {
    let environment = task.command.clone().and_then(|command| command.environment).unwrap_or_default();
    let variables = environment.variables.into_iter();
    variables.filter_map(|variable| Some((variable.name, variable.value?))).collect()
}

/// The ports of discovery: number, protocol, and labels.
fn discovered(task: &TaskInfo) -> Vec<(u32, String, Vec<String>)> {
    let ports = task.discovery.clone().and_then(|discovery| discovery.ports).unwrap_or_default().ports;
    let label = |label: mesos::v1::Label| format!("{}={}", label.key, label.value.unwrap_or_default());
    let labels = |labels: Option<mesos::v1::Labels>| labels.unwrap_or_default().labels.into_iter().map(label).collect();
    ports.into_iter().map(|port| (port.number, port.protocol.unwrap_or_default(), labels(port.labels))).collect()
}

fn mapped(docker: &DockerInfo) -> Vec<(u32, u32, &str)> {
    docker.port_mappings.iter().map(|port| (port.host_port, port.container_port, port.protocol())).collect()
}

#[test]
fn task_builder_docker_with_port_mappings() {
    let docker = json!({"image": "redis", "parameters": [{"key": "a", "value": "b"}], "privileged": true});
    let mappings =
        json!([{"containerPort": 80, "protocol": "udp,tcp", "name": "web"}, {"containerPort": 0, "hostPort": 0}]);
    let task = task(
        json!({"networks": [{"mode": "container/bridge"}], "args": ["one", "two"],
            "container": {"type": "DOCKER", "docker": docker, "portMappings": mappings,
                "volumes": [{"containerPath": "/d", "hostPath": "/srv", "mode": "RO"}]},
            "healthChecks": [{"protocol": "MESOS_HTTP", "portIndex": 0}]}),
        &[31_000, 31_001],
    );
    let container = task.container.clone().unwrap();
    let docker = container.docker.clone().unwrap();
    assert_eq!(
        (docker.network(), docker.privileged, docker.force_pull_image),
        (docker_info::Network::Bridge, Some(true), Some(false))
    );
    assert_eq!(mapped(&docker), [(31_000, 80, "udp"), (31_000, 80, "tcp"), (31_001, 31_001, "tcp")]);
    let parameters: Vec<_> = docker.parameters.iter().map(|one| format!("{}={}", one.key, one.value)).collect();
    assert_eq!(parameters, ["a=b", "label=MESOS_TASK_ID=web.instance-u._app.1"]);
    assert_eq!((container.volumes[0].host_path.as_deref(), container.network_infos.len()), (Some("/srv"), 0));
    let command = task.command.clone().unwrap();
    assert_eq!(
        (command.shell, command.value, command.arguments),
        (Some(false), None, vec!["one".into(), "two".into()])
    );
    assert_eq!(task.health_check.as_ref().and_then(|check| check.http.as_ref()).map(|http| http.port), Some(80));
    let all = variables(&task);
    for (name, value) in [
        ("PORT", "31000"),
        ("PORTS", "31000,31001"),
        ("PORT0", "31000"),
        ("PORT_80", "31000"),
        ("PORT_31001", "31001"),
        ("PORT_WEB", "31000"),
        ("MARATHON_APP_DOCKER_IMAGE", "redis"),
    ] {
        assert_eq!(all.get(name).map(String::as_str), Some(value), "{name}");
    }
    let host = vec!["network-scope=host".to_owned()];
    let expected = [(31_000, "udp"), (31_000, "tcp"), (31_001, "tcp")]
        .map(|(port, protocol)| (port, protocol.to_owned(), host.clone()));
    assert_eq!(discovered(&task), expected);
}

#[test]
fn task_builder_docker_in_the_hosts_network_maps_no_ports() {
    let task = task(json!({"networks": [{"mode": "host"}], "container": {"docker": {"image": "a"}}}), &[]);
    let docker = task.container.clone().unwrap().docker.unwrap();
    assert_eq!((docker.network(), docker.port_mappings.len()), (docker_info::Network::Host, 0));
}

#[test]
fn task_builder_docker_in_a_network_of_its_own() {
    let task = task(
        json!({"networks": [{"name": "blue"}], "container": {"docker": {"image": "a"}, "portMappings": [{"containerPort": 6379}]}}),
        &[],
    );
    let container = task.container.clone().unwrap();
    let docker = container.docker.clone().unwrap();
    assert_eq!((docker.network(), docker.port_mappings.len()), (docker_info::Network::User, 0));
    assert_eq!(container.network_infos[0].name.as_deref(), Some("blue"));
    let all = variables(&task);
    let named = |name: &str| all.get(name).map(String::as_str);
    assert_eq!(
        [named("PORT0"), named("PORT_6379"), named("PORT"), named("PORTS")],
        [Some("6379"), Some("6379"), None, Some("")]
    );
    let labels = vec!["network-name=blue".to_owned(), "network-scope=container".to_owned()];
    assert_eq!(discovered(&task), [(6379, "tcp".to_owned(), labels)]);
}

#[test]
fn task_builder_mesos_with_an_image() {
    let docker = json!({"image": "busybox", "forcePullImage": true, "pullConfig": {"secret": "pull"}});
    let task = task(
        json!({"networks": [{"name": "blue", "labels": {"a": "b"}}, {"name": "red"}], "cmd": "run", "tty": true,
            "secrets": {"pull": {"source": "/web/pull"}}, "env": {"TOKEN": {"secret": "pull"}},
            "resourceLimits": {"cpus": 2, "mem": "unlimited"},
            "container": {"type": "MESOS", "docker": docker, "linuxInfo": {"ipcInfo": {"mode": "PRIVATE", "shmSize": 8}},
                "volumes": [{"containerPath": "/t", "secret": "pull"}],
                "portMappings": [{"containerPort": 80, "hostPort": 0, "networkNames": ["red"]}]}}),
        &[31_000],
    );
    let container = task.container.clone().unwrap();
    let image = container.mesos.clone().unwrap().image.unwrap();
    let from = |secret: Option<mesos::v1::Secret>| secret.unwrap().reference.unwrap().name;
    let docker = image.docker.unwrap();
    assert_eq!(
        (docker.name.as_str(), image.cached, from(docker.config)),
        ("busybox", Some(false), "/web/pull".to_owned())
    );
    assert_eq!(from(container.volumes[0].source.clone().unwrap().secret), "/web/pull");
    let variables = task.command.clone().unwrap().environment.unwrap().variables;
    let token = variables.into_iter().find(|variable| variable.name == "TOKEN").unwrap();
    assert_eq!((token.value.clone(), from(token.secret)), (None, "/web/pull".to_owned()));
    let networks: Vec<_> = container
        .network_infos
        .iter()
        .map(|one| (one.name(), one.port_mappings.len(), one.ip_addresses.len()))
        .collect();
    assert_eq!(networks, [("blue", 0, 1), ("red", 1, 1)]);
    assert_eq!(container.network_infos[1].port_mappings[0].container_port, 80);
    let linux = container.linux_info.unwrap();
    assert_eq!(
        (linux.shm_size, linux.ipc_mode(), container.tty_info.is_some()),
        (Some(8), mesos::v1::linux_info::IpcMode::Private, true)
    );
    assert_eq!((task.limits["cpus"].value, task.limits["mem"].value), (2.0, f64::INFINITY));
    assert!(
        mesos::validate::task(
            &TaskInfo { resources: vec![Resource::scalar("cpus", 1.0), Resource::scalar("mem", 64.0)], ..task },
            &"".into(),
            None
        )
        .is_ok()
    );
}

#[test]
fn task_group_builder_networks_volumes_and_limits() {
    let group = launched(
        json!({"id": "/p", "networks": [{"mode": "container/bridge", "labels": {"a": "b"}}],
            "secrets": {"s": {"source": "/s"}}, "environment": {"TOKEN": {"secret": "s"}},
            "volumes": [{"name": "data"}, {"name": "host", "host": "/srv"}, {"name": "key", "secret": "s"}],
            "containers": [
                {"name": "web", "image": {"kind": "DOCKER", "id": "nginx", "forcePull": true},
                    "exec": {"command": {"argv": ["-g", "x"]}}, "resources": {"cpus": 0.1, "mem": 32},
                    "resourceLimits": {"cpus": "unlimited"},
                    "endpoints": [{"name": "http", "containerPort": 80, "hostPort": 0, "protocol": ["tcp", "udp"]}],
                    "healthCheck": {"http": {"endpoint": "http"}},
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "host", "mountPath": "/h", "readOnly": true},
                        {"name": "key", "mountPath": "/key"}]},
                {"name": "log", "image": {"kind": "DOCKER", "id": "log"}, "resources": {"cpus": 0.1, "mem": 32},
                    "exec": {"command": {"argv": ["/log", "x"]}, "overrideEntrypoint": true},
                    "endpoints": [{"name": "admin", "containerPort": 0}]}]}),
        &[31_000, 31_001],
    );
    let container = group.executor.container.clone().unwrap();
    let network = &container.network_infos[0];
    let mappings: Vec<_> =
        network.port_mappings.iter().map(|one| (one.host_port, one.container_port, one.protocol())).collect();
    assert_eq!(mappings, [(31_000, 80, "tcp"), (31_000, 80, "udp"), (31_001, 31_001, "tcp")]);
    assert_eq!((network.name(), container.linux_info.unwrap().share_cgroups), ("mesos-bridge", Some(false)));
    let [web, log] = group.task_group.tasks.as_slice() else { panic!("two tasks") };
    let own = web.container.clone().unwrap();
    assert_eq!((own.network_infos.len(), own.linux_info.unwrap().share_cgroups), (0, Some(false)));
    assert_eq!(own.mesos.unwrap().image.unwrap().cached, Some(false));
    let sandbox = own.volumes[0].source.clone().unwrap().sandbox_path.unwrap();
    assert_eq!((sandbox.path.as_str(), own.volumes[1].host_path.as_deref()), ("volumes/data", Some("/srv")));
    assert_eq!(own.volumes[2].source.clone().unwrap().secret.unwrap().reference.unwrap().name, "/s");
    assert_eq!(web.health_check.as_ref().and_then(|check| check.http.as_ref()).map(|http| http.port), Some(80));
    let command = web.command.clone().unwrap();
    assert_eq!((command.value, command.arguments), (None, vec!["-g".into(), "x".into()]));
    assert_eq!(log.command.clone().unwrap().value.as_deref(), Some("/log"));
    let all = variables(log);
    for (name, value) in
        [("ENDPOINT_HTTP", "80"), ("EP_HOST_HTTP", "31000"), ("EP_CONTAINER_HTTP", "80"), ("EP_HOST_ADMIN", "31001")]
    {
        assert_eq!(all.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(discovered(web)[0], (31_000, "tcp".to_owned(), vec!["network-scope=host".to_owned()]));
    assert!(
        web.limits["cpus"].value.is_infinite()
            && mesos::validate::task_group(&group.task_group, &"".into(), |_| None).is_ok()
    );
}
