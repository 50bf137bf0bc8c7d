//! HTTP of clients that is allowed and seldom: bodies in chunks, requests one behind the other, old versions.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::row::{Row, row, skipped};
use harness::framework::{self, subscription};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("HTTP a body in chunks", |target| {
            let body = r#"{"type":"GET_HEALTH"}"#;
            let (first, second) = body.split_at(5);
            let chunks = format!("5\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len());
            let head = format!("POST /api/v1 HTTP/1.1\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n{chunks}");
            assert_eq!(Connection::open(target.master()).ask(&head).1["get_health"]["healthy"], true);
        }),
        row("HTTP a body that waits to be asked for", |target| {
            if target.is_foreign() {
                // Clients send the body when they have waited long enough.
                return skipped("HTTP a body that waits to be asked for", "libprocess does not ask for it");
            }
            let mut connection = Connection::open(target.master());
            let body = r#"{"type":"GET_HEALTH"}"#;
            let length = body.len();
            connection.send(&format!(
                "POST /api/v1 HTTP/1.1\r\n{JSON}Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
            ));
            assert!(connection.line().starts_with("HTTP/1.1 100"), "the head is answered first");
            assert_eq!(connection.line(), "");
            assert_eq!(connection.ask(body).1["get_health"]["healthy"], true);
        }),
        row("HTTP requests one behind the other", |target| {
            for address in [target.master(), target.agent()] {
                let mut connection = Connection::open(address);
                let request = "GET /version HTTP/1.1\r\nHost: x\r\n\r\n";
                connection.send(&request.repeat(2));
                for _ in 0..2 {
                    assert!(connection.answer().1["version"].is_string());
                }
                assert!(connection.ask(request).1["version"].is_string(), "the connection is kept");
            }
        }),
        row("HTTP names of headers in any case, and ones nobody knows", |target| {
            let body = r#"{"type":"GET_HEALTH"}"#;
            let head = format!(
                "POST /api/v1?x=y HTTP/1.1\r\nhOST: x\r\nCONTENT-TYPE: application/json\r\ncontent-LENGTH: {}\r\n\
                 X-Whatever: \u{e9}\r\nAccept-Encoding: gzip, deflate\r\nUser-Agent: some/1.0\r\n\r\n{body}",
                body.len()
            );
            assert_eq!(Connection::open(target.agent()).ask(&head).1["get_health"]["healthy"], true);
        }),
        row("HTTP/1.0", |target| {
            for (address, path) in
                [(target.master(), "/state"), (target.agent(), "/state"), (target.master(), "/slaves")]
            {
                let mut connection = Connection::open(address);
                connection.send(&format!("GET {path} HTTP/1.0\r\n\r\n"));
                let text = connection.rest();
                let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
                assert!(head.contains(" 200 ") && !head.to_lowercase().contains("chunked"), "{head}");
                serde_json::from_str::<Value>(body).expect("the whole of it");
            }
        }),
        row("HTTP a target with its host", |target| {
            let head = format!("GET http://{}/version HTTP/1.1\r\nHost: x\r\n\r\n", target.master());
            assert!(Connection::open(target.master()).ask(&head).1["version"].is_string());
        }),
        row("HTTP a stream on a connection that is to be closed", |target| {
            let body = subscription(&framework::info()).to_string();
            let mut connection = Connection::open(target.master());
            connection.send(&format!(
                "POST /api/v1/scheduler HTTP/1.1\r\n{JSON}Accept: application/json\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            ));
            assert_eq!(connection.line(), "HTTP/1.1 200 OK", "clients compare the whole line");
            while connection.line() != "" {}
            for kind in ["SUBSCRIBED", "HEARTBEAT"] {
                let event = connection.chunk();
                let (length, record) = event.split_once('\n').expect("a record");
                assert_eq!(length.parse(), Ok(record.len()), "one chunk is one record");
                assert_eq!(serde_json::from_str::<Value>(record).expect("JSON")["type"], kind);
                assert!(!record.contains('\n'), "JSON in one line");
            }
        }),
        row("HTTP text that is not ASCII", |target| {
            let info = framework::info_with(json!({"name": "Schwäne \u{1f9a2}"}));
            let framework = framework::Framework::subscribe_as(target, harness::wire::Form::Json, &info);
            let path = format!("/frameworks?framework_id={}", framework.id);
            let told = harness::http::get(target.master(), &path).expect("an answer").json();
            assert_eq!(told["frameworks"][0]["name"], info["name"]);
        }),
    ]
}

const JSON: &str = "Host: x\r\nContent-Type: application/json\r\n";

/// A connection on which a test says word for word what it wants.
struct Connection(BufReader<TcpStream>);

impl Connection {
    #[track_caller]
    fn open(address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        Connection(BufReader::new(stream))
    }

    #[track_caller]
    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("sent");
    }

    #[track_caller]
    fn ask(&mut self, request: &str) -> (u16, Value) {
        self.send(request);
        self.answer()
    }

    #[track_caller]
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// An answer with a length, and JSON.
    #[track_caller]
    fn answer(&mut self) -> (u16, Value) {
        let status = self.line().split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let mut length = 0;
        loop {
            let line = self.line().to_lowercase();
            match line.split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().expect("a length"),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    #[track_caller]
    fn chunk(&mut self) -> String {
        let chunk = harness::http::chunk(&mut self.0).expect("a chunk");
        String::from_utf8(chunk).expect("text")
    }

    /// Everything until the peer closes.
    #[track_caller]
    fn rest(&mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).expect("text");
        text
    }
}

/// So that a subscription of a test that reads by hand ends with it.
impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.0.get_ref().shutdown(std::net::Shutdown::Both);
    }
}
