//! A client of the v2 API, for people: its errors say what to do next.

use std::time::Duration;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest answer that is read.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Whom to ask, and how to print what is answered.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// Where the scheduler is
    #[arg(long, global = true, default_value = "127.0.0.1:8080", env = "CYGNET_API")]
    pub api: String,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// A server, by `host:port`.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    authority: String,
}

/// An answer that is no success.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub status: u16,
    pub body: Value,
}

impl Api {
    /// From `http://host:port` or `host:port`.
    pub(crate) fn new(address: &str) -> Api {
        Api { authority: address.trim_start_matches("http://").trim_end_matches('/').to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        self.ask(method, path, body).await?.map_err(|refused| refused.explain())
    }

    /// The answer, refused or not.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Result<Value, Refused>> {
        let (status, bytes) = self.exchange(method, path, body).await?;
        let value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(if status.is_success() { Ok(value) } else { Err(Refused { status: status.as_u16(), body: value }) })
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(StatusCode, Bytes)> {
        tokio::time::timeout(PATIENCE, self.one(method, path, body))
            .await
            .with_context(|| format!("{} did not answer within {PATIENCE:?}", self.authority))?
    }

    async fn one(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(StatusCode, Bytes)> {
        let stream = TcpStream::connect(&self.authority).await.with_context(|| {
            format!("nobody answers at {}: is `cygnet dev` running, or is it elsewhere (--api)?", self.authority)
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow!("the answer of {} broke off: {error}", self.authority))?;
        Ok((status, body.to_bytes()))
    }
}

impl Refused {
    /// What a person is told: the message, the fields at fault, and what to do.
    pub(crate) fn explain(&self) -> anyhow::Error {
        let message =
            self.body["message"].as_str().or_else(|| self.body.as_str().map(str::trim)).filter(|text| !text.is_empty());
        let mut lines = vec![message.unwrap_or("refused").to_owned()];
        for detail in self.body["details"].as_array().into_iter().flatten() {
            let errors = detail["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let path = detail["path"].as_str().unwrap_or("/");
            lines.extend(errors.map(|error| format!("  {path}: {error}")));
        }
        if let Some(details) = self.body["details"].as_str() {
            lines.push(format!("  {details}"));
        }
        if self.status == 409 {
            lines.push("  wait for the deployment, or use --force".into());
        }
        anyhow!("{} (HTTP {})", lines.join("\n"), self.status)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn explained(status: u16, body: Value) -> String {
        Refused { status, body }.explain().to_string()
    }

    #[test]
    fn a_refusal_names_the_fields_at_fault() {
        let details = json!([{"path": "/cpus", "errors": ["error.expected.jsnumber", "must be positive"]}]);
        let text = explained(422, json!({"message": "Invalid JSON", "details": details}));
        assert_eq!(text, "Invalid JSON\n  /cpus: error.expected.jsnumber\n  /cpus: must be positive (HTTP 422)");
    }

    #[test]
    fn a_locked_app_is_told_how_to_unlock() {
        assert!(explained(409, json!({"message": "App is locked"})).contains("--force"));
    }

    #[test]
    fn a_refusal_in_plain_text_is_shown() {
        assert_eq!(explained(404, json!("404 Not Found.")), "404 Not Found. (HTTP 404)");
        assert_eq!(explained(500, json!("")), "refused (HTTP 500)");
    }

    #[test]
    fn servers_may_be_named_by_url() {
        for name in ["127.0.0.1:80", "http://127.0.0.1:80", "http://127.0.0.1:80/"] {
            assert_eq!(Api::new(name).authority, "127.0.0.1:80");
        }
    }
}
