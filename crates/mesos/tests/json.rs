//! The JSON dialect: what is written, what is forgiven when reading, and what is refused.

use mesos::{
    Codec, Wire, json,
    v1::{CheckInfo, CommandInfo, ContainerId, HealthCheck, Offer, Resource, TaskInfo, TaskStatus, scheduler},
};
use serde_json::{Value, json};

fn read<M: Wire>(value: Value) -> M {
    json::from_value(value).unwrap()
}

fn refusal<M: Wire>(value: Value) -> String {
    json::from_value::<M>(value).unwrap_err().to_string()
}

#[test]
fn defaults_are_written_unless_deprecated() {
    assert_eq!(json::to_string(&CommandInfo::default()), r#"{"shell":true}"#);
    assert_eq!(
        json::to_string(&HealthCheck::default()),
        r#"{"delay_seconds":15.0,"interval_seconds":10.0,"timeout_seconds":20.0,"consecutive_failures":3,"grace_period_seconds":10.0}"#
    );
    let resource = Resource { name: "cpus".to_owned(), ..Resource::default() };
    assert_eq!(json::to_string(&resource), r#"{"name":"cpus","type":"SCALAR"}"#);
}

#[test]
fn values_look_as_mesos_writes_them() {
    let status = read::<TaskStatus>(json!({
        "task_id": {"value": "a \"quoted\"\nline é"}, "state": "TASK_RUNNING", "timestamp": 12,
        "uuid": "mASOwAOcQmi+pvfUWYkiDQ==", "healthy": true, "unreachable_time": {"nanoseconds": -5},
    }));
    assert_eq!(
        json::to_string(&status),
        "{\"task_id\":{\"value\":\"a \\\"quoted\\\"\\nline é\"},\"state\":\"TASK_RUNNING\",\"timestamp\":12.0,\
         \"uuid\":\"mASOwAOcQmi+pvfUWYkiDQ==\",\"healthy\":true,\"unreachable_time\":{\"nanoseconds\":-5}}"
    );
}

#[test]
fn doubles_always_show_a_fraction() {
    for (seconds, text) in [
        (0.0, "0.0"),
        (15.0, "15.0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e18, "1000000000000000000.0"),
        (1e300, "1e300"),
        (1e-9, "1e-9"),
        (f64::INFINITY, "\"Infinity\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
    ] {
        let filters = mesos::v1::Filters { refuse_seconds: Some(seconds) };
        let written = json::to_string(&filters);
        assert_eq!(written, format!("{{\"refuse_seconds\":{text}}}"));
        assert_eq!(json::from_slice::<mesos::v1::Filters>(written.as_bytes()).unwrap(), filters);
    }
}

#[test]
fn maps_are_objects() {
    let task: TaskInfo = read(json!({
        "name": "t", "task_id": {"value": "t"}, "agent_id": {"value": "S"},
        "limits": {"mem": {"value": "Infinity"}, "cpus": {"value": 1}, "disk": null},
    }));
    assert_eq!(task.limits.len(), 2);
    let written = json::to_value(&task);
    assert_eq!(written["limits"], json!({"cpus": {"value": 1.0}, "mem": {"value": "Infinity"}}));
}

#[test]
fn reading_forgives() {
    let check: HealthCheck = read(json!({
        "type": "HTTP", "delay_seconds": "2.5", "consecutive_failures": "7", "grace_period_seconds": null,
        "what_is_this": {"a": [1]}, "http": {"port": 80.9, "statuses": 200},
    }));
    assert_eq!((check.delay_seconds, check.consecutive_failures), (Some(2.5), Some(7)));
    assert_eq!(check.grace_period_seconds, None);
    let http = check.http.unwrap();
    assert_eq!((http.port, http.statuses), (80, vec![200]));
    let command: CommandInfo = read(json!({"shell": "false", "arguments": "one"}));
    assert_eq!((command.shell, command.arguments), (Some(false), vec!["one".to_owned()]));
}

#[test]
fn an_unknown_name_of_an_enumeration_is_unset() {
    assert_eq!(read::<CheckInfo>(json!({"type": "SMELL"})).r#type, None);
    let missing = refusal::<TaskStatus>(json!({"task_id": {"value": "t"}, "state": "TASK_SLEEPING"}));
    assert_eq!(missing, "Failed to convert JSON into TaskStatus protobuf: Missing required fields: state");
}

#[test]
fn reading_refuses_and_names_the_member() {
    let prefix = "Failed to convert JSON into Call protobuf: ";
    for (value, reason) in [
        (json!({"type": 3}), "Not expecting a JSON number for field 'type'"),
        (json!({"type": ["REVIVE"]}), "Not expecting a JSON array for field 'type'"),
        (json!({"framework_id": "F"}), "Not expecting a JSON string for field 'framework_id'"),
        (json!({"framework_id": {"value": 7}}), "Not expecting a JSON number for field 'framework_id.value'"),
        (
            json!({"decline": {"filters": {"refuse_seconds": "soon"}}}),
            "Not a number: 'soon' for field 'decline.filters.refuse_seconds'",
        ),
        (json!({"acknowledge": {"uuid": "not base64!"}}), "Failed to base64 decode bytes for field 'acknowledge.uuid'"),
        (json!([]), "Expecting a JSON object"),
        (
            json!({"subscribe": {"framework_info": {"user": "u"}}, "kill": {}}),
            "Missing required fields: subscribe.framework_info.name, kill.task_id",
        ),
        (json!({"accept": {"offer_ids": [{"value": "a"}, {}]}}), "Missing required fields: accept.offer_ids[1].value"),
    ] {
        assert_eq!(refusal::<scheduler::Call>(value), format!("{prefix}{reason}"));
    }
    let numbers = json!({"type": "HTTP", "http": {"port": 4_294_967_296_u64}});
    assert!(refusal::<HealthCheck>(numbers).ends_with("Number 4294967296 is out of range for field 'http.port'"));
}

#[test]
fn what_is_no_json_is_quoted() {
    let said = |text: &str| Codec::Json.decode::<scheduler::Call>(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(said("{"), "Failed to parse body into JSON: syntax error at line 1 near: ");
    assert_eq!(said(""), "Failed to parse body into JSON: syntax error at line 1 near: ");
    assert_eq!(said("x"), "Failed to parse body into JSON: syntax error at line 1 near: x");
    assert_eq!(said("{\"a\" 1}"), "Failed to parse body into JSON: syntax error at line 1 near: 1}");
    let trailing = "Failed to parse body into JSON: Parsed JSON included non-whitespace trailing characters: ";
    assert_eq!(said("{}x"), format!("{trailing}x"));
    assert_eq!(said("{} x"), format!("{trailing} x"));
    assert_eq!(said("{\n  \"type\": REVIVE}"), "Failed to parse body into JSON: syntax error at line 2 near: REVIVE}");
}

#[test]
fn protobuf_insists_on_required_fields_too() {
    // An offer with an id and nothing else; field 1, a message holding field 1 = "o".
    let bytes = [0x0a, 0x03, 0x0a, 0x01, b'o'];
    let error = Codec::Protobuf.decode::<Offer>(&bytes).unwrap_err().to_string();
    assert_eq!(
        error,
        "Failed to parse body into Offer protobuf: Missing required fields: framework_id, agent_id, hostname"
    );
    assert!(Codec::Protobuf.decode::<Offer>(&[0xff, 0xff]).is_err());
}

#[test]
fn pieces_of_a_message_that_come_apart_are_one_message() {
    // `parent` in two pieces, the second of which has the value.
    let bytes = [0x0a, 0x01, b'c', 0x12, 0x00, 0x12, 0x03, 0x0a, 0x01, b'p'];
    let id: ContainerId = Codec::Protobuf.decode(&bytes).unwrap();
    assert_eq!(id.to_string(), "p.c");
}

#[test]
fn raw_values_keep_the_order_of_members() {
    let raw = json::to_raw_value(&read::<CheckInfo>(json!({"type": "TCP", "tcp": {"port": 1}})));
    let text = serde_json::to_string(&[raw]).unwrap();
    assert_eq!(
        text,
        r#"[{"type":"TCP","tcp":{"port":1},"delay_seconds":15.0,"interval_seconds":10.0,"timeout_seconds":20.0}]"#
    );
}

#[test]
fn the_answers_mesos_writes_by_hand_have_all_their_lists() {
    use mesos::v1::{agent, master};
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert_eq!(
        text(json::to_vec(&agent::response::GetTasks::default())),
        r#"{"pending_tasks":[],"queued_tasks":[],"launched_tasks":[],"terminated_tasks":[],"completed_tasks":[]}"#
    );
    assert_eq!(text(json::to_vec(&master::response::GetAgents::default())), r#"{"agents":[],"recovered_agents":[]}"#);
    assert_eq!(text(json::to_vec(&agent::response::GetContainers::default())), "{}");
}
