//! HTTP/2 and gRPC, in plain text and with TLS, against a real server and against frames by hand.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use checks::hostile::frame;
use checks::spec::{Expectation, GrpcProbe, HttpProbe, HttpVersion, Probe, Redirects, Scheme, Tls};
use checks::{Answer, Failure, Kind, Outcome};
use http::{HeaderMap, Response};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{answer, serve, status, tls_by};
use crate::support::{found, http, ms, outcome, outcome_within};

/// The answer of a server to a path and a body.
type Answering = fn(&str, &[u8]) -> (Response<()>, Vec<u8>, Option<HeaderMap>);

/// A server that speaks HTTP/2 to whoever connects.
async fn h2_server(answering: Answering) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, answering));
        }
    });
    address
}

async fn converse(stream: TcpStream, answering: Answering) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(reply(request, respond, answering));
    }
}

async fn reply(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    answering: Answering,
) {
    let (path, mut incoming) = (request.uri().path().to_owned(), request.into_body());
    let mut sent = Vec::new();
    while let Some(Ok(chunk)) = incoming.data().await {
        sent.extend_from_slice(&chunk);
    }
    let (response, body, trailers) = answering(&path, &sent);
    let Ok(mut stream) = respond.send_response(response, false) else { return };
    let _peer_may_have_gone = stream.send_data(body.into(), trailers.is_none());
    trailers.into_iter().for_each(|trailers| drop(stream.send_trailers(trailers)));
}

fn plain(status: u16, body: &str) -> (Response<()>, Vec<u8>, Option<HeaderMap>) {
    (Response::builder().status(status).body(()).unwrap(), body.as_bytes().to_vec(), None)
}

fn by_path(path: &str, sent: &[u8]) -> (Response<()>, Vec<u8>, Option<HeaderMap>) {
    match path {
        "/moved" => {
            let response = Response::builder().status(302).header("location", "/good").body(()).unwrap();
            (response, Vec::new(), None)
        }
        "/echo" => plain(200, &String::from_utf8_lossy(sent)),
        "/good" => plain(200, "all is well"),
        "/long" => plain(200, &"x".repeat(3_000_000)),
        _ => plain(404, ""),
    }
}

fn http2(address: SocketAddr, path: &str) -> HttpProbe {
    HttpProbe { version: HttpVersion::Http2, path: path.to_owned(), ..http(address) }
}

#[tokio::test]
async fn plain_text_with_prior_knowledge() {
    let address = h2_server(by_path).await;
    let expect = vec![Expectation::Contains(b"well".to_vec())];
    let good = HttpProbe { expect, ..http2(address, "/good") };
    assert_eq!(outcome(Probe::Http(good)).await, found(200));
    assert_eq!(outcome(Probe::Http(http2(address, "/missing"))).await, Outcome::Failure(Failure::Status(404)));
    assert_eq!(outcome(Probe::Http(http2(address, "/long"))).await, found(200), "flow control goes on");
    let limited = HttpProbe { max_body: 1_000_000, ..http2(address, "/long") };
    assert_eq!(outcome(Probe::Http(limited)).await.cause(), "the body is longer than 1000000 bytes");
}

#[tokio::test]
async fn redirects_and_bodies() {
    let address = h2_server(by_path).await;
    assert_eq!(outcome(Probe::Http(http2(address, "/moved"))).await, found(200));
    let taken = HttpProbe { redirects: Redirects::TakeAsAnswer, ..http2(address, "/moved") };
    assert_eq!(outcome(Probe::Http(taken)).await, found(302));
    let expect = vec![Expectation::Matches("^pong$".to_owned())];
    let (method, body) = ("PUT".to_owned(), b"pong".to_vec());
    let echo = HttpProbe { method, body, expect, ..http2(address, "/echo") };
    assert_eq!(outcome(Probe::Http(echo)).await, found(200));
}

#[tokio::test]
async fn whoever_speaks_only_http_1_is_told_apart() {
    let old = outcome(Probe::Http(http2(answer(status("400 Bad Request")), "/"))).await;
    assert_eq!((old.kind(), old.cause().as_str()), (Kind::Protocol, "HTTP/2: the peer speaks HTTP/1"));
    let old = outcome(Probe::Grpc(GrpcProbe::new(answer(status("404 Not Found"))))).await;
    assert_eq!((old.kind(), old.cause().as_str()), (Kind::Protocol, "HTTP/2: the peer speaks HTTP/1"));
}

const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const DATA: u8 = 0;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const STATUS_200: &[u8] = &[0x88];

/// Answers the first request with these frames, whatever it was.
fn answer_with(stream: &mut (impl Read + Write), frames: &[u8]) {
    let mut bytes = [0; 4096];
    let _request = stream.read(&mut bytes);
    let _peer_may_have_gone = stream.write_all(frames).and_then(|()| stream.flush());
    while stream.read(&mut bytes).is_ok_and(|length| length > 0) {}
}

/// A header that is not in the table.
fn literal(name: &str, value: &str) -> Vec<u8> {
    [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
}

/// An answer to a health call: a message, and `grpc-status` in the trailers.
fn grpc_frames(message: &[u8], code: &str) -> Vec<u8> {
    let framed = [&[0], u32::try_from(message.len()).unwrap().to_be_bytes().as_slice(), message].concat();
    let head = [STATUS_200, &literal("content-type", "application/grpc")].concat();
    let trailer = literal("grpc-status", code);
    [
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, &head),
        frame(DATA, 0, 1, &framed),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailer),
    ]
    .concat()
}

#[tokio::test]
async fn over_tls_http_2_is_agreed_on() {
    let frames =
        [frame(SETTINGS, 0, 0, &[]), frame(HEADERS, END_HEADERS, 1, STATUS_200), frame(DATA, END_STREAM, 1, b"ok")];
    let frames = Arc::new(frames.concat());
    let address = tls_by(&[b"h2"], move |stream, agreed| {
        assert_eq!(agreed, Some(b"h2".as_slice()));
        answer_with(stream, &frames);
    });
    let probe = HttpProbe { scheme: Scheme::Https, ..http2(address, "/") };
    assert_eq!(outcome(Probe::Http(probe)).await, found(200));
}

/// As a server of gRPC's health protocol does it.
fn health(path: &str, sent: &[u8]) -> (Response<()>, Vec<u8>, Option<HeaderMap>) {
    assert_eq!(path, "/grpc.health.v1.Health/Check");
    let (message, code): (&[u8], _) = match sent {
        [0, 0, 0, 0, 0] => (&[8, 1], "0"),
        [0, 0, 0, 0, 6, 0x0a, 4, b'd', b'o', b'w', b'n'] => (&[8, 2], "0"),
        _ => (&[], "5"),
    };
    let framed = [&[0], u32::try_from(message.len()).unwrap().to_be_bytes().as_slice(), message].concat();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.parse().unwrap());
    let response = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    (response, framed, Some(trailers))
}

#[tokio::test]
async fn grpc_health() {
    let address = h2_server(health).await;
    let service = |service: &str| Probe::Grpc(GrpcProbe { service: service.to_owned(), ..GrpcProbe::new(address) });
    assert_eq!(outcome(service("")).await, Outcome::Success(Answer::Serving));
    assert_eq!(outcome(service("down")).await.cause(), "NOT_SERVING");
    assert_eq!(outcome(service("unheard.of.Service")).await.cause(), "NOT_FOUND");
}

#[tokio::test]
async fn an_authority_and_metadata_of_ones_own() {
    let (seen, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((request, respond))) = connection.accept().await {
            let token = request.headers().get("x-token").map(|value| value.to_str().unwrap().to_owned());
            seen.send((request.uri().authority().unwrap().to_string(), token)).unwrap();
            tokio::spawn(reply(request, respond, health));
        }
    });
    let (authority, metadata) = (Some("shop.example".to_owned()), vec![("X-Token".to_owned(), "secret".to_owned())]);
    let probe = GrpcProbe { authority, metadata, ..GrpcProbe::new(address) };
    assert_eq!(outcome(Probe::Grpc(probe)).await, Outcome::Success(Answer::Serving));
    assert_eq!(asked.recv().await, Some(("shop.example".to_owned(), Some("secret".to_owned()))));
}

#[tokio::test]
async fn grpc_with_tls() {
    let frames = Arc::new(grpc_frames(&[8, 1], "0"));
    let address = tls_by(&[b"h2"], move |stream, _| answer_with(stream, &frames));
    let probe = |tls| Probe::Grpc(GrpcProbe { tls, ..GrpcProbe::new(address) });
    assert_eq!(outcome(probe(Some(Tls::default()))).await, Outcome::Success(Answer::Serving));
    let plain = outcome_within(ms(500), probe(None)).await;
    assert!(matches!(plain, Outcome::Failure(_)), "{plain:?}");
}

#[tokio::test]
async fn grpc_servers_that_hang_or_go_away() {
    let hanging = serve(|mut stream| answer_with(&mut stream, &frame(SETTINGS, 0, 0, &[])));
    let hung = outcome_within(ms(200), Probe::Grpc(GrpcProbe::new(hanging))).await;
    assert!(matches!(hung, Outcome::Failure(Failure::TimedOut { .. })), "{hung:?}");
    let goodbye = frame(7, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]);
    let leaving = serve(move |mut stream| answer_with(&mut stream, &goodbye));
    assert_eq!(outcome(Probe::Grpc(GrpcProbe::new(leaving))).await.kind(), Kind::Protocol);
    let abrupt = serve(drop);
    let gone = outcome(Probe::Grpc(GrpcProbe::new(abrupt))).await;
    assert!(matches!(gone.kind(), Kind::Protocol | Kind::Connection), "{gone:?}");
}
