//! What Marathon's own tests say of health checks in definitions, row by row: what is valid, what is added, what stays.
//!
//! Not here: records in protobuf, which there are none of, and checks in images or behind port mappings (Docker HOST, BRIDGE
//! and USER, IPv6 there).

use scheduler::definition::{AppUpdate, Faults, HealthCheck, Protocol, ReadinessCheck, RunSpec, Seconds};
use scheduler::ids::AppId;
use scheduler::time::Timestamp;
use serde_json::{Value, json};

const ONE_NATIVE: [&str; 3] = ["MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP"];
const SCHEDULERS: [&str; 3] = ["HTTP", "HTTPS", "TCP"];

fn update(json: Value) -> AppUpdate {
    serde_json::from_value(json).unwrap()
}

fn create(mut json: Value) -> Result<RunSpec, Faults> {
    json["cmd"] = json!("run");
    update(json).create(AppId::new("/a"), Timestamp::from_millis(0))
}

fn with_check(check: Value) -> Result<RunSpec, Faults> {
    create(json!({"portDefinitions": [{"port": 0}, {"port": 0}], "healthChecks": [check]}))
}

fn told(result: Result<RunSpec, Faults>, path: &str, error: &str) -> bool {
    let faults = result.expect_err("refused");
    faults.iter().any(|fault| fault.path == path && fault.error == error)
}

fn all() -> impl Iterator<Item = &'static str> {
    ONE_NATIVE.into_iter().chain(SCHEDULERS)
}

const EITHER: &str = "HealthCheck must specify either a port or a portIndex";
const INDEX: &str = "Health check port indices must address an element of the ports array or container port mappings.";

#[test]
fn health_check_default_is_valid_and_survives_a_round_trip() {
    let app = with_check(json!({})).unwrap();
    let again: HealthCheck = serde_json::from_value(json!(app.health_checks[0])).unwrap();
    assert_eq!(again, app.health_checks[0]);
}

#[test]
fn health_check_both_port_and_index_is_invalid() {
    for protocol in all() {
        let check = json!({"protocol": protocol, "port": 1234, "portIndex": 0});
        assert!(told(with_check(check), "/healthChecks(0)", EITHER), "{protocol}");
    }
}

#[test]
fn health_check_port_or_port_index_is_valid() {
    for protocol in all() {
        assert!(with_check(json!({"protocol": protocol, "port": 1234})).is_ok());
        assert!(with_check(json!({"protocol": protocol, "portIndex": 1})).is_ok());
    }
}

#[test]
fn health_check_port_index_has_to_exist() {
    for protocol in all() {
        let check = json!({"protocol": protocol, "portIndex": 2});
        assert!(told(with_check(check), "/healthChecks(0)", INDEX), "{protocol}");
    }
}

#[test]
fn health_check_effective_port_hard_coded_or_by_index() {
    let app = with_check(json!({"port": 1234})).unwrap();
    assert_eq!(app.health_checks[0].effective_port(&app.port_definitions, &[5, 4321]), Some(1234));
    let app = with_check(json!({"portIndex": 1})).unwrap();
    assert_eq!(app.health_checks[0].effective_port(&app.port_definitions, &[5, 4321]), Some(4321));
}

#[test]
fn conversion_every_field_of_every_protocol_is_kept() {
    let times = json!({"gracePeriodSeconds": 7, "intervalSeconds": 8, "timeoutSeconds": 9, "maxConsecutiveFailures": 4,
        "delaySeconds": 6, "ipProtocol": "IPv4", "ignoreHttp1xx": false});
    for (protocol, own) in [
        ("HTTP", json!({"path": "/x", "portIndex": 0, "ignoreHttp1xx": true})),
        ("HTTPS", json!({"path": "/x", "port": 80})),
        ("TCP", json!({"portIndex": 1})),
        ("MESOS_HTTP", json!({"path": "/x", "portIndex": 0})),
        ("MESOS_HTTPS", json!({"path": "/x", "portIndex": 0})),
        ("MESOS_TCP", json!({"port": 90})),
        ("COMMAND", json!({"command": {"value": "true"}})),
    ] {
        let mut check = times.clone();
        check["protocol"] = json!(protocol);
        for (name, value) in own.as_object().unwrap() {
            check[name] = value.clone();
        }
        assert_eq!(json!(with_check(check.clone()).unwrap().health_checks[0]), check, "{protocol}");
    }
}

#[test]
fn mesos_health_check_command_with_port_index_is_tolerated() {
    let check = json!({"protocol": "COMMAND", "command": {"value": "true"}, "portIndex": 7});
    assert_eq!(with_check(check).unwrap().health_checks[0].protocol, Protocol::Command);
}

#[test]
fn a_command_belongs_to_command_checks_only() {
    assert!(with_check(json!({"protocol": "COMMAND"})).is_err());
    for nothing in ["", " \n"] {
        assert!(with_check(json!({"protocol": "COMMAND", "command": {"value": nothing}})).is_err());
    }
    assert!(with_check(json!({"protocol": "HTTP", "command": {"value": "true"}})).is_err());
}

#[test]
fn mesos_health_check_validation_none_one_and_several() {
    let command = |value: &str| json!({"protocol": "COMMAND", "command": {"value": value}});
    let native = |port: u16| json!({"protocol": "MESOS_HTTP", "port": port});
    for checks in [json!([]), json!([native(1)]), json!([command("a"), command("b")])] {
        assert!(create(json!({"healthChecks": checks})).is_ok(), "{checks}");
    }
    // Marathon refuses the next one, because Mesos has one check per task.
    assert!(create(json!({"healthChecks": [native(1), native(2), command("a")]})).is_ok());
    assert!(told(create(json!({"healthChecks": [native(1), native(1)]})), "/healthChecks", "elements must be unique"));
}

#[test]
fn app_validation_ipv6_needs_a_docker_container() {
    let error = "IPv6 can only be used for container type DOCKER and Mesos http/https/tcp health checks";
    for protocol in all() {
        let check = json!({"protocol": protocol, "portIndex": 0, "ipProtocol": "IPv6"});
        assert!(told(with_check(check), "/healthChecks(0)", error), "{protocol}");
    }
    let check = json!({"protocol": "MESOS_TCP", "portIndex": 0, "ipProtocol": "IPv4"});
    assert!(create(json!({"container": {"type": "MESOS"}, "healthChecks": [check]})).is_ok(), "UCR + IPv4");
}

#[test]
fn run_spec_validator_a_check_with_a_port_needs_no_ports() {
    let command = json!({"protocol": "COMMAND", "command": {"value": "true"}});
    for check in [command, json!({"protocol": "HTTP", "port": 80}), json!({"protocol": "MESOS_TCP", "port": 80})] {
        assert!(create(json!({"portDefinitions": [], "healthChecks": [check]})).is_ok());
    }
}

#[test]
fn app_definition_adds_a_port_index_where_there_are_ports() {
    for protocol in all() {
        let check = json!({"protocol": protocol});
        assert_eq!(with_check(check.clone()).unwrap().health_checks[0].port_index, Some(0), "{protocol}");
        let none = create(json!({"portDefinitions": [], "healthChecks": [check]}));
        assert!(told(none, "/healthChecks(0)", EITHER), "{protocol}");
    }
}

#[test]
fn app_normalization_keeps_port_and_index_and_leaves_commands_alone() {
    for protocol in all() {
        let port = with_check(json!({"protocol": protocol, "port": 7})).unwrap().health_checks.remove(0);
        assert_eq!((port.port, port.port_index), (Some(7), None));
        let index = with_check(json!({"protocol": protocol, "portIndex": 1})).unwrap().health_checks.remove(0);
        assert_eq!((index.port, index.port_index), (None, Some(1)));
    }
    let command = with_check(json!({"protocol": "COMMAND", "command": {"value": "true"}})).unwrap();
    assert_eq!(command.health_checks[0].port_index, None);
}

#[test]
fn app_update_format_neither_given_is_index_0() {
    let before = create(json!({})).unwrap();
    let change = update(json!({"healthChecks": [{"protocol": "HTTP"}]}));
    let after = change.apply(&before, Timestamp::from_millis(1)).unwrap();
    assert_eq!(after.health_checks[0].port_index, Some(0));
}

#[test]
fn app_update_readiness_is_applied_and_kept() {
    let ports = json!([{"port": 0, "name": "http-api"}]);
    let app = create(json!({"portDefinitions": ports, "readinessChecks": [{"timeoutSeconds": 5}]})).unwrap();
    let expected = ReadinessCheck { timeout_seconds: Seconds::whole(5), ..ReadinessCheck::default() };
    assert_eq!(app.readiness_checks, [expected]);
    let after = update(json!({"instances": 2})).apply(&app, Timestamp::from_millis(1)).unwrap();
    assert_eq!(after.readiness_checks, app.readiness_checks);
    let read: ReadinessCheck = serde_json::from_value(json!(app.readiness_checks[0])).unwrap();
    assert_eq!(read, app.readiness_checks[0]);
}

#[test]
fn app_definition_readiness_check_validation() {
    let ports = json!([{"port": 0, "name": "http-api"}]);
    let with = |checks: Value| create(json!({"portDefinitions": ports, "readinessChecks": checks}));
    assert!(with(json!([])).is_ok() && with(json!([{}])).is_ok());
    assert!(told(with(json!([{}, {"name": "b"}])), "/readinessChecks", "got 2, expected 1 or less"));
    let error = "No port definition reference for portName x";
    assert!(told(with(json!([{"portName": "x"}])), "/readinessChecks(0)/portName", error));
    let error = "No port definition reference for portName http-api";
    assert!(told(create(json!({"readinessChecks": [{}]})), "/readinessChecks(0)/portName", error));
}

#[test]
fn test_framework_has_single_instance() {
    let labels = json!({"MARATHON_SINGLE_INSTANCE_APP": "true"});
    let two = create(json!({"labels": labels, "instances": 2}));
    assert!(told(two, "/", "Single instance app may only have one instance"));
}

#[test]
fn port_definitions_have_names_like_hosts_and_numbers_of_their_own() {
    let ports = |ports: Value| create(json!({"portDefinitions": ports}));
    assert!(ports(json!([{"port": 0, "name": "http-api"}, {"port": 0, "name": "admin"}, {"port": 0}])).is_ok());
    let error = "must fully match regular expression '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'";
    assert!(told(ports(json!([{"port": 0, "name": "HTTP_API"}])), "/portDefinitions(0)/name", error));
    let names = json!([{"port": 0, "name": "a"}, {"port": 0, "name": "a"}]);
    assert!(told(ports(names), "/portDefinitions", "Port names must be unique."));
    assert!(told(ports(json!([{"port": 80}, {"port": 80}])), "/portDefinitions", "Ports must be unique."));
}

#[test]
fn upgrade_and_unreachable_strategies_are_checked_in_marathons_words() {
    let strategy = |json: Value| create(json!({"upgradeStrategy": json}));
    assert!(strategy(json!({"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0})).is_ok());
    assert!(told(
        strategy(json!({"minimumHealthCapacity": 1.5})),
        "/upgradeStrategy/minimumHealthCapacity",
        "got 1.5, expected between 0.0 and 1.0"
    ));
    let late = create(json!({"unreachableStrategy": {"inactiveAfterSeconds": 9, "expungeAfterSeconds": 3}}));
    let error = "inactiveAfterSeconds (9) must be less or equal to expungeAfterSeconds, which is 3";
    assert!(told(late, "/unreachableStrategy", error));
    assert!(create(json!({"unreachableStrategy": "disabled"})).is_ok());
}
