//! The frames with which a server answers the first stream of an HTTP/2 connection. Pure: an answer in, bytes out.
//!
//! `{"status": 200, "headers": {..}, "body": "..", "trailers": {..}, "goaway": "before", "last": 1}` answers so;
//! GOAWAY comes `before`, `within` or `after` the answer and names stream `last` as the last one that counts.
//! `{"serving": 1, "grpc-status": 0}` answers with a health message, or without one if there is no `serving`.

use serde_json::{Map, Value, json};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const STREAM: u32 = 1;

/// An answer to a request.
pub(crate) fn answer(json: &Value) -> Vec<u8> {
    let empty = Map::new();
    let map = |name: &str| json[name].as_object().unwrap_or(&empty);
    let status = json["status"].as_u64().unwrap_or(200).to_string();
    let head = headers(&Map::from_iter([(":status".to_owned(), json!(status))]), map("headers"));
    let body = json["body"].as_str().unwrap_or_default().as_bytes();
    let trailers = headers(map("trailers"), &empty);
    let has = |bytes: &[u8]| !bytes.is_empty();
    let ends = |is_last: bool| if is_last { END_STREAM } else { 0 };
    let goaway = |when: &str| if json["goaway"] == when { frame(GOAWAY, 0, 0, &leaving(json)) } else { Vec::new() };
    let mut bytes = frame(SETTINGS, 0, 0, &[]);
    bytes.extend(goaway("before"));
    bytes.extend(frame(HEADERS, END_HEADERS | ends(!has(body) && !has(&trailers)), STREAM, &head));
    bytes.extend(goaway("within"));
    if has(body) {
        bytes.extend(frame(DATA, ends(!has(&trailers)), STREAM, body));
    }
    if has(&trailers) {
        bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, STREAM, &trailers));
    }
    bytes.extend(goaway("after"));
    bytes
}

/// An answer to a question after the health of a service.
pub(crate) fn health(json: &Value) -> Vec<u8> {
    let message = json["serving"].as_u64().map(|status| {
        let status = char::from(u8::try_from(status).unwrap());
        format!("\0\0\0\0\u{2}\u{8}{status}")
    });
    let mut answer = json.clone();
    answer["headers"] = json.get("headers").cloned().unwrap_or_else(|| json!({ "content-type": "application/grpc" }));
    answer["body"] = json!(message.unwrap_or_default());
    let status = json.get("grpc-status").map_or_else(|| "0".to_owned(), ToString::to_string);
    answer["trailers"] = json.get("trailers").cloned().unwrap_or_else(|| json!({ "grpc-status": status }));
    self::answer(&answer)
}

/// The last stream that counts, and the error code.
fn leaving(json: &Value) -> Vec<u8> {
    let number = |name: &str, or: u64| u32::try_from(json[name].as_u64().unwrap_or(or)).unwrap().to_be_bytes();
    [number("last", STREAM.into()), number("error", 0)].concat()
}

/// Literals that are never indexed, names included.
fn headers(first: &Map<String, Value>, rest: &Map<String, Value>) -> Vec<u8> {
    let literal = |(name, value): (&String, &Value)| {
        let value = value.as_str().expect("a header is a text");
        let short = |text: &str| u8::try_from(text.len()).ok().filter(|length| *length < 127).expect("short headers");
        [&[0, short(name)], name.as_bytes(), &[short(value)], value.as_bytes()].concat()
    };
    first.iter().chain(rest).flat_map(literal).collect()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}
