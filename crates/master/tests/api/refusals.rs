//! Everything that can be wrong with a request, and the words it is refused with.

use mesos::Codec;

use super::setup::{SCHEDULER, Scheduler, TestMaster, framework, running};

/// Headers and body of a request, status and text of the answer.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, u16, &'a str);

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn calls_of_schedulers() {
    let master = TestMaster::start().await;
    let scheduler = Scheduler::subscribe(&master, Codec::Json, framework("f")).await;
    let (id, stream) = (scheduler.id.value.as_str(), scheduler.stream_id.as_str());
    let revive = format!(r#"{{"framework_id":{{"value":"{id}"}},"type":"REVIVE"}}"#);
    let own = ("Mesos-Stream-Id", stream);
    let other = ("Mesos-Stream-Id", "00000000-0000-0000-0000-000000000000");
    let subscribe = r#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"f"}}}"#;
    let other_id = format!(
        "The stream ID '{}' included in this request didn't match the stream ID currently associated with framework \
         ID {id}",
        other.1
    );
    let kinds = "Expecting 'Content-Type' of application/json or application/x-protobuf";
    let cases: &[Case<'_>] = &[
        (&[own], &revive, 400, "Expecting 'Content-Type' to be present"),
        (&[("Content-Type", "text/plain"), own], &revive, 415, kinds),
        (&[("Content-Type", "application/json; charset=utf-8"), own], &revive, 415, kinds),
        (&[JSON, own], "{", 400, "Failed to parse body into JSON: syntax error at line 1 near: "),
        (
            &[JSON, own],
            &format!(r#"{{"framework_id":{{"value":"{id}"}}}}"#),
            400,
            "Failed to validate scheduler::Call: Expecting 'type' to be present",
        ),
        (
            &[JSON, own],
            r#"{"type":"REVIVE"}"#,
            400,
            "Failed to validate scheduler::Call: Expecting 'framework_id' to be present",
        ),
        (
            &[JSON, ("Accept", "text/html")],
            subscribe,
            406,
            "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
        ),
        (&[JSON, own], subscribe, 400, "Subscribe calls should not include the 'Mesos-Stream-Id' header"),
        (&[JSON, own], r#"{"framework_id":{"value":"nope"},"type":"REVIVE"}"#, 400, "Framework cannot be found"),
        (&[JSON], &revive, 400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"),
        (&[JSON, other], &revive, 400, &other_id),
        (&[JSON, own], &revive, 202, ""),
    ];
    for (headers, body, status, text) in cases {
        let answer = master.post(SCHEDULER, headers, body).await;
        assert_eq!((answer.status, answer.text().as_str()), (*status, *text), "{headers:?} {body}");
        if *status != 202 {
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        }
    }
}

#[tokio::test]
async fn a_disconnected_framework_is_forbidden_to_call() {
    let (master, _agent, scheduler) = running(Codec::Json).await;
    let (id, stream) = (scheduler.id.value.clone(), scheduler.stream_id.clone());
    drop(scheduler);
    master.until_state(|state| state["frameworks"][0]["connected"] == false).await;
    let revive = format!(r#"{{"framework_id":{{"value":"{id}"}},"type":"REVIVE"}}"#);
    let answer = master.post(SCHEDULER, &[JSON, ("Mesos-Stream-Id", &stream)], &revive).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "Framework is not subscribed"));
}

#[tokio::test]
async fn methods_and_paths() {
    let master = TestMaster::start().await;
    let answer = master.get(SCHEDULER).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(answer.text(), "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.");
    for path in ["/nothing", "/state/../flags", "/slave(1)/state"] {
        let answer = master.get(path).await;
        assert_eq!((answer.status, answer.text().as_str()), (404, "404 Not Found."), "{path}");
    }
}

#[tokio::test]
async fn operator_calls() {
    let master = TestMaster::start().await;
    let cases = [
        ("", 400, "Failed to parse body into JSON: syntax error at line 1 near: "),
        ("{}", 400, "Failed to validate master::Call: Expecting 'type' to be present"),
        (r#"{"type":"GET_METRICS"}"#, 400, "Failed to validate master::Call: Expecting 'get_metrics' to be present"),
        (r#"{"type":"UNKNOWN"}"#, 501, "UNKNOWN is not implemented"),
        (r#"{"type":"SET_QUOTA"}"#, 501, "SET_QUOTA is not supported: this master knows no quota"),
        (
            r#"{"type":"RESERVE_RESOURCES"}"#,
            501,
            "RESERVE_RESOURCES is not supported: this master knows no dynamic reservations",
        ),
        (
            r#"{"type":"START_MAINTENANCE"}"#,
            501,
            "START_MAINTENANCE is not supported: this master knows no maintenance windows",
        ),
        (r#"{"type":"GROW_VOLUME"}"#, 501, "GROW_VOLUME is not supported: this master knows no persistent volumes"),
        (r#"{"type":"LIST_FILES","list_files":{"path":"/etc"}}"#, 404, ""),
        (r#"{"type":"READ_FILE","read_file":{"path":"/etc/passwd","offset":0}}"#, 404, ""),
        (r#"{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"x"}}}"#, 400, "Unknown agent"),
        (r#"{"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"x"}}}"#, 404, "Agent 'x' not found"),
        (
            r#"{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":1,"duration":{"nanoseconds":1}}}"#,
            501,
            "What this process logs was fixed when it was started",
        ),
        (
            r#"{"type":"UPDATE_WEIGHTS","update_weights":{"weight_infos":[{"role":"a","weight":0}]}}"#,
            400,
            "Failed to validate update weights request JSON for role 'a': Invalid weight '0': Weights must be positive",
        ),
        (
            r#"{"type":"TEARDOWN","teardown":{"framework_id":{"value":"x"}}}"#,
            400,
            "No framework found with specified ID",
        ),
    ];
    for (body, status, text) in cases {
        let answer = master.post("/api/v1", &[JSON], body).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, text), "{body}");
    }
    let answer = master.post("/api/v1", &[JSON, ("Accept", "text/html")], r#"{"type":"GET_HEALTH"}"#).await;
    assert_eq!(answer.status, 406);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let master = TestMaster::start().await;
    let head = "POST /api/v1 HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\n";
    let answer = master.raw(&format!("{head}Content-Length: 900000000000\r\nConnection: close\r\n\r\n")).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn half_a_request_bothers_nobody() {
    use tokio::io::AsyncWriteExt;
    let master = TestMaster::start().await;
    let mut halves = Vec::new();
    for half in ["POST /api/v1/sch", "POST /api/v1/scheduler HTTP/1.1\r\nContent-Length: 10\r\nHost: m\r\n\r\n{"] {
        let mut stream = tokio::net::TcpStream::connect(&master.authority).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        halves.push(stream);
    }
    assert_eq!(master.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let master = TestMaster::start().await;
    let mut options = super::setup::quick(store::Store::in_memory().unwrap());
    options.port = master.authority.rsplit_once(':').unwrap().1.parse().unwrap();
    let error = master::Master::bind(options).await.unwrap_err();
    assert!(matches!(&error, master::MasterError::Bind(shell::BindError::InUse { .. })), "{error:?}");
    assert!(error.to_string().contains(&master.authority), "{error}");
}
