//! Sessions of an agent's operator API: a command beside a task, what it prints, and what is typed to it.

use std::io::{BufReader, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::{self, Answer};

/// A session that is open, or why there is none. It ends with this.
#[derive(Debug)]
pub struct Session {
    /// The status code of the answer.
    pub status: u16,
    body: BufReader<TcpStream>,
    printed: String,
}

impl Session {
    /// Launches what is ordered in the words of LAUNCH_NESTED_CONTAINER_SESSION.
    #[track_caller]
    pub fn open(agent: SocketAddr, order: &Value) -> Session {
        let call = json!({"type": "LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session": order});
        let headers = [("Content-Type", "application/json"), ("Accept", "application/recordio")];
        let body = call.to_string();
        let opened = http::open(agent, "POST", "/api/v1", &headers, body.as_bytes());
        let (status, _, body) = opened.expect("an answer of the agent");
        Session { status, body, printed: String::new() }
    }

    /// All that it printed, to standard output and error, until it ended.
    #[track_caller]
    pub fn output(mut self) -> String {
        while self.read() {}
        std::mem::take(&mut self.printed)
    }

    /// All that it printed once this is in it.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        while !self.printed.contains(text) {
            assert!(self.read(), "it ended without {text:?}: {:?}", self.printed);
        }
        self.printed.clone()
    }

    /// The words of a refusal.
    pub fn refusal(mut self) -> String {
        let mut text = String::new();
        self.body.read_to_string(&mut text).expect("text");
        text
    }

    /// Reads a record, each of which is a chunk.
    fn read(&mut self) -> bool {
        let Some(chunk) = http::chunk(&mut self.body) else { return false };
        let text = String::from_utf8_lossy(&chunk);
        let (_, record) = text.split_once('\n').expect("a record begins with its length");
        let record: Value = serde_json::from_str(record).expect("JSON");
        let data = record["data"]["data"].as_str().unwrap_or_default();
        self.printed += &String::from_utf8_lossy(&STANDARD.decode(data).expect("base64"));
        true
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _gone_already = self.body.get_ref().shutdown(Shutdown::Both);
    }
}

/// Sends these pieces of input to a session, and then its end.
#[track_caller]
pub fn send(agent: SocketAddr, id: &Value, pieces: &[Value]) -> Answer {
    let input = |kind: &str, content: &Value| {
        let call = json!({"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": {"type": kind, kind.to_lowercase(): content}});
        let record = call.to_string();
        format!("{}\n{record}", record.len())
    };
    let first = input("CONTAINER_ID", id);
    let body: String = std::iter::once(first).chain(pieces.iter().map(|piece| input("PROCESS_IO", piece))).collect();
    let headers = [("Content-Type", "application/recordio"), ("Message-Content-Type", "application/json")];
    http::request(agent, "POST", "/api/v1", &headers, body.as_bytes()).expect("an answer of the agent")
}

/// A piece of input: what is typed.
pub fn typed(text: &str) -> Value {
    json!({"type": "DATA", "data": {"type": "STDIN", "data": STANDARD.encode(text)}})
}

/// A piece of input: another size of the window.
pub fn window(rows: u32, columns: u32) -> Value {
    let size = json!({"rows": rows, "columns": columns});
    json!({"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": {"window_size": size}}})
}

/// The raw status of its end, once it has ended.
#[track_caller]
pub fn ended(agent: SocketAddr, id: &Value) -> Value {
    let wait = json!({"type": "WAIT_CONTAINER", "wait_container": {"container_id": id}});
    let answer = http::send(agent, "POST", "/api/v1", &wait).expect("an answer of the agent");
    answer.json()["wait_container"]["exit_status"].clone()
}
