//! The texts, row by row, on messages written as the JSON frameworks send.

use serde_json::{Value, json};

use super::*;
use crate::{
    json::from_value,
    resources::Resources,
    v1::{
        CheckInfo, CheckStatusInfo, Environment, ExecutorInfo, HealthCheck, Secret, TaskId, TaskInfo, TaskStatus,
        agent,
        environment::{Variable, variable},
        executor, health_check as health, master, scheduler,
    },
    wire::Wire,
};

fn message<M: Wire>(value: Value) -> M {
    from_value(value).unwrap()
}

fn said(verdict: Verdict) -> String {
    verdict.err().map_or_else(|| "valid".to_owned(), |invalid| invalid.to_string())
}

/// Rows of `JSON => what is said about it`, of one line or more.
fn assert_said<M: Wire>(validate: impl Fn(&M) -> Verdict, rows: &str) {
    assert_said_with(&json!({}), validate, rows);
}

/// The same, where each JSON is what differs from a whole message.
fn assert_said_with<M: Wire>(whole: &Value, validate: impl Fn(&M) -> Verdict, rows: &str) {
    let mut begun = String::new();
    for line in rows.lines() {
        let Some((end, expected)) = line.split_once("=> ") else {
            begun += line;
            continue;
        };
        let value = with(whole, serde_json::from_str(&(std::mem::take(&mut begun) + end)).unwrap());
        assert_eq!(said(validate(&message(value.clone()))), expected, "{value}");
    }
    assert_eq!(begun.trim(), "");
}

fn with(whole: &Value, more: Value) -> Value {
    let mut whole = whole.clone();
    if let (Some(whole), Value::Object(more)) = (whole.as_object_mut(), more) {
        whole.extend(more);
    }
    whole
}

#[test]
fn health_checks() {
    assert_said::<HealthCheck>(
        health_check,
        r#"
        {} => HealthCheck must specify 'type'
        {"type": "NEVER_HEARD_OF"} => HealthCheck must specify 'type'
        {"type": "UNKNOWN"} => 'UNKNOWN' is not a valid health check type
        {"type": "COMMAND"} => Expecting 'command' to be set for COMMAND health check
        {"type": "COMMAND", "command": {}} => Command health check must contain 'shell command'
        {"type": "COMMAND", "command": {"shell": false}} => Command health check must contain 'executable path'
        {"type": "COMMAND", "command": {"value": "x", "environment": {"variables": [{"name": "A"}]}}}
          => Health check's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set
        {"type": "COMMAND", "command": {"value": " "}} => Expecting 'command.value' not to be empty
        {"type": "COMMAND", "command": {"shell": false, "value": "", "arguments": ["true"]}}
          => Expecting 'command.value' not to be empty
        {"type": "COMMAND", "command": {"value": "true"}} => valid
        {"type": "HTTP"} => Expecting 'http' to be set for HTTP health check
        {"type": "HTTP", "http": {"port": 1, "scheme": "ftp"}} => Unsupported HTTP health check scheme: 'ftp'
        {"type": "HTTP", "http": {"port": 1, "path": "x"}} => The path 'x' of HTTP health check must start with '/'
        {"type": "HTTP", "http": {"port": 1}} => valid
        {"type": "TCP"} => Expecting 'tcp' to be set for TCP health check
        "#,
    );
    assert_said_with::<HealthCheck>(
        &json!({"type": "TCP", "tcp": {"port": 1}}),
        health_check,
        r#"
        {"delay_seconds": -1.0} => Expecting 'delay_seconds' to be non-negative
        {"grace_period_seconds": -1.0} => Expecting 'grace_period_seconds' to be non-negative
        {"interval_seconds": -1.0} => Expecting 'interval_seconds' to be non-negative
        {"timeout_seconds": -1.0} => Expecting 'timeout_seconds' to be non-negative
        {"timeout_seconds": 0.0} => valid
        {"timeout_seconds": 1e10} => Expecting 'timeout_seconds' to be a number of seconds less than 292 years
        "#,
    );
}

#[test]
fn general_checks() {
    assert_said::<CheckInfo>(
        check,
        r#"
        {} => CheckInfo must specify 'type'
        {"type": "UNKNOWN"} => 'UNKNOWN' is not a valid check type
        {"type": "COMMAND"} => Expecting 'command' to be set for COMMAND check
        {"type": "COMMAND", "command": {"command": {}}} => Command check must contain 'shell command'
        {"type": "COMMAND", "command": {"command": {"value": ""}}}
          => Expecting 'command.command.value' not to be empty
        {"type": "COMMAND", "command": {"command": {"shell": false}}} => Command check must contain 'executable path'
        {"type": "HTTP"} => Expecting 'http' to be set for HTTP check
        {"type": "HTTP", "http": {"port": 1, "path": "healthz"}}
          => The path 'healthz' of HTTP check must start with '/'
        {"type": "TCP"} => Expecting 'tcp' to be set for TCP check
        {"type": "TCP", "tcp": {"port": 1}, "delay_seconds": -1.0} => Expecting 'delay_seconds' to be non-negative
        {"type": "TCP", "tcp": {"port": 1}, "interval_seconds": -1.0}
          => Expecting 'interval_seconds' to be non-negative
        {"type": "TCP", "tcp": {"port": 1}, "timeout_seconds": -1.0} => Expecting 'timeout_seconds' to be non-negative
        {"type": "HTTP", "http": {"port": 1}, "timeout_seconds": 0.0} => valid
        {"type": "LISTEN"} => Expecting 'listen' to be set for LISTEN check
        {"type": "HTTP", "http": {"port": 1, "scheme": "ftp"}} => Unsupported HTTP check scheme: 'ftp'
        {"type": "HTTP", "http": {"port": 1, "scheme": "https"}} => valid
        "#,
    );
    assert_said::<CheckStatusInfo>(
        check_status,
        r#"
        {} => CheckStatusInfo must specify 'type'
        {"type": "COMMAND"} => Expecting 'command' to be set for COMMAND check's status
        {"type": "HTTP"} => Expecting 'http' to be set for HTTP check's status
        {"type": "TCP"} => Expecting 'tcp' to be set for TCP check's status
        {"type": "UNKNOWN"} => 'UNKNOWN' is not a valid check's status type
        {"type": "TCP", "tcp": {}} => valid
        "#,
    );
}

#[test]
fn fields_of_cygnets_own() {
    assert_said::<HealthCheck>(
        health_check,
        r#"
        {"type": "GRPC"} => Expecting 'grpc' to be set for GRPC health check
        {"type": "LISTEN"} => Expecting 'listen' to be set for LISTEN health check
        {"type": "EXCHANGE"} => Expecting 'exchange' to be set for EXCHANGE health check
        {"type": "GRPC", "grpc": {"port": 1}} => valid
        {"type": "HTTP", "http": {"port": 1, "options": {"address": "app.example"}}}
          => Expecting 'options.address' to be an IP address, but it is 'app.example'
        {"type": "HTTP", "http": {"port": 1, "options": {"healthy_statuses": [{"begin": 300, "end": 200}]}}}
          => Expecting 'options.healthy_statuses' to be ranges within 100 to 599, but one is 300-200
        {"type": "HTTP", "http": {"port": 1, "options": {"expect": [{}]}}}
          => Expecting exactly one of 'contains', 'matches' and 'json_path' to be set in 'options.expect'
        {"type": "HTTP", "http": {"port": 1, "options": {"expect": [{"contains": "a", "matches": "b"}]}}}
          => Expecting exactly one of 'contains', 'matches' and 'json_path' to be set in 'options.expect'
        {"type": "HTTP", "http": {"port": 1, "options": {"tls": {"verification": "ROOTS"}}}}
          => Expecting 'options.tls.roots' to be set for ROOTS
        {"type": "HTTP", "http": {"port": 1, "options": {"tls": {"client_key": "K"}}}}
          => Expecting both or none of 'options.tls.client_certificates' and 'options.tls.client_key' to be set
        "#,
    );
    assert_said_with::<HealthCheck>(
        &json!({"type": "LISTEN", "listen": {"port": 1}}),
        health_check,
        r#"
        {"failure_rate": {"failures": 1, "window": 65}} => Expecting 'failure_rate.window' to be 1 to 64
        {"failure_rate": {"failures": 3, "window": 2}}
          => Expecting 'failure_rate.failures' to be 1 to 'failure_rate.window'
        {"edge_interval_seconds": -1} => Expecting 'edge_interval_seconds' to be non-negative
        {"interval_seconds": 0.05, "consecutive_successes": 3, "name": "up"} => valid
        "#,
    );
}

#[test]
fn several_health_checks_are_all_looked_at_and_told_apart() {
    assert_said_with::<TaskInfo>(
        &whole_task(),
        |info| task(info, &"S0".into(), None),
        r#"
        {"health_checks": [{"type": "TCP", "tcp": {"port": 1}, "name": "a"},
            {"type": "TCP", "tcp": {"port": 1}, "name": "b"}]} => valid
        {"health_checks": [{"type": "TCP", "tcp": {"port": 1}, "name": "a"}, {"type": "TCP"}]}
          => Task uses invalid health check: 'health_checks[1]': Expecting 'tcp' to be set for TCP health check
        {"health_check": {"type": "TCP", "tcp": {"port": 1}, "name": "a"},
            "health_checks": [{"type": "TCP", "tcp": {"port": 1}, "name": "a"}]}
          => Task uses invalid health check: Two health checks have the name 'a'
        "#,
    );
}

#[test]
fn what_commands_fetch() {
    let fetches = |checksum: &str| {
        said(command(&message(json!({"uris": [{"value": "http://h/a"}, {"value": "b", "checksum": checksum}]}))))
    };
    assert_eq!(fetches(&format!("sha256:{}", "0".repeat(64))), "valid");
    assert_eq!(
        fetches("sha256:0"),
        "URI 'b': a checksum must be 'sha256:' and 64 hexadecimal digits or 'sha512:' and 128, not 'sha256:0'"
    );
}

#[test]
fn environments() {
    assert_said::<Environment>(
        environment,
        r#"
        {"variables": [{"name": "A", "value": "1"}]} => valid
        {"variables": [{"name": "A"}]} => Environment variable 'A' of type 'VALUE' must have a value set
        {"variables": [{"name": "A", "value": "1", "secret": {}}]}
          => Environment variable 'A' of type 'VALUE' must not have a secret set
        {"variables": [{"name": "A", "type": "UNKNOWN"}]}
          => Environment variable of type 'UNKNOWN' is not allowed
        {"variables": [{"name": "A", "type": "SECRET"}]}
          => Environment variable 'A' of type 'SECRET' must have a secret set
        {"variables": [{"name": "A", "type": "SECRET", "secret": {}, "value": "1"}]}
          => Environment variable 'A' of type 'SECRET' must not have a value set
        "#,
    );
    let secret = |secret: &Secret| {
        let (name, r#type) = ("A".to_owned(), Some(variable::Type::Secret.into()));
        let variable = Variable { name, r#type, value: None, secret: Some(secret.clone()) };
        environment(&Environment { variables: vec![variable] })
    };
    assert_said::<Secret>(
        secret,
        r#"
        {"type": "VALUE", "value": {"data": "AAA="}}
          => Environment variable 'A' specifies a secret containing null bytes, which is not allowed in the environment
        "#,
    );
    let invalid = |of: &Secret| without("Environment variable 'A' specifies an invalid secret: ", secret(of));
    assert_said::<Secret>(
        invalid,
        r#"
        {"type": "REFERENCE"} => Secret of type REFERENCE must have the 'reference' field set
        {"type": "REFERENCE", "reference": {"name": "n"}, "value": {"data": ""}}
          => Secret 'n' of type REFERENCE must not have the 'value' field set
        {"type": "VALUE"} => Secret of type VALUE must have the 'value' field set
        {"type": "VALUE", "value": {"data": ""}, "reference": {"name": "n"}}
          => Secret of type VALUE must not have the 'reference' field set
        "#,
    );
}

/// A verdict whose words begin with these, without them.
fn without(prefix: &str, verdict: Verdict) -> Verdict {
    verdict.map_err(|Invalid(text)| Invalid(text.strip_prefix(prefix).expect("the prefix").to_owned()))
}

#[test]
fn a_missing_type_is_filled_in_when_there_is_only_one() {
    let filled = |check: Value| {
        let mut task: TaskInfo = message(with(&whole_task(), json!({"health_check": check})));
        back_fill_type(&mut task);
        task.health_check.and_then(|check| known::<health::Type>(check.r#type))
    };
    assert_eq!(filled(json!({"http": {"port": 1}})), Some(health::Type::Http));
    assert_eq!(filled(json!({"command": {"value": "true"}})), Some(health::Type::Command));
    assert_eq!(filled(json!({"command": {"value": "true"}, "http": {"port": 1}})), None);
    assert_eq!(filled(json!({"tcp": {"port": 1}})), None);
    assert_eq!(filled(json!({"type": "UNKNOWN", "http": {"port": 1}})), Some(health::Type::Unknown));
}

fn whole_task() -> Value {
    json!({
        "name": "t", "task_id": {"value": "t"}, "agent_id": {"value": "S0"}, "command": {"value": "true"},
        "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}],
    })
}

#[test]
fn tasks_in_the_order_mesos_looks_at_them() {
    assert_said_with::<TaskInfo>(
        &whole_task(),
        |info| task(info, &"S0".into(), None),
        r#"
        {} => valid
        {"task_id": {"value": ""}} => ID must not be empty
        {"task_id": {"value": "a/b"}} => 'a/b' contains invalid characters
        {"task_id": {"value": ".."}} => '..' is disallowed
        {"agent_id": {"value": "S1"}} => Task uses invalid agent S1 while agent S0 is expected
        {"kill_policy": {"grace_period": {"nanoseconds": -1}}}
          => Task's 'kill_policy.grace_period' must be non-negative
        {"max_completion_time": {"nanoseconds": -1}} => Task's `max_completion_time` must be non-negative
        {"check": {}, "health_check": {}} => Task uses invalid check: CheckInfo must specify 'type'
        {"health_check": {}, "resources": []} => Task uses invalid health check: HealthCheck must specify 'type'
        {"resources": []} => Task uses no resources
        {"resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": -1}}]}
          => Task uses invalid resources: Resource 'cpus' is invalid: Invalid scalar resource: value < 0
        {"container": {"type": "DOCKER"}}
          => Task's `ContainerInfo` is invalid: DockerInfo 'docker' is not set for DOCKER typed ContainerInfo
        {"limits": {"cpus": {"value": "Infinity"}}} => valid
        {"limits": {"cpus": {"value": 0.5}}} => The cpu limit must be greater than or equal to the cpu request
        {"limits": {"mem": {"value": 1}}, "resources": [{"name": "mem", "type": "SCALAR", "scalar": {"value": 2}}]}
          => The memory limit must be greater than or equal to the memory request
        {"limits": {"mem": {"value": 1}}} => When a memory limit is specified, a memory request must also be specified
        {"limits": {"disk": {"value": 1}}} => Only cpus and mem may be included in a task's resource limits
        {"command": null} => Task should have at least one (but not both) of CommandInfo or ExecutorInfo present
        "#,
    );
}

#[test]
fn ids_are_used_once() {
    let info: TaskInfo = message(whole_task());
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
    let group = message(json!({"tasks": [whole_task(), with(&whole_task(), networked)]}));
    assert_eq!(
        said(task_group(&group, &"S0".into(), |_| None)),
        "Task 't' is invalid: HTTP and TCP health checks are not supported for nested containers not joining parent's \
         network"
    );
    let groups = |first: serde_json::Value, second: serde_json::Value| {
        let group = message(json!({"tasks": [with(&whole_task(), first), with(&whole_task(), second)]}));
        said(task_group(&group, &"S0".into(), |_| None))
    };
    let own = json!({"container": {"type": "MESOS", "linux_info": {"share_cgroups": false}}});
    let limited = json!({"limits": {"cpus": {"value": 2}}});
    assert_eq!(groups(own.clone(), with(&own, limited.clone())), "valid");
    assert_eq!(
        groups(limited, json!({})),
        "Task 't' is invalid: Resource limits may only be set for tasks within a task group when the 'share_cgroups' \
         field is set to 'false'."
    );
    let mixed = "If set, the value of 'share_cgroups' must be the same for all tasks in each task group and under a single executor";
    assert_eq!(groups(own.clone(), json!({})), mixed);
    assert_eq!(
        said(alone(&message(with(&whole_task(), own)))),
        "Only tasks in a task group may have 'share_cgroups' set to 'false'"
    );
    let enough = "cpus:0.1;mem:32;disk:32".parse::<Resources>().unwrap();
    let mut executor: ExecutorInfo =
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
    assert_said_with::<ExecutorInfo>(
        &json!({"executor_id": {"value": "e"}, "framework_id": {"value": "F"}, "command": {"value": "x"}}),
        |executor| task_executor(executor, &"F".into()),
        r#"
        {} => valid
        {"type": "CUSTOM"} => valid
        {"command": null} => 'ExecutorInfo.command' must be set
        {"type": "DEFAULT", "command": null} => 'ExecutorInfo.type' must be 'CUSTOM'
        {"type": "DEFAULT"} => 'ExecutorInfo.command' must not be set for 'DEFAULT' executor
        {"executor_id": {"value": ""}} => ID must not be empty
        {"executor_id": {"value": "a/b"}} => 'a/b' contains invalid characters
        {"command": {"environment": {"variables": [{"name": "A"}]}}}
          => Executor's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set
        "#,
    );
}

#[test]
fn scheduler_calls() {
    let validate = |call: &scheduler::Call| scheduler_call(call.clone()).map(drop);
    assert_said::<scheduler::Call>(
        |call| without("Failed to validate scheduler::Call: ", validate(call)),
        r#"
        {"framework_id": {"value": "F"}} => Expecting 'type' to be present
        {"type": "REVIVE"} => Expecting 'framework_id' to be present
        {"type": "SUBSCRIBE"} => Expecting 'subscribe' to be present
        {"type": "SUBSCRIBE", "framework_id": {"value": "F"},
            "subscribe": {"framework_info": {"user": "u", "name": "n"}}}
          => 'framework_id' differs from 'subscribe.framework_info.id'
        {"type": "UPDATE_FRAMEWORK", "framework_id": {"value": "F"},
            "update_framework": {"framework_info": {"user": "u", "name": "n"}}}
          => 'framework_id' differs from 'update_framework.framework_info.id'
        {"type": "KILL", "framework_id": {"value": "F"}} => Expecting 'kill' to be present
        {"type": "ACKNOWLEDGE", "framework_id": {"value": "F"},
            "acknowledge": {"agent_id": {"value": "S"}, "task_id": {"value": "t"}, "uuid": "AAAA"}}
          => Not a valid UUID
        {"type": "SUPPRESS", "framework_id": {"value": "F"}} => valid
        {"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": "u", "name": "n"}}} => valid
        "#,
    );
}

#[test]
fn executor_calls() {
    let update = |status: &TaskStatus| {
        let mut call: executor::Call =
            message(json!({"type": "UPDATE", "executor_id": {"value": "e"}, "framework_id": {"value": "F"}}));
        call.update = Some(executor::call::Update { status: status.clone() });
        without("Failed to validate Executor::Call: ", executor_call(call).map(drop))
    };
    // The second UUID has sixteen bytes, but no version.
    assert_said_with::<TaskStatus>(
        &json!({"task_id": {"value": "t"}, "state": "TASK_RUNNING", "source": "SOURCE_EXECUTOR",
                "uuid": "AAAAAAAAQAAAAAAAAAAAAA=="}),
        update,
        r#"
        {} => valid
        {"uuid": null} => Expecting 'uuid' to be present
        {"uuid": "AAAA"} => Not a valid UUID
        {"uuid": "AAAAAAAAAAAAAAAAAAAAAA=="} => Not a valid UUID
        {"executor_id": {"value": "x"}} => ExecutorID in Call: e does not match ExecutorID in TaskStatus: x
        {"source": null}
          => Received Call from executor e of framework F with invalid source, expecting 'SOURCE_EXECUTOR'
        {"state": "TASK_STAGING"} => Received TASK_STAGING from executor e of framework F which is not allowed
        {"check_status": {}} => CheckStatusInfo must specify 'type'
        "#,
    );
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
