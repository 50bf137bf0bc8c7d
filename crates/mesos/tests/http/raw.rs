//! Event streams as they look on the wire, which is what old clients depend on.

use mesos::v1::scheduler::Event;
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::mpsc};

use super::support::*;

const SUBSCRIBE: &str = r#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}"#;

/// Subscribes by hand; `version` and `headers` as they stand in the request.
async fn subscribed(
    version: &str,
    headers: &str,
) -> (TcpStream, mesos::server::EventSender<Event>, mpsc::UnboundedReceiver<Heard>) {
    let (address, mut hearing) = master().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = SUBSCRIBE.len();
    let request = format!(
        "POST /api/v1/scheduler HTTP/{version}\r\nHost: x\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{SUBSCRIBE}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let Some(Heard::Subscribed(sender)) = hearing.recv().await else { panic!("no subscription") };
    (stream, sender, hearing)
}

fn record(event: &Event) -> String {
    let text = mesos::json::to_string(event);
    format!("{}\n{text}", text.len())
}

#[tokio::test]
async fn one_record_is_one_chunk() {
    for headers in ["", "Connection: close\r\n", "Accept: */*\r\nConnection: keep-alive\r\n"] {
        let (mut stream, sender, _hearing) = subscribed("1.1", headers).await;
        let events = [failure(1), heartbeat(), failure(2)];
        for event in &events {
            sender.try_send(event).unwrap();
        }
        drop(sender);
        let answer = read_until(&mut stream, "\r\n0\r\n\r\n").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        for line in ["transfer-encoding: chunked", "content-type: application/json", "mesos-stream-id: stream-1"] {
            assert!(head.lines().any(|other| other == line), "{line} in {head}");
        }
        let chunks = events.iter().map(record).map(|record| format!("{:X}\r\n{record}\r\n", record.len()));
        assert_eq!(body, chunks.collect::<String>() + "0\r\n\r\n");
    }
}

#[tokio::test]
async fn each_event_is_sent_at_once() {
    let (mut stream, sender, _hearing) = subscribed("1.1", "").await;
    for status in 0..3 {
        let event = failure(status);
        sender.try_send(&event).unwrap();
        assert!(read_until(&mut stream, &record(&event)).await.ends_with(&format!("{}\r\n", record(&event))));
    }
}

#[tokio::test]
async fn clients_that_know_no_chunks_get_plain_records() {
    let (mut stream, sender, _hearing) = subscribed("1.0", "").await;
    sender.try_send(&heartbeat()).unwrap();
    sender.try_send(&failure(1)).unwrap();
    drop(sender);
    let answer = read_until(&mut stream, "never").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 OK\r\n") && !head.to_ascii_lowercase().contains("chunked"), "{head}");
    assert_eq!(body, record(&heartbeat()) + &record(&failure(1)));
}
