//! The behaviour of a server. In: the JSON of a row. Out: what it does at each connection, as steps.
//!
//! | JSON | behaviour |
//! |---|---|
//! | `503` | answers every request with this status |
//! | `{"status": 200, "headers": {"A": "b"}, "body": "text"}` | answers so |
//! | `{"raw": "HTTP/1.1 200 OK\r\n..."}` | reads a request, says that, closes |
//! | `{"greets": "SSH-2.0"}` | says that to everybody at once, then listens |
//! | `{"steps": ["read", "say x", "hang", "reset"]}` | takes these steps |
//! | `{"paths": {"/a": ..., "/b": ...}}` | one behaviour for each path, 404 for the others |
//! | `{"turns": [..., ...]}` | one behaviour for each connection, the last for all that follow |
//! | `{"http2": {...}}`, `{"grpc": {...}}` | an answer over HTTP/2 ([`crate::http2`]) |
//! | `{"tls": "trusted", "then": ...}` | the same inside TLS, with this certificate ([`crate::certificates`]) |
//! | `{"udp": "pong"}` | answers datagrams; `{"udp": null}` does not |
//! | `"refuses"` | does not listen |
//! | `"ipv6"` with `then` | listens on `::1` |
//!
//! Each letter of a text is one byte, so `\u00ff` is 0xff. `{other}` is the other server's address.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::http2;

/// The behaviour of a server.
pub(crate) enum Behaviour {
    /// Nobody listens at the address.
    Refuses,
    /// Answers datagrams, or only takes them.
    Datagrams(Option<Vec<u8>>),
    /// Talks over connections.
    Talks(Talk),
    /// The same on the IPv6 loopback.
    Ipv6(Talk),
}

/// The steps of each connection, and the rule by which they are chosen.
pub(crate) enum Talk {
    /// Steps, whatever is asked.
    Steps(Vec<Step>),
    /// By the path of the request.
    Paths(BTreeMap<String, Vec<Step>>),
    /// By the number of the connection.
    Turns(Vec<Talk>),
    /// Inside TLS, with the certificate of this name.
    Tls(String, Box<Talk>),
}

/// A step of a conversation.
#[derive(Clone)]
pub(crate) enum Step {
    /// Waits for a request: a head and its body, or anything that is no HTTP.
    Read,
    /// Sends bytes.
    Say(Vec<u8>),
    /// Does nothing until the peer leaves.
    Hang,
    /// Ends with a reset.
    Reset,
}

impl Behaviour {
    pub(crate) fn read(json: &Value, other: &str) -> Behaviour {
        if json == "refuses" {
            return Behaviour::Refuses;
        }
        if let Some(answer) = json.get("udp") {
            return Behaviour::Datagrams(answer.as_str().map(bytes));
        }
        match json.get("ipv6") {
            Some(then) => Behaviour::Ipv6(talk(then, other)),
            None => Behaviour::Talks(talk(json, other)),
        }
    }
}

fn talk(json: &Value, other: &str) -> Talk {
    let field = |name: &str| json.get(name);
    if let Some(Value::Object(paths)) = field("paths") {
        return Talk::Paths(paths.iter().map(|(path, json)| (path.clone(), steps(json, other))).collect());
    }
    if let Some(Value::Array(turns)) = field("turns") {
        return Talk::Turns(turns.iter().map(|json| talk(json, other)).collect());
    }
    if let Some(certificate) = field("tls").and_then(Value::as_str) {
        return Talk::Tls(certificate.to_owned(), Box::new(talk(&json["then"], other)));
    }
    Talk::Steps(steps(json, other))
}

fn steps(json: &Value, other: &str) -> Vec<Step> {
    let say = |text: &Value| Step::Say(bytes(&text.as_str().expect("a text").replace("{other}", other)));
    if let Some(raw) = json.get("raw") {
        return vec![Step::Read, say(raw)];
    }
    if let Some(greeting) = json.get("greets") {
        return vec![say(greeting), Step::Hang];
    }
    if let Some(Value::Array(steps)) = json.get("steps") {
        return steps.iter().map(|step| one(step.as_str().expect("a step is a text"))).collect();
    }
    for (name, frames) in [("http2", http2::answer as fn(&Value) -> Vec<u8>), ("grpc", http2::health)] {
        if let Some(answer) = json.get(name) {
            return vec![Step::Read, Step::Say(frames(answer)), Step::Hang];
        }
    }
    vec![Step::Read, Step::Say(answer(json, other))]
}

fn one(step: &str) -> Step {
    match step.split_once(' ') {
        Some(("say", text)) => Step::Say(bytes(text)),
        _ => match step {
            "read" => Step::Read,
            "hang" => Step::Hang,
            "reset" => Step::Reset,
            other => panic!("there is no step '{other}'"),
        },
    }
}

/// An HTTP answer with its length; closes the connection.
fn answer(json: &Value, other: &str) -> Vec<u8> {
    let status = json.as_u64().or_else(|| json["status"].as_u64()).unwrap_or_else(|| panic!("no behaviour: {json}"));
    let body = json["body"].as_str().map(bytes).unwrap_or_default();
    let headers = json["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| format!("{name}: {}\r\n", value.as_str().expect("a text")));
    let head = format!("HTTP/1.1 {status} Said\r\n{}", headers.collect::<String>().replace("{other}", other));
    let mut answer = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()).into_bytes();
    answer.extend(body);
    answer
}

/// One byte for each letter.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).expect("letters up to \\u00ff")).collect()
}
