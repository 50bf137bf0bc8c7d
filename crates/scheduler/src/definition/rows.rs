//! Marathon's own tests of health checks in definitions, row by row: what is valid, what is added, what stays.
//!
//! Not here: records in protobuf, which there are none of. Rows about containers are in `container_rows.rs`.

use serde_json::{Value, json};

use super::{AppUpdate, Faults, HealthCheck, Protocol, ReadinessCheck, RunSpec, Seconds};
use crate::ids::AppId;
use crate::time::Timestamp;

const ALL: [&str; 6] = ["MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP", "HTTP", "HTTPS", "TCP"];

const EITHER: &str = "HealthCheck must specify either a port or a portIndex";
const INDEX: &str = "Health check port indices must address an element of the ports array or container port mappings.";
const IPV6: &str = "IPv6 can only be used for container type DOCKER and Mesos http/https/tcp health checks";
/// Rows that stand in several places.
const STRATEGIES: &str = "upgrade_and_unreachable_strategies_are_checked_in_marathons_words";
const NORMALIZED: &str = "app_normalization_keeps_port_and_index_and_leaves_commands_alone";
const NAME: &str = "must fully match regular expression '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'";

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

/// The first object with the fields of the second one too.
fn joined(mut fields: Value, more: &Value) -> Value {
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fields
}

#[track_caller]
fn refused(row: &str, result: Result<RunSpec, Faults>, path: &str, error: &str) {
    let faults = result.expect_err(row);
    assert!(faults.iter().any(|fault| fault.path == path && fault.error == error), "{row}: {faults:?}");
}

#[test]
fn every_protocol_with_a_port() {
    for protocol in ALL {
        let check = |fields: &Value| joined(json!({"protocol": protocol}), fields);
        for (row, fields, error) in [
            ("health_check_both_port_and_index_is_invalid", json!({"port": 1234, "portIndex": 0}), EITHER),
            ("health_check_port_index_has_to_exist", json!({"portIndex": 2}), INDEX),
            ("app_validation_ipv6_needs_a_docker_container", json!({"portIndex": 0, "ipProtocol": "IPv6"}), IPV6),
        ] {
            refused(row, with_check(check(&fields)), "/healthChecks(0)", error);
        }
        for (row, fields, ports) in [
            ("health_check_port_or_port_index_is_valid", json!({"port": 1234}), (Some(1234), None)),
            ("health_check_port_or_port_index_is_valid", json!({"portIndex": 1}), (None, Some(1))),
            (NORMALIZED, json!({"port": 7}), (Some(7), None)),
            (NORMALIZED, json!({"portIndex": 1}), (None, Some(1))),
            ("app_definition_adds_a_port_index_where_there_are_ports", json!({}), (None, Some(0))),
        ] {
            let made = with_check(check(&fields)).expect(row).health_checks.remove(0);
            assert_eq!((made.port, made.port_index), ports, "{row} {protocol}");
        }
        let none = create(json!({"portDefinitions": [], "healthChecks": [check(&json!({}))]}));
        refused("app_definition_adds_a_port_index_where_there_are_ports", none, "/healthChecks(0)", EITHER);
    }
}

#[test]
fn conversion_every_field_of_every_protocol_is_kept() {
    let times = json!({"gracePeriodSeconds": 7, "intervalSeconds": 8, "timeoutSeconds": 9, "maxConsecutiveFailures": 4,
        "delaySeconds": 6, "ipProtocol": "IPv4", "ignoreHttp1xx": false});
    for own in [
        json!({"protocol": "HTTP", "path": "/x", "portIndex": 0, "ignoreHttp1xx": true}),
        json!({"protocol": "HTTPS", "path": "/x", "port": 80}),
        json!({"protocol": "TCP", "portIndex": 1}),
        json!({"protocol": "MESOS_HTTP", "path": "/x", "portIndex": 0}),
        json!({"protocol": "MESOS_HTTPS", "path": "/x", "portIndex": 0}),
        json!({"protocol": "MESOS_TCP", "port": 90}),
        json!({"protocol": "COMMAND", "command": {"value": "true"}}),
    ] {
        let check = joined(times.clone(), &own);
        assert_eq!(json!(with_check(check.clone()).unwrap().health_checks[0]), check);
    }
}

#[test]
fn health_check_default_is_valid_and_survives_a_round_trip() {
    let default = with_check(json!({})).unwrap().health_checks.remove(0);
    assert_eq!(serde_json::from_value::<HealthCheck>(json!(default)).unwrap(), default);
}

#[test]
fn demands_on_a_certificate_belong_to_checks_over_tls_only() {
    let check =
        |protocol: &str, tls: Value| with_check(json!({"protocol": protocol, "portIndex": 0, "http": {"tls": tls}}));
    for protocol in ["HTTPS", "MESOS_HTTPS"] {
        let kept = check(protocol, json!({"verify": true, "serverName": "shop.example"})).unwrap();
        assert!(kept.health_checks[0].http.as_ref().and_then(|http| http.tls.as_ref()).is_some_and(|tls| tls.verify));
    }
    for (protocol, tls, field, error) in [
        ("HTTP", json!({"verify": true}), "", "only HTTPS and MESOS_HTTPS may have demands on a certificate"),
        ("MESOS_HTTPS", json!({"roots": "PEM"}), "/roots", "mean nothing without 'verify': true"),
        ("MESOS_HTTPS", json!({"serverName": "a b"}), "/serverName", "must be a host name"),
    ] {
        refused(error, check(protocol, tls), &format!("/healthChecks(0)/http/tls{field}"), error);
    }
}

#[test]
fn a_command_belongs_to_command_checks_only() {
    let command = |value: &str| json!({"protocol": "COMMAND", "command": {"value": value}});
    for bad in [
        json!({"protocol": "COMMAND"}),
        command(""),
        command(" \n"),
        json!({"protocol": "HTTP", "command": {"value": "true"}}),
    ] {
        assert!(with_check(bad.clone()).is_err(), "{bad}");
    }
    assert_eq!(with_check(command("true")).unwrap().health_checks[0].port_index, None, "{NORMALIZED}");
    let row = "mesos_health_check_command_with_port_index_is_tolerated";
    let check = with_check(joined(command("true"), &json!({"portIndex": 7}))).expect(row).health_checks.remove(0);
    assert_eq!(check.protocol, Protocol::Command, "{row}");
}

#[test]
fn definitions_that_are_accepted() {
    let command = |value: &str| json!({"protocol": "COMMAND", "command": {"value": value}});
    let native = |port: u16| json!({"protocol": "MESOS_HTTP", "port": port});
    let tcp = json!({"protocol": "MESOS_TCP", "portIndex": 0, "ipProtocol": "IPv4"});
    let named = json!([{"port": 0, "name": "http-api"}, {"port": 0, "name": "admin"}, {"port": 0}]);
    for (row, json) in [
        ("mesos_health_check_validation_none_one_and_several", json!({"healthChecks": []})),
        ("mesos_health_check_validation_none_one_and_several", json!({"healthChecks": [native(1)]})),
        ("mesos_health_check_validation_none_one_and_several", json!({"healthChecks": [command("a"), command("b")]})),
        // Marathon refuses the next one, because Mesos has one check per task.
        (
            "mesos_health_check_validation_none_one_and_several",
            json!({"healthChecks": [native(1), native(2), command("a")]}),
        ),
        (
            "app_validation_ipv6_needs_a_docker_container",
            json!({"container": {"type": "MESOS"}, "healthChecks": [tcp]}),
        ),
        (
            "run_spec_validator_a_check_with_a_port_needs_no_ports",
            json!({"portDefinitions": [], "healthChecks": [command("true")]}),
        ),
        (
            "run_spec_validator_a_check_with_a_port_needs_no_ports",
            json!({"portDefinitions": [], "healthChecks": [{"protocol": "HTTP", "port": 80}]}),
        ),
        (
            "run_spec_validator_a_check_with_a_port_needs_no_ports",
            json!({"portDefinitions": [], "healthChecks": [{"protocol": "MESOS_TCP", "port": 80}]}),
        ),
        ("app_definition_readiness_check_validation", json!({"portDefinitions": named, "readinessChecks": []})),
        ("app_definition_readiness_check_validation", json!({"portDefinitions": named, "readinessChecks": [{}]})),
        ("port_definitions_have_names_like_hosts_and_numbers_of_their_own", json!({"portDefinitions": named})),
        (STRATEGIES, json!({"upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0}})),
        (STRATEGIES, json!({"unreachableStrategy": "disabled"})),
    ] {
        assert!(create(json.clone()).is_ok(), "{row}: {json}");
    }
}

#[test]
fn definitions_that_are_refused() {
    let native = json!({"protocol": "MESOS_HTTP", "port": 1});
    let ready =
        |checks: Value| json!({"portDefinitions": [{"port": 0, "name": "http-api"}], "readinessChecks": checks});
    let same = json!([{"port": 0, "name": "a"}, {"port": 0, "name": "a"}]);
    let single = json!({"MARATHON_SINGLE_INSTANCE_APP": "true"});
    for (row, json, path, error) in [
        (
            "mesos_health_check_validation_none_one_and_several",
            json!({"healthChecks": [native, native]}),
            "/healthChecks",
            "elements must be unique",
        ),
        (
            "app_definition_readiness_check_validation",
            ready(json!([{}, {"name": "b"}])),
            "/readinessChecks",
            "got 2, expected 1 or less",
        ),
        (
            "app_definition_readiness_check_validation",
            ready(json!([{"portName": "x"}])),
            "/readinessChecks(0)/portName",
            "No port definition reference for portName x",
        ),
        (
            "app_definition_readiness_check_validation",
            json!({"readinessChecks": [{}]}),
            "/readinessChecks(0)/portName",
            "No port definition reference for portName http-api",
        ),
        (
            "test_framework_has_single_instance",
            json!({"labels": single, "instances": 2}),
            "/",
            "Single instance app may only have one instance",
        ),
        (
            "port_definitions_have_names_like_hosts_and_numbers_of_their_own",
            json!({"portDefinitions": [{"port": 0, "name": "HTTP_API"}]}),
            "/portDefinitions(0)/name",
            NAME,
        ),
        (
            "port_definitions_have_names_like_hosts_and_numbers_of_their_own",
            json!({"portDefinitions": same}),
            "/portDefinitions",
            "Port names must be unique.",
        ),
        (
            "port_definitions_have_names_like_hosts_and_numbers_of_their_own",
            json!({"portDefinitions": [{"port": 80}, {"port": 80}]}),
            "/portDefinitions",
            "Ports must be unique.",
        ),
        (
            STRATEGIES,
            json!({"upgradeStrategy": {"minimumHealthCapacity": 1.5}}),
            "/upgradeStrategy/minimumHealthCapacity",
            "got 1.5, expected between 0.0 and 1.0",
        ),
        (
            STRATEGIES,
            json!({"unreachableStrategy": {"inactiveAfterSeconds": 9, "expungeAfterSeconds": 3}}),
            "/unreachableStrategy",
            "inactiveAfterSeconds (9) must be less or equal to expungeAfterSeconds, which is 3",
        ),
    ] {
        refused(row, create(json), path, error);
    }
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
