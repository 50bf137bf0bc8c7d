//! The answering half: refusals in Mesos' words, negotiation, routing, and streams that are not read.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    routing::get,
};
use mesos::{
    Codec,
    client::Client,
    server::{self, OriginalPath, SendError},
    v1::scheduler::{Call, Event},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::support::*;

/// The whole answer to a request written by hand.
async fn asked(request: &str) -> (StatusCode, String, String) {
    let (address, _hearing) = master().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "never").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn refusals_are_in_the_words_of_mesos() {
    let post = |headers: &str, body: &str| {
        let length = body.len();
        format!(
            "POST /api/v1/scheduler HTTP/1.1\nHost: x\nConnection: close\n{headers}Content-Length: {length}\n\n{body}"
        )
    };
    let json = "Content-Type: application/json\n";
    let media = "Expecting 'Content-Type' of application/json or application/x-protobuf";
    let subscribe = r#"{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}"#;
    for (request, status, text) in [
        (post("", "{}"), 400, "Expecting 'Content-Type' to be present"),
        (post("Content-Type: text/plain\n", "{}"), 415, media),
        (post("Content-Type: application/json; charset=utf-8\n", "{}"), 415, media),
        (post(json, "{"), 400, "Failed to parse body into JSON: syntax error at line 1 near: "),
        (post(json, "{}"), 400, "Failed to validate scheduler::Call: Expecting 'type' to be present"),
        (
            post("Content-Type: application/json\nAccept: text/html\n", subscribe),
            406,
            "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
        ),
        (
            "GET /api/v1/scheduler HTTP/1.1\nHost: x\nConnection: close\n\n".to_owned(),
            405,
            "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.",
        ),
        ("GET /nope HTTP/1.1\nHost: x\nConnection: close\n\n".to_owned(), 404, "404 Not Found."),
    ] {
        let (got, head, body) = asked(&request).await;
        assert_eq!((got.as_u16(), body.as_str()), (status, text));
        assert!(head.contains("content-type: text/plain; charset=utf-8"), "{head}");
        assert_eq!(head.contains("allow: post"), status == 405, "{head}");
    }
}

#[test]
fn json_is_preferred_whatever_the_client_prefers() {
    let accepts = |value: &'static str| {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]);
        server::accept(&headers).ok()
    };
    for (value, codec) in [
        ("application/x-protobuf", Some(Codec::Protobuf)),
        ("application/x-protobuf, application/json;q=0.1", Some(Codec::Json)),
        ("application/json;q=0, application/x-protobuf", Some(Codec::Protobuf)),
        ("*/*", Some(Codec::Json)),
        ("text/html, application/*", Some(Codec::Json)),
        ("text/html", None),
        ("", None),
    ] {
        assert_eq!(accepts(value), codec, "{value}");
    }
    assert_eq!(server::accept(&HeaderMap::new()), Ok(Codec::Json));
}

#[test]
fn protobuf_bodies_are_calls_too() {
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, protobuf)]);
    let body = Codec::Protobuf.encode(&subscribe());
    assert_eq!(server::decode_call::<Call>(&headers, &body), Ok((Codec::Protobuf, subscribe())));
    let refusal = server::decode_call::<Call>(&headers, b"{}").unwrap_err();
    assert!(refusal.message.starts_with("Failed to parse body into Call protobuf"), "{refusal}");
}

#[tokio::test]
async fn a_stream_nobody_reads_is_full_and_then_closed() {
    let (sender, response) = server::event_stream::<Event>(Codec::Json, None, 2);
    let other = sender.clone();
    let record = sender.record(&heartbeat());
    assert_eq!(sender.try_send(&heartbeat()), Ok(()));
    assert_eq!(other.try_send_record(record), Ok(()));
    assert_eq!(sender.try_send(&heartbeat()), Err(SendError::Full));
    drop(response);
    sender.closed().await;
    assert_eq!(sender.try_send(&heartbeat()), Err(SendError::Closed));
}

#[tokio::test]
async fn paths_find_their_handler() {
    let echo = |request: Request| async move {
        let OriginalPath(original) = request.extensions().get::<OriginalPath>().unwrap().clone();
        format!("{original} -> {}", request.uri())
    };
    let routes = Router::<()>::new().route("/", get(echo)).route("/state", get(echo)).route("/files/read", get(echo));
    let address = serve(server::mesos_paths("slave(1)", &["/", "/state", "/files/read"], routes)).await;
    let client = Client::new(address.to_string(), Codec::Json);
    for (asked, found) in [
        ("/state", "/state"),
        ("/slave(1)/state.json?jsonp=f", "/state?jsonp=f"),
        ("/slave%281%29/state/", "/state"),
        ("/files/read/deeper?path=/a%20b", "/files/read?path=/a%20b"),
        ("/", "/"),
        ("/slave(1)", "/"),
    ] {
        let (status, body) = client.get(asked).await.unwrap();
        let original = asked.split('?').next().unwrap();
        assert_eq!((status, body.as_ref()), (StatusCode::OK, format!("{original} -> {found}").as_bytes()));
    }
    for asked in ["/master/state", "/state/../files/read", "/stat"] {
        assert_eq!(client.get(asked).await.unwrap().0, StatusCode::NOT_FOUND, "{asked}");
    }
}

#[tokio::test]
async fn drivers_from_before_http_are_told_what_to_use() {
    let path = "/master/mesos.internal.RegisterFrameworkMessage";
    let (status, _, body) =
        asked(&format!("POST {path} HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 0\n\n")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.starts_with("404 Not Found. This is a framework with a driver") && body.contains("/api/v1/scheduler"));
}

#[tokio::test]
async fn replies_name_their_codec() {
    let response = server::reply(Codec::Protobuf, &heartbeat());
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-protobuf");
    let bytes = axum::body::to_bytes(Body::new(response.into_body()), 100).await.unwrap();
    assert_eq!(Codec::Protobuf.decode::<Event>(&bytes).unwrap(), heartbeat());
}
