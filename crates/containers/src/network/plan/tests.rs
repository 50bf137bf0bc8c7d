//! Rows of `ContainerInfo`s in Mesos' JSON, and what they come to.

use super::*;
use serde_json::{Value, json};

fn container(value: Value) -> ContainerInfo {
    mesos::json::from_value(value).unwrap()
}

fn plan(infos: Value) -> Result<Plan, PlanError> {
    Plan::of(Some(&container(json!({"type": "MESOS", "network_infos": infos}))), "mesos-bridge")
}

fn tcp(host_port: u16, container_port: u16) -> PortMapping {
    PortMapping { transport: Transport::Tcp, host_port, container_port }
}

#[test]
fn names_decide() {
    assert_eq!(Plan::of(None, "b"), Ok(Plan::Host));
    assert_eq!(plan(json!([])), Ok(Plan::Host));
    assert_eq!(plan(json!([{"groups": ["a"]}])), Ok(Plan::Host), "a network without a name is passed over");
    let port = |protocol: &str| json!({"host_port": 31000, "container_port": 80, "protocol": protocol});
    let infos = json!([
        {"name": "blue"}, {"ip_addresses": [{}]},
        {"name": "mesos-bridge", "ip_addresses": [{}], "port_mappings": [port("tcp"), port("UDP")]},
    ]);
    let joined = plan(infos).unwrap();
    let Plan::Own(joins) = &joined else { panic!("it has its own") };
    let udp = PortMapping { transport: Transport::Udp, ..tcp(31000, 80) };
    let [blue, bridge] = &joins[..] else { panic!("two networks") };
    assert_eq!((blue.interface.as_str(), &blue.by, blue.info.name()), ("eth0", &By::Cni, "blue"));
    assert_eq!((bridge.interface.as_str(), &bridge.by), ("eth1", &By::Bridge(vec![tcp(31000, 80), udp])));
    assert_eq!(joined.host_ports(), [tcp(31000, 80), udp]);
    assert_eq!((joined.environment(), Plan::Host.environment()), (Some(("LIBPROCESS_IP", "0.0.0.0")), None));
}

#[test]
fn what_cannot_be_is_refused() {
    let bridge = |key: &str, value: Value| json!([{"name": "mesos-bridge", key: value}]);
    let port = |host: u32, inside: u32, protocol: &str| json!({"host_port": host, "container_port": inside, "protocol": protocol});
    let ports = |ports: &[Value]| bridge("port_mappings", json!(ports));
    for (infos, why) in [
        (json!([{"name": "a"}, {"name": "a"}]), "Attempted to join CNI network 'a' multiple times"),
        (bridge("ip_addresses", json!([{"protocol": "IPv6"}])), "The network 'mesos-bridge' has no IPv6 addresses"),
        (bridge("ip_addresses", json!([{"ip_address": "10.0.0.9"}])), "'10.0.0.9' cannot be chosen"),
        (ports(&[port(0, 80, "tcp")]), "Port 0 of a port mapping is not between 1 and 65535"),
        (ports(&[port(1, 65536, "tcp")]), "Port 65536 of a port mapping"),
        (ports(&[port(1, 80, "sctp")]), "Protocol 'sctp' of a port mapping"),
        (ports(&[port(1, 80, "tcp"), port(1, 81, "tcp")]), "Port 1 of the host is mapped more than once"),
    ] {
        let error = plan(infos).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let docker = container(json!({"type": "DOCKER", "network_infos": [{"name": "a"}]}));
    assert_eq!(Plan::of(Some(&docker), "b"), Err(PlanError::NotMesos));
    assert_eq!(Plan::of_nested(Some(&docker)), Err(PlanError::Nested));
    assert_eq!((Plan::of_nested(None), Plan::of_nested(Some(&container(json!({"type": "MESOS"}))))), (Ok(()), Ok(())));
}

#[test]
fn docker_is_told_its_mode_and_ports() {
    let of = |docker: Value, infos: Value, hostname: Option<&str>, offered: &[RangeInclusive<u64>]| {
        let mut value = json!({"type": "DOCKER", "docker": docker, "network_infos": infos});
        value["docker"]["image"] = json!("nginx");
        if let Some(hostname) = hostname {
            value["hostname"] = json!(hostname);
        }
        docker_words(&container(value), offered)
    };
    fn docker_words(container: &ContainerInfo, offered: &[RangeInclusive<u64>]) -> String {
        docker(container, offered)
            .map_or_else(|error| error.to_string(), |plan| format!("{} {}", plan.mode, plan.ports.len()))
    }
    let offered = [31000..=31001];
    let mapped =
        |mode: &str, port: u32| json!({"network": mode, "port_mappings": [{"host_port": port, "container_port": 80}]});
    let user = json!({"network": "USER"});
    for (docker, infos, hostname, offered, expected) in [
        (json!({}), json!([]), None, &offered[..], "host 0"),
        (json!({}), json!([]), Some("a"), &offered, "Unable to set hostname with host network mode"),
        (mapped("BRIDGE", 31001), json!([]), Some("a"), &offered, "bridge 1"),
        (mapped("BRIDGE", 31002), json!([]), None, &offered, "Port [31002] not included in resources"),
        (mapped("BRIDGE", 31000), json!([]), None, &[], "Port mappings require port resources"),
        (
            mapped("HOST", 31000),
            json!([]),
            None,
            &offered,
            "Port mappings are only supported for bridge and user-defined networks",
        ),
        (json!({"network": "NONE"}), json!([]), None, &offered, "none 0"),
        (user.clone(), json!([{"name": "blue"}]), None, &offered, "blue 0"),
        (user.clone(), json!([]), None, &offered, "No network info found in container info"),
        (
            user,
            json!([{"name": "a"}, {"name": "b"}]),
            None,
            &offered,
            "Only a single network can be defined in Docker run",
        ),
    ] {
        assert_eq!(of(docker, infos, hostname, offered), expected);
    }
}

#[test]
fn a_status_tells_what_was_got() {
    let wanted = NetworkInfo { name: Some("blue".to_owned()), groups: vec!["g".to_owned()], ..NetworkInfo::default() };
    let info = with_addresses(&wanted, &["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()]);
    assert_eq!((info.name(), &info.groups), ("blue", &wanted.groups));
    let told: Vec<_> = info.ip_addresses.iter().map(|it| (it.protocol(), it.ip_address())).collect();
    assert_eq!(told, [(Protocol::IPv4, "10.0.0.2"), (Protocol::IPv6, "fd00::2")]);
}
