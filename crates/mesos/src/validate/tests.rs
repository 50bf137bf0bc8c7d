//! The texts, row by row, on messages written as the JSON frameworks send.

use serde_json::{Value, json};

use super::*;
use crate::{
    json::from_value,
    resources::Resources,
    v1::{
        CheckInfo, CheckStatusInfo, CommandInfo, Environment, HealthCheck, TaskId, TaskInfo, agent, executor,
        health_check as health, master, scheduler,
    },
    wire::Wire,
};

fn message<M: Wire>(value: Value) -> M {
    from_value(value).unwrap()
}

fn said(verdict: Verdict) -> String {
    verdict.err().map_or_else(|| "valid".to_owned(), |invalid| invalid.to_string())
}

/// Each JSON with what is said about it.
fn assert_said<M: Wire>(validate: impl Fn(&M) -> Verdict, rows: impl IntoIterator<Item = (Value, &'static str)>) {
    for (value, expected) in rows {
        assert_eq!(said(validate(&message(value.clone()))), expected, "{value}");
    }
}

#[test]
fn health_checks() {
    let http = |http: Value| json!({"type": "HTTP", "http": http});
    let timed = |field: &str, value: f64| json!({"type": "TCP", "tcp": {"port": 1}, field: value});
    assert_said::<HealthCheck>(
        health_check,
        [
            (json!({}), "HealthCheck must specify 'type'"),
            (json!({"type": "NEVER_HEARD_OF"}), "HealthCheck must specify 'type'"),
            (json!({"type": "UNKNOWN"}), "'UNKNOWN' is not a valid health check type"),
            (json!({"type": "COMMAND"}), "Expecting 'command' to be set for COMMAND health check"),
            (json!({"type": "COMMAND", "command": {}}), "Command health check must contain 'shell command'"),
            (
                json!({"type": "COMMAND", "command": {"shell": false}}),
                "Command health check must contain 'executable path'",
            ),
            (
                json!({"type": "COMMAND", "command": {"value": "x", "environment": {"variables": [{"name": "A"}]}}}),
                "Health check's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set",
            ),
            (json!({"type": "COMMAND", "command": {"value": " "}}), "Expecting 'command.value' not to be empty"),
            (
                json!({"type": "COMMAND", "command": {"shell": false, "value": "", "arguments": ["true"]}}),
                "Expecting 'command.value' not to be empty",
            ),
            (json!({"type": "COMMAND", "command": {"value": "true"}}), "valid"),
            (json!({"type": "HTTP"}), "Expecting 'http' to be set for HTTP health check"),
            (http(json!({"port": 1, "scheme": "ftp"})), "Unsupported HTTP health check scheme: 'ftp'"),
            (http(json!({"port": 1, "path": "x"})), "The path 'x' of HTTP health check must start with '/'"),
            (http(json!({"port": 1})), "valid"),
            (json!({"type": "TCP"}), "Expecting 'tcp' to be set for TCP health check"),
            (timed("delay_seconds", -1.0), "Expecting 'delay_seconds' to be non-negative"),
            (timed("grace_period_seconds", -1.0), "Expecting 'grace_period_seconds' to be non-negative"),
            (timed("interval_seconds", -1.0), "Expecting 'interval_seconds' to be non-negative"),
            (timed("timeout_seconds", -1.0), "Expecting 'timeout_seconds' to be non-negative"),
            (timed("timeout_seconds", 0.0), "valid"),
            (
                timed("timeout_seconds", 1e10),
                "Expecting 'timeout_seconds' to be a number of seconds less than 292 years",
            ),
        ],
    );
}

#[test]
fn general_checks() {
    let timed = |field: &str| json!({"type": "TCP", "tcp": {"port": 1}, field: -1.0});
    assert_said::<CheckInfo>(
        check,
        [
            (json!({}), "CheckInfo must specify 'type'"),
            (json!({"type": "UNKNOWN"}), "'UNKNOWN' is not a valid check type"),
            (json!({"type": "COMMAND"}), "Expecting 'command' to be set for COMMAND check"),
            (json!({"type": "COMMAND", "command": {"command": {}}}), "Command check must contain 'shell command'"),
            (
                json!({"type": "COMMAND", "command": {"command": {"value": ""}}}),
                "Expecting 'command.command.value' not to be empty",
            ),
            (
                json!({"type": "COMMAND", "command": {"command": {"shell": false}}}),
                "Command check must contain 'executable path'",
            ),
            (json!({"type": "HTTP"}), "Expecting 'http' to be set for HTTP check"),
            (
                json!({"type": "HTTP", "http": {"port": 1, "path": "healthz"}}),
                "The path 'healthz' of HTTP check must start with '/'",
            ),
            (json!({"type": "TCP"}), "Expecting 'tcp' to be set for TCP check"),
            (timed("delay_seconds"), "Expecting 'delay_seconds' to be non-negative"),
            (timed("interval_seconds"), "Expecting 'interval_seconds' to be non-negative"),
            (timed("timeout_seconds"), "Expecting 'timeout_seconds' to be non-negative"),
            (json!({"type": "HTTP", "http": {"port": 1}, "timeout_seconds": 0.0}), "valid"),
        ],
    );
    assert_said::<CheckStatusInfo>(
        check_status,
        [
            (json!({}), "CheckStatusInfo must specify 'type'"),
            (json!({"type": "COMMAND"}), "Expecting 'command' to be set for COMMAND check's status"),
            (json!({"type": "HTTP"}), "Expecting 'http' to be set for HTTP check's status"),
            (json!({"type": "TCP"}), "Expecting 'tcp' to be set for TCP check's status"),
            (json!({"type": "UNKNOWN"}), "'UNKNOWN' is not a valid check's status type"),
            (json!({"type": "TCP", "tcp": {}}), "valid"),
        ],
    );
}

#[test]
fn fields_of_cygnets_own() {
    let http = |options: Value| json!({"type": "HTTP", "http": {"port": 1, "options": options}});
    let listen = |more: Value| {
        let mut check = json!({"type": "LISTEN", "listen": {"port": 1}});
        if let (Some(check), Value::Object(more)) = (check.as_object_mut(), more) {
            check.extend(more);
        }
        check
    };
    let one = "Expecting exactly one of 'contains', 'matches' and 'json_path' to be set in 'options.expect'";
    assert_said::<HealthCheck>(
        health_check,
        [
            (json!({"type": "GRPC"}), "Expecting 'grpc' to be set for GRPC health check"),
            (json!({"type": "LISTEN"}), "Expecting 'listen' to be set for LISTEN health check"),
            (json!({"type": "EXCHANGE"}), "Expecting 'exchange' to be set for EXCHANGE health check"),
            (json!({"type": "GRPC", "grpc": {"port": 1}}), "valid"),
            (
                http(json!({"address": "app.example"})),
                "Expecting 'options.address' to be an IP address, but it is 'app.example'",
            ),
            (
                http(json!({"healthy_statuses": [{"begin": 300, "end": 200}]})),
                "Expecting 'options.healthy_statuses' to be ranges within 100 to 599, but one is 300-200",
            ),
            (http(json!({"expect": [{}]})), one),
            (http(json!({"expect": [{"contains": "a", "matches": "b"}]})), one),
            (http(json!({"tls": {"verification": "ROOTS"}})), "Expecting 'options.tls.roots' to be set for ROOTS"),
            (
                http(json!({"tls": {"client_key": "K"}})),
                "Expecting both or none of 'options.tls.client_certificates' and 'options.tls.client_key' to be set",
            ),
            (
                listen(json!({"failure_rate": {"failures": 1, "window": 65}})),
                "Expecting 'failure_rate.window' to be 1 to 64",
            ),
            (
                listen(json!({"failure_rate": {"failures": 3, "window": 2}})),
                "Expecting 'failure_rate.failures' to be 1 to 'failure_rate.window'",
            ),
            (listen(json!({"edge_interval_seconds": -1})), "Expecting 'edge_interval_seconds' to be non-negative"),
            (listen(json!({"interval_seconds": 0.05, "consecutive_successes": 3, "name": "up"})), "valid"),
        ],
    );
    assert_said::<CheckInfo>(
        check,
        [
            (json!({"type": "LISTEN"}), "Expecting 'listen' to be set for LISTEN check"),
            (json!({"type": "HTTP", "http": {"port": 1, "scheme": "ftp"}}), "Unsupported HTTP check scheme: 'ftp'"),
            (json!({"type": "HTTP", "http": {"port": 1, "scheme": "https"}}), "valid"),
        ],
    );
}

#[test]
fn several_health_checks_are_all_looked_at_and_told_apart() {
    let tcp = |name: &str| json!({"type": "TCP", "tcp": {"port": 1}, "name": name});
    for (value, expected) in [
        (json!({"health_checks": [tcp("a"), tcp("b")]}), "valid"),
        (
            json!({"health_checks": [tcp("a"), {"type": "TCP"}]}),
            "Task uses invalid health check: 'health_checks[1]': Expecting 'tcp' to be set for TCP health check",
        ),
        (
            json!({"health_check": tcp("a"), "health_checks": [tcp("a")]}),
            "Task uses invalid health check: Two health checks have the name 'a'",
        ),
    ] {
        let info: TaskInfo = message(task_with(value));
        assert_eq!(said(task(&info, &"S0".into(), None)), expected);
    }
}

#[test]
fn what_commands_fetch() {
    let fetches = |checksum: &str| json!({"uris": [{"value": "http://h/a"}, {"value": "b", "checksum": checksum}]});
    let zeros = format!("sha256:{}", "0".repeat(64));
    assert_said::<CommandInfo>(
        command,
        [
            (fetches(&zeros), "valid"),
            (
                fetches("sha256:0"),
                "URI 'b': a checksum must be 'sha256:' and 64 hexadecimal digits or 'sha512:' and 128, not 'sha256:0'",
            ),
        ],
    );
}

#[test]
fn environments() {
    let one = |variable: Value| json!({"variables": [variable]});
    let secret = |secret: Value| one(json!({"name": "A", "type": "SECRET", "secret": secret}));
    let invalid = "Environment variable 'A' specifies an invalid secret: ";
    assert_said::<Environment>(
        environment,
        [
            (one(json!({"name": "A", "value": "1"})), "valid"),
            (one(json!({"name": "A"})), "Environment variable 'A' of type 'VALUE' must have a value set"),
            (
                one(json!({"name": "A", "value": "1", "secret": {}})),
                "Environment variable 'A' of type 'VALUE' must not have a secret set",
            ),
            (one(json!({"name": "A", "type": "UNKNOWN"})), "Environment variable of type 'UNKNOWN' is not allowed"),
            (
                one(json!({"name": "A", "type": "SECRET"})),
                "Environment variable 'A' of type 'SECRET' must have a secret set",
            ),
            (
                one(json!({"name": "A", "type": "SECRET", "secret": {}, "value": "1"})),
                "Environment variable 'A' of type 'SECRET' must not have a value set",
            ),
            (
                secret(json!({"type": "VALUE", "value": {"data": "AAA="}})),
                "Environment variable 'A' specifies a secret containing null bytes, which is not allowed in the environment",
            ),
        ],
    );
    for (value, reason) in [
        (json!({"type": "REFERENCE"}), "Secret of type REFERENCE must have the 'reference' field set"),
        (
            json!({"type": "REFERENCE", "reference": {"name": "n"}, "value": {"data": ""}}),
            "Secret 'n' of type REFERENCE must not have the 'value' field set",
        ),
        (json!({"type": "VALUE"}), "Secret of type VALUE must have the 'value' field set"),
        (
            json!({"type": "VALUE", "value": {"data": ""}, "reference": {"name": "n"}}),
            "Secret of type VALUE must not have the 'reference' field set",
        ),
    ] {
        assert_eq!(said(environment(&message(secret(value)))), format!("{invalid}{reason}"));
    }
}

#[test]
fn a_missing_type_is_filled_in_when_there_is_only_one() {
    let filled = |check: Value| {
        let mut task: TaskInfo = message(task_with(json!({"health_check": check})));
        back_fill_type(&mut task);
        task.health_check.and_then(|check| known::<health::Type>(check.r#type))
    };
    assert_eq!(filled(json!({"http": {"port": 1}})), Some(health::Type::Http));
    assert_eq!(filled(json!({"command": {"value": "true"}})), Some(health::Type::Command));
    assert_eq!(filled(json!({"command": {"value": "true"}, "http": {"port": 1}})), None);
    assert_eq!(filled(json!({"tcp": {"port": 1}})), None);
    assert_eq!(filled(json!({"type": "UNKNOWN", "http": {"port": 1}})), Some(health::Type::Unknown));
}

fn task_with(more: Value) -> Value {
    let mut task = json!({
        "name": "t", "task_id": {"value": "t"}, "agent_id": {"value": "S0"}, "command": {"value": "true"},
        "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}],
    });
    if let (Some(task), Value::Object(more)) = (task.as_object_mut(), more) {
        task.extend(more);
    }
    task
}

#[test]
fn tasks_in_the_order_mesos_looks_at_them() {
    let rows = [
        (json!({}), "valid"),
        (json!({"task_id": {"value": ""}}), "ID must not be empty"),
        (json!({"task_id": {"value": "a/b"}}), "'a/b' contains invalid characters"),
        (json!({"task_id": {"value": ".."}}), "'..' is disallowed"),
        (json!({"agent_id": {"value": "S1"}}), "Task uses invalid agent S1 while agent S0 is expected"),
        (
            json!({"kill_policy": {"grace_period": {"nanoseconds": -1}}}),
            "Task's 'kill_policy.grace_period' must be non-negative",
        ),
        (json!({"max_completion_time": {"nanoseconds": -1}}), "Task's `max_completion_time` must be non-negative"),
        (json!({"check": {}, "health_check": {}}), "Task uses invalid check: CheckInfo must specify 'type'"),
        (
            json!({"health_check": {}, "resources": []}),
            "Task uses invalid health check: HealthCheck must specify 'type'",
        ),
        (json!({"resources": []}), "Task uses no resources"),
        (
            json!({"resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": -1}}]}),
            "Task uses invalid resources: Resource 'cpus' is invalid: Invalid scalar resource: value < 0",
        ),
        (
            json!({"container": {"type": "DOCKER"}}),
            "Task's `ContainerInfo` is invalid: DockerInfo 'docker' is not set for DOCKER typed ContainerInfo",
        ),
        (json!({"limits": {"cpus": {"value": "Infinity"}}}), "valid"),
        (json!({"limits": {"cpus": {"value": 0.5}}}), "Task's limit of 0.5 for 'cpus' is less than the 1 it asks for"),
        (
            json!({"command": null}),
            "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present",
        ),
    ];
    assert_said::<TaskInfo>(|info| task(info, &"S0".into(), None), rows.map(|(more, said)| (task_with(more), said)));
}

#[test]
fn ids_are_used_once() {
    let info: TaskInfo = message(task_with(json!({})));
    let with = |taken| said(task(&info, &"S0".into(), Some(taken)));
    assert_eq!(with(Taken::Live), "Task has duplicate ID: t");
    assert_eq!(with(Taken::Unreachable), "Task reuses the ID of an unreachable task: t");
    assert!(task_id(&TaskId::from("x".repeat(255))).is_ok());
    assert!(task_id(&TaskId::from("x".repeat(256))).is_err());
}

#[test]
fn what_does_not_fit() {
    let (total, offered): (Resources, Resources) = ("cpus:9999".parse().unwrap(), "cpus:0.5".parse().unwrap());
    assert_eq!(
        said(fits(&total.allocate("*"), &offered.allocate("*"))),
        "Total resources cpus(allocated: *):9999 required by task and its executor is more than available \
         cpus(allocated: *):0.5"
    );
}

#[test]
fn groups_and_their_executors() {
    let networked = json!({"container": {"type": "MESOS", "network_infos": [{}]},
                           "health_check": {"type": "TCP", "tcp": {"port": 1}}});
    let group = message(json!({"tasks": [task_with(json!({})), task_with(networked)]}));
    assert_eq!(
        said(task_group(&group, &"S0".into(), |_| None)),
        "Task 't' is invalid: HTTP and TCP health checks are not supported for nested containers not joining parent's \
         network"
    );
    let enough = "cpus:0.1;mem:32;disk:32".parse::<Resources>().unwrap();
    let mut executor: crate::v1::ExecutorInfo =
        message(json!({"type": "DEFAULT", "executor_id": {"value": "e"}, "framework_id": {"value": "F"}}));
    assert_eq!(
        said(group_executor(&executor, &"F".into())),
        "Executor 'e' uses less CPUs (None) than the minimum required (0.01)"
    );
    executor.resources = enough.to_wire();
    assert_eq!(said(group_executor(&executor, &"F".into())), "valid");
    assert_eq!(
        said(group_executor(&executor, &"G".into())),
        "ExecutorInfo has an invalid FrameworkID (Actual: F vs Expected: G)"
    );
    executor.r#type = None;
    assert_eq!(said(group_executor(&executor, &"F".into())), "'ExecutorInfo.type' must be set");
}

#[test]
fn executors_that_tasks_bring_along() {
    let own = |fields: Value| {
        let mut full =
            json!({"executor_id": {"value": "e"}, "framework_id": {"value": "F"}, "command": {"value": "x"}});
        if let (Some(full), Value::Object(fields)) = (full.as_object_mut(), fields) {
            full.extend(fields);
        }
        full
    };
    assert_said::<crate::v1::ExecutorInfo>(
        |executor| task_executor(executor, &"F".into()),
        [
            (own(json!({})), "valid"),
            (own(json!({"type": "CUSTOM"})), "valid"),
            (own(json!({"command": null})), "'ExecutorInfo.command' must be set"),
            (own(json!({"type": "DEFAULT", "command": null})), "'ExecutorInfo.type' must be 'CUSTOM'"),
            (own(json!({"type": "DEFAULT"})), "'ExecutorInfo.command' must not be set for 'DEFAULT' executor"),
            (own(json!({"executor_id": {"value": ""}})), "ID must not be empty"),
            (own(json!({"executor_id": {"value": "a/b"}})), "'a/b' contains invalid characters"),
            (
                own(json!({"command": {"environment": {"variables": [{"name": "A"}]}}})),
                "Executor's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set",
            ),
        ],
    );
}

#[test]
fn scheduler_calls() {
    let framework = json!({"value": "F"});
    let prefix = "Failed to validate scheduler::Call: ";
    for (value, reason) in [
        (json!({"framework_id": framework}), "Expecting 'type' to be present"),
        (json!({"type": "REVIVE"}), "Expecting 'framework_id' to be present"),
        (json!({"type": "SUBSCRIBE"}), "Expecting 'subscribe' to be present"),
        (
            json!({"type": "SUBSCRIBE", "framework_id": framework,
                   "subscribe": {"framework_info": {"user": "u", "name": "n"}}}),
            "'framework_id' differs from 'subscribe.framework_info.id'",
        ),
        (
            json!({"type": "UPDATE_FRAMEWORK", "framework_id": framework,
                   "update_framework": {"framework_info": {"user": "u", "name": "n"}}}),
            "'framework_id' differs from 'update_framework.framework_info.id'",
        ),
        (json!({"type": "KILL", "framework_id": framework}), "Expecting 'kill' to be present"),
        (
            json!({"type": "ACKNOWLEDGE", "framework_id": framework, "acknowledge":
                   {"agent_id": {"value": "S"}, "task_id": {"value": "t"}, "uuid": "AAAA"}}),
            "Not a valid UUID",
        ),
    ] {
        let call: scheduler::Call = message(value);
        assert_eq!(said(scheduler_call(call).map(drop)), format!("{prefix}{reason}"));
    }
    assert_said::<scheduler::Call>(
        |call| scheduler_call(call.clone()).map(drop),
        [
            (json!({"type": "SUPPRESS", "framework_id": framework}), "valid"),
            (json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": "u", "name": "n"}}}), "valid"),
        ],
    );
}

#[test]
fn executor_calls() {
    let update = |status: Value| {
        let mut full = json!({"task_id": {"value": "t"}, "state": "TASK_RUNNING", "source": "SOURCE_EXECUTOR",
                              "uuid": "AAAAAAAAQAAAAAAAAAAAAA=="});
        if let (Some(full), Value::Object(status)) = (full.as_object_mut(), status) {
            full.extend(status);
        }
        json!({"type": "UPDATE", "executor_id": {"value": "e"}, "framework_id": {"value": "F"},
               "update": {"status": full}})
    };
    let prefix = "Failed to validate Executor::Call: ";
    for (value, reason) in [
        (update(json!({"uuid": null})), "Expecting 'uuid' to be present"),
        (update(json!({"uuid": "AAAA"})), "Not a valid UUID"),
        // Sixteen bytes, but of no version.
        (update(json!({"uuid": "AAAAAAAAAAAAAAAAAAAAAA=="})), "Not a valid UUID"),
        (
            update(json!({"executor_id": {"value": "x"}})),
            "ExecutorID in Call: e does not match ExecutorID in TaskStatus: x",
        ),
        (
            update(json!({"source": null})),
            "Received Call from executor e of framework F with invalid source, expecting 'SOURCE_EXECUTOR'",
        ),
        (
            update(json!({"state": "TASK_STAGING"})),
            "Received TASK_STAGING from executor e of framework F which is not allowed",
        ),
        (update(json!({"check_status": {}})), "CheckStatusInfo must specify 'type'"),
    ] {
        let call: executor::Call = message(value);
        assert_eq!(said(executor_call(call).map(drop)), format!("{prefix}{reason}"));
    }
    assert_eq!(said(executor_call(message(update(json!({})))).map(drop)), "valid");
}

/// The parts without which calls are refused, by the numbers of their types.
fn needed(validate: impl Fn(i32) -> Verdict) -> Vec<String> {
    let said = (0..64).filter_map(|kind| validate(kind).err().map(|invalid| invalid.to_string()));
    let expected = said.filter_map(|text| text.split('\'').nth(1).map(str::to_owned));
    expected.filter(|part| part != "type").collect()
}

#[test]
fn parts_that_calls_need() {
    let scheduler = |kind| {
        let call = scheduler::Call { framework_id: Some("F".into()), r#type: Some(kind), ..Default::default() };
        scheduler_call(call).map(drop)
    };
    let parts = "subscribe accept decline kill shutdown acknowledge reconcile message request accept_inverse_offers \
                 decline_inverse_offers update_framework";
    assert_eq!(needed(scheduler).join(" "), parts);
    let executor = |kind| executor_call(executor::Call { r#type: Some(kind), ..Default::default() }).map(drop);
    assert_eq!(needed(executor).join(" "), "subscribe update message");
    let master = |kind| master_call(master::Call { r#type: Some(kind), ..Default::default() }).map(drop);
    let parts = "get_metrics set_logging_level list_files read_file update_weights teardown mark_agent_gone drain_agent \
                 deactivate_agent reactivate_agent";
    assert_eq!(needed(master).join(" "), parts);
    let agent = |kind| agent_call(agent::Call { r#type: Some(kind), ..Default::default() }).map(drop);
    let parts = "get_metrics set_logging_level list_files read_file launch_nested_container wait_nested_container \
                 kill_nested_container launch_nested_container_session attach_container_input attach_container_output \
                 remove_nested_container launch_container wait_container kill_container remove_container";
    assert_eq!(needed(agent).join(" "), parts);
}
