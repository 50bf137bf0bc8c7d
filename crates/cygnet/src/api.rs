//! A client of the v2 API, for people: its errors say what to do next. [`events`] is its event stream.

pub(crate) mod events;

use std::time::Duration;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::http::response::Parts;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::server::Server;

/// The time that one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest answer that is read.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// The header of answers to changes.
const DEPLOYMENT: &str = "marathon-deployment-id";

/// The server to ask, and how to print its answers.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// Where the scheduler is
    #[arg(long, global = true, default_value = "127.0.0.1:8080", env = "CYGNET_API")]
    pub api: Server,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// A command about one kind of thing: the server to ask, and the verb.
#[derive(Debug, Args)]
pub(crate) struct Noun<Verb: Subcommand> {
    #[command(flatten)]
    pub asking: Asking,
    #[command(subcommand)]
    pub verb: Verb,
}

/// A server, by `host:port`, and how to print its answers.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    authority: String,
    /// True if they are printed as JSON.
    pub json: bool,
}

/// The answer to a change.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub body: Value,
    /// The deployment that it began, if there was anything to do.
    pub deployment: Option<String>,
}

/// An answer that is no success.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub status: u16,
    pub body: Value,
}

impl Api {
    pub(crate) fn new(server: &Server) -> Api {
        Api { authority: server.authority().to_owned(), json: false }
    }

    /// The server that the command line names.
    pub(crate) fn of(asking: &Asking) -> Api {
        Api { json: asking.json, ..Api::new(&asking.api) }
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.send(Method::GET, path, None).await?.body)
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Changed> {
        self.ask(method, path, body).await?.map_err(|refused| refused.explain())
    }

    /// True if there is something at this path.
    pub(crate) async fn has(&self, path: &str) -> anyhow::Result<bool> {
        match self.ask(Method::GET, path, None).await? {
            Ok(_) => Ok(true),
            Err(refused) if refused.status == 404 => Ok(false),
            Err(refused) => Err(refused.explain()),
        }
    }

    /// The answer, refused or not.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Result<Changed, Refused>> {
        let (head, bytes) = self.exchange(method, path, body).await?;
        let body = value(&bytes);
        if !head.status.is_success() {
            return Ok(Err(Refused { status: head.status.as_u16(), body }));
        }
        let header = head.headers.get(DEPLOYMENT).and_then(|id| id.to_str().ok());
        let deployment = header.or_else(|| body["deploymentId"].as_str()).map(str::to_owned);
        Ok(Ok(Changed { body, deployment }))
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(Parts, Bytes)> {
        tokio::time::timeout(PATIENCE, self.one(method, path, body))
            .await
            .with_context(|| format!("{} did not answer within {PATIENCE:?}", self.authority))?
    }

    async fn one(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(Parts, Bytes)> {
        let (head, body) = self.open(method, path, "application/json", body).await?.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow!("the answer of {} broke off: {error}", self.authority))?;
        Ok((head, body.to_bytes()))
    }

    /// Sends a request on a connection of its own; the body of the answer is the caller's to read.
    async fn open(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response<Incoming>> {
        let stream = TcpStream::connect(&self.authority).await.with_context(|| {
            format!("nobody answers at {}: is `cygnet dev` running, or is it elsewhere (--api)?", self.authority)
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::ACCEPT, accept)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()))?;
        let answer = sender.send_request(request).await;
        answer.with_context(|| format!("{} hung up: is it the Marathon API that listens there?", self.authority))
    }
}

/// A body as JSON, or else as its text.
fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

/// The path of something by its id, which may be written with or without slashes around it. What no id has in it is
/// encoded: it is the server's to say that there is no such thing.
pub(crate) fn path(kind: &str, id: &str) -> String {
    let mut path = format!("/v2/{kind}/");
    path.push_str(&encoded(id.trim_matches('/')));
    path
}

/// As it may stand in a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

impl Refused {
    /// The error for a person: the message, the fields at fault, and what to do.
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
        lines.extend(self.what_to_do());
        anyhow!("{} (HTTP {})", lines.join("\n"), self.status)
    }

    fn what_to_do(&self) -> Option<String> {
        let locks = self.body["deployments"].as_array().into_iter().flatten();
        let locks: Vec<_> = locks.filter_map(|lock| lock["id"].as_str()).collect();
        match self.status {
            409 if !locks.is_empty() => Some(format!(
                "  `cygnet deployment watch {}` follows what is under way; --force breaks into it",
                locks.join(" ")
            )),
            404 => Some("  `cygnet app list` and `cygnet group list` show what there is".into()),
            401 | 403 => Some("  the scheduler asks for credentials that were not given".into()),
            _ => None,
        }
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
        let text = explained(409, json!({"message": "App is locked", "deployments": [{"id": "d1"}]}));
        assert!(text.contains("--force") && text.contains("cygnet deployment watch d1"), "{text}");
        assert_eq!(explained(409, json!({"message": "exists"})), "exists (HTTP 409)");
    }

    #[test]
    fn ids_are_written_as_people_like() {
        for id in ["shop/web", "/shop/web", "/shop/web/"] {
            assert_eq!(path("apps", id), "/v2/apps/shop/web");
        }
        assert_eq!(path("apps", "a b?c"), "/v2/apps/a%20b%3Fc");
    }

    #[test]
    fn a_refusal_in_plain_text_is_shown() {
        assert_eq!(explained(418, json!("I'm a teapot")), "I'm a teapot (HTTP 418)");
        assert_eq!(explained(500, json!("")), "refused (HTTP 500)");
    }
}
