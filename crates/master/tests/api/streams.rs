//! Streams on the wire, byte by byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use mesos::Codec;
use mesos::v1::cygnet::{AgentCall, agent_call};

use super::setup::{Agent, PATIENCE, Scheduler, TestMaster, framework, node};

/// Reads until the text is there.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let reading = async {
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains(text) {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the stream ended: {}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8(bytes).unwrap()
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap()
}

async fn subscribe(master: &TestMaster, path: &str, body: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(&master.authority).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\n{header}");
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut stream, "\"HEARTBEAT\"}\r\n").await
}

#[tokio::test]
async fn one_record_is_one_chunk_even_if_the_client_says_close() {
    let master = TestMaster::start().await;
    let body = r#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"f"}}}"#;
    for path in ["/api/v1/scheduler", "/master/api/v1/scheduler/"] {
        let text = subscribe(&master, path, body, "Connection: close\r\n").await;
        let (head, chunks) = text.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200 ok"), "{head}");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let id = head.lines().find_map(|line| line.strip_prefix("mesos-stream-id: ")).unwrap();
        assert!(id.len() <= 128 && uuid::Uuid::parse_str(id).is_ok(), "{id}");
        let lines: Vec<&str> = chunks.split("\r\n").collect();
        for chunk in lines.chunks(2).filter(|chunk| chunk.len() == 2) {
            let (length, record) = chunk[1].split_once('\n').unwrap();
            assert_eq!(usize::from_str_radix(chunk[0], 16).unwrap(), chunk[1].len());
            assert_eq!(length.parse::<usize>().unwrap(), record.len());
            serde_json::from_str::<serde_json::Value>(record).unwrap();
        }
        assert!(chunks.contains("20\n{\"type\":\"HEARTBEAT\"}"));
    }
}

#[tokio::test]
async fn operators_get_a_snapshot_and_a_heartbeat_at_once() {
    let master = TestMaster::start().await;
    let text = subscribe(&master, "/api/v1", r#"{"type":"SUBSCRIBE"}"#, "").await;
    let snapshot = text.find(r#"{"type":"SUBSCRIBED","subscribed":{"get_state":"#).unwrap();
    assert!(snapshot < text.find(r#"{"type":"HEARTBEAT"}"#).unwrap());
    assert!(text.contains(r#""heartbeat_interval_seconds":15.0"#), "{text}");
}

#[tokio::test]
async fn a_scheduler_that_does_not_read_is_dropped() {
    let mut options = super::setup::quick(store::Store::in_memory().unwrap());
    options.event_queue = 4;
    let master = TestMaster::with(options).await;
    let agent = Agent::register(&master, Codec::Protobuf, node("n1")).await;
    let reader = Scheduler::subscribe(&master, Codec::Protobuf, framework("reader")).await;
    let sleeper = Scheduler::subscribe(&master, Codec::Protobuf, framework("sleeper")).await;
    let message =
        agent_call::Message { framework_id: sleeper.id.clone(), executor_id: "e".into(), data: vec![0; 1 << 20] };
    let call = AgentCall::message(message);
    let is_dropped = |state: &serde_json::Value| {
        let frameworks = state["frameworks"].as_array().unwrap();
        let connected = |id: &str| frameworks.iter().find(|of| of["id"] == id).unwrap()["connected"] == true;
        assert!(connected(&reader.id.value), "one slow reader is nobody else's trouble");
        !connected(&sleeper.id.value)
    };
    for _ in 0..256 {
        agent.try_call(call.clone()).await.unwrap();
        if is_dropped(&master.get_json("/state").await) {
            return;
        }
    }
    panic!("256 MiB wait for somebody who does not read");
}
