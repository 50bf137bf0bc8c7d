//! The calling half.

use axum::http::StatusCode;
use mesos::{
    Codec, Union,
    client::{Client, ClientError, EventStream, Stranger, Timeouts},
    v1::scheduler::{Event, call::Type, event::Content},
};
use tokio::{net::TcpListener, time::timeout};

use super::support::*;

fn client(address: impl ToString) -> Client {
    Client::new(address.to_string(), Codec::Json)
}

#[tokio::test]
async fn calls_reach_the_server_in_both_codecs() {
    let (address, mut hearing) = master().await;
    for codec in [Codec::Json, Codec::Protobuf] {
        let client = Client::new(address.to_string(), codec);
        let sent = call(Type::Suppress);
        let sent = mesos::v1::scheduler::Call { suppress: Some(Default::default()), ..sent };
        let reply = client.call("/api/v1/scheduler", &sent, Some("stream-1")).await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (StatusCode::ACCEPTED, 0));
        let Some(Heard::Call(Some(id), heard)) = hearing.recv().await else { panic!("no call") };
        assert_eq!((id.as_str(), *heard), ("stream-1", sent));
    }
}

#[tokio::test]
async fn refusals_say_who_and_why() {
    let (address, _hearing) = master().await;
    let refused = client(address).call("/api/v1/scheduler", &call(Type::Revive), None).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("{address} refused: 403 Forbidden: Framework is not subscribed"));
    let unavailable = client(address).call("/api/v1/scheduler", &call(Type::Teardown), None).await.unwrap_err();
    assert!(matches!(unavailable, ClientError::Unavailable { .. }), "{unavailable}");
    let nobody = client("127.0.0.1:1").call("/api/v1/scheduler", &call(Type::Revive), None).await.unwrap_err();
    assert!(matches!(nobody, ClientError::Connect { .. }), "{nobody}");
    let (status, body) = client(address).get("/nowhere").await.unwrap();
    assert_eq!((status, body.as_ref()), (StatusCode::NOT_FOUND, b"404 Not Found.".as_slice()));
}

#[tokio::test]
async fn who_does_not_know_the_path_is_asked_who_it_is() {
    use axum::{Router, routing::get};
    let mesos = serve(Router::new().route("/version", get(async || r#"{"version": "1.11.0"}"#))).await;
    let (web, (master, _hearing)) = (serve(Router::new()).await, master().await);
    for (address, found) in
        [(mesos, Some(Stranger::Mesos("1.11.0".to_owned()))), (web, Some(Stranger::Unknown)), (master, None)]
    {
        let client = client(address);
        let error = client.call("/api/v1/scheduler", &call(Type::Revive), None).await.unwrap_err();
        assert_eq!(Stranger::behind(&client, &error).await, found, "{error}");
    }
}

#[tokio::test]
async fn a_subscription_brings_events_until_the_server_ends_it() {
    for codec in [Codec::Json, Codec::Protobuf] {
        let (address, mut hearing) = master().await;
        let client = Client::new(address.to_string(), codec);
        let mut events: EventStream<Event> = client.subscribe("/api/v1/scheduler", &subscribe()).await.unwrap();
        assert_eq!(events.stream_id(), Some("stream-1"));
        let Some(Heard::Subscribed(sender)) = hearing.recv().await else { panic!("no subscription") };
        for status in 0..5 {
            sender.try_send(&failure(status)).unwrap();
            assert_eq!(events.next().await.unwrap(), Some(failure(status).content().unwrap()));
        }
        let silent = events.next_within(std::time::Duration::from_millis(5)).await.unwrap_err();
        assert!(matches!(silent, ClientError::Silent { .. }), "{silent}");
        sender.try_send(&heartbeat()).unwrap();
        assert_eq!(events.next_within(PATIENCE).await.unwrap(), Some(Content::Heartbeat));
        drop(sender);
        assert_eq!(events.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_event_without_its_part_is_passed_over() {
    for codec in [Codec::Json, Codec::Protobuf] {
        let (address, mut hearing) = master().await;
        let client = Client::new(address.to_string(), codec);
        let mut events: EventStream<Event> = client.subscribe("/api/v1/scheduler", &subscribe()).await.unwrap();
        let Some(Heard::Subscribed(sender)) = hearing.recv().await else { panic!("no subscription") };
        sender.try_send(&Event { failure: None, ..failure(1) }).unwrap();
        sender.try_send(&failure(2)).unwrap();
        assert_eq!(events.next_within(PATIENCE).await.unwrap(), Some(failure(2).content().unwrap()));
    }
}

#[tokio::test]
async fn the_server_learns_that_a_subscriber_left() {
    let (address, mut hearing) = master().await;
    let events: EventStream<Event> = client(address).subscribe("/api/v1/scheduler", &subscribe()).await.unwrap();
    let Some(Heard::Subscribed(sender)) = hearing.recv().await else { panic!("no subscription") };
    assert!(!sender.is_closed());
    drop(events);
    timeout(PATIENCE, sender.closed()).await.unwrap();
}

#[tokio::test]
async fn redirects_lead_to_the_leader_and_are_remembered() {
    let (leader, mut hearing) = master().await;
    let follower = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = follower.local_addr().unwrap();
    let redirecting = tokio::spawn(async move {
        for _ in 0..2 {
            let (mut stream, _) = follower.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            let location = format!("//{leader}/master/api/v1/scheduler");
            let head = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            answer(&mut stream, &head).await;
        }
    });
    let client = client(address);
    let _events: EventStream<Event> = client.subscribe("/api/v1/scheduler", &subscribe()).await.unwrap();
    for _ in 0..3 {
        // Only the first of these asks the follower.
        client.call("/api/v1/scheduler", &call(Type::Suppress), Some("stream-1")).await.unwrap();
    }
    redirecting.await.unwrap();
    assert!(matches!(hearing.recv().await, Some(Heard::Subscribed(_))));
    for _ in 0..3 {
        assert!(matches!(hearing.recv().await, Some(Heard::Call(Some(_), _))));
    }
}

#[tokio::test]
async fn circles_end() {
    let circle = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = circle.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = circle.accept().await.unwrap();
            tokio::spawn(async move {
                while read_request(&mut stream).await.is_some() {
                    let head = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n";
                    answer(&mut stream, head).await;
                }
            });
        }
    });
    let error = client(address).call("/", &call(Type::Revive), None).await.unwrap_err();
    assert!(matches!(error, ClientError::Redirects { .. }), "{error}");
    let error = client(address).subscribe::<_, Event>("/", &subscribe()).await.unwrap_err();
    assert!(matches!(error, ClientError::Redirects { .. }), "{error}");
}

const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_dead_kept_connection_is_replaced_once() {
    let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(peer.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut first, _) = peer.accept().await.unwrap();
        read_request(&mut first).await.unwrap();
        answer(&mut first, ACCEPTED).await;
        // The second call comes over the same connection, and finds nobody.
        let kept = read_request(&mut first).await.unwrap();
        drop(first);
        let (mut second, _) = peer.accept().await.unwrap();
        let again = read_request(&mut second).await.unwrap();
        answer(&mut second, ACCEPTED).await;
        assert_eq!(kept, again);
        // A third one comes over the new connection; it is closed, and so is the one after it.
        read_request(&mut second).await.unwrap();
        drop(second);
        let (mut third, _) = peer.accept().await.unwrap();
        read_request(&mut third).await.unwrap();
    });
    for _ in 0..2 {
        client.call("/x", &call(Type::Revive), None).await.unwrap();
    }
    let error = client.call("/x", &call(Type::Revive), None).await.unwrap_err();
    assert!(matches!(error, ClientError::Connection { .. }), "{error}");
    serving.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_does_not_reply_is_not_waited_for() {
    let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = Timeouts { reply: std::time::Duration::from_millis(20), ..Timeouts::default() };
    let client = Client::with_timeouts(peer.local_addr().unwrap().to_string(), Codec::Json, limits);
    let error = client.call("/x", &call(Type::Revive), None).await.unwrap_err();
    assert!(matches!(error, ClientError::ReplyTimeout { .. }), "{error}");
    let error = client.subscribe::<_, Event>("/x", &subscribe()).await.unwrap_err();
    assert!(matches!(error, ClientError::ReplyTimeout { .. }), "{error}");
}

#[tokio::test]
async fn broken_streams_are_told_apart() {
    for (body, expected) in [
        ("x\n", "the record's length is not a decimal number"),
        ("5\n[1,2]", "sent a message we cannot read: Failed to convert JSON"),
        ("9\n{}", "ended within a record"),
    ] {
        let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(peer.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = peer.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
            answer(&mut stream, &format!("{head}{body}")).await;
        });
        let mut events: EventStream<Event> = client.subscribe("/x", &subscribe()).await.unwrap();
        let error = timeout(PATIENCE, events.next()).await.unwrap().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
