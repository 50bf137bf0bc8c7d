//! A small master to talk to, and peers that say exactly what a test wants.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::post,
};
use mesos::{
    server::{self, EventSender, Refusal},
    v1::scheduler::{Call, Event, call, event},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// Nothing in these tests takes this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The messages that the small master hears.
pub(super) enum Heard {
    Subscribed(EventSender<Event>),
    Call(Option<String>, Box<Call>),
}

/// A master that answers SUBSCRIBE with a stream, KILL with 503 and REVIVE with 403; the rest is accepted.
pub(super) async fn master() -> (SocketAddr, mpsc::UnboundedReceiver<Heard>) {
    let (heard, hearing) = mpsc::unbounded_channel();
    let routes =
        Router::new().route("/api/v1/scheduler", post(scheduler).fallback(server::only_post)).with_state(heard);
    (serve(server::mesos_paths("master", &["/api/v1/scheduler"], routes)).await, hearing)
}

async fn scheduler(
    State(heard): State<mpsc::UnboundedSender<Heard>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (_, call) = server::decode_call::<Call>(&headers, &body)?;
    mesos::validate::scheduler_call(call.clone())?;
    let stream_id = headers.get(server::MESOS_STREAM_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    match call.r#type() {
        call::Type::Subscribe => {
            let codec = server::accept(&headers)?;
            let (events, response) = server::event_stream(codec, Some("stream-1".to_owned()), 8);
            heard.send(Heard::Subscribed(events)).unwrap();
            Ok(response)
        }
        call::Type::Teardown => Err(Refusal::unavailable("Master has not finished recovery")),
        call::Type::Revive => Err(Refusal::forbidden("Framework is not subscribed")),
        _ => {
            heard.send(Heard::Call(stream_id, Box::new(call))).unwrap();
            Ok(server::accepted().into_response())
        }
    }
}

pub(super) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

pub(super) fn subscribe() -> Call {
    mesos::json::from_slice(br#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}"#).unwrap()
}

pub(super) fn call(kind: call::Type) -> Call {
    Call { framework_id: Some("F".into()), r#type: Some(kind.into()), ..Call::default() }
}

pub(super) fn heartbeat() -> Event {
    Event::heartbeat()
}

pub(super) fn failure(status: i32) -> Event {
    Event::failure(event::Failure { status: Some(status), ..event::Failure::default() })
}

/// Reads one request off a connection: up to the end of its body, as far as Content-Length tells.
pub(super) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await.unwrap();
        if length == 0 {
            return None;
        }
        read.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() >= length.parse::<usize>().unwrap() {
                return Some(text);
            }
        }
    }
}

pub(super) async fn answer(stream: &mut TcpStream, answer: &str) {
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// Reads until what was read contains the text, or the peer closes.
pub(super) async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut piece = [0; 4096];
        match tokio::time::timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap() {
            0 => break,
            length => read.extend_from_slice(&piece[..length]),
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}
