//! Requests as any client makes them.

use std::net::SocketAddr;

pub(crate) use harness::http::{Answer, ask as request};
use serde_json::Value;

pub(crate) async fn send(server: SocketAddr, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    request(server, method, path, &[("content-type", "application/json")], &body).await
}
