//! A client of the v2 API, for people: its errors say what to do next ([`refused`]). [`events`] are its event streams,
//! [`kept`] is one that is kept up.

pub(crate) mod events;
pub(crate) mod kept;
mod refused;

use std::time::Duration;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::HeaderName;
use hyper::http::response::Parts;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use self::refused::{Asked, Refused};
use crate::nearest::nearest;
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
        match self.ask(method, path, body).await? {
            Ok(changed) => Ok(changed),
            Err(refused) => Err(self.explain(&refused, path, body).await),
        }
    }

    /// True if there is something at this path.
    pub(crate) async fn has(&self, path: &str) -> anyhow::Result<bool> {
        match self.ask(Method::GET, path, None).await? {
            Ok(_) => Ok(true),
            Err(refused) if refused.status == 404 => Ok(false),
            Err(refused) => Err(self.explain(&refused, path, None).await),
        }
    }

    /// The error for a person who asked for this.
    pub(crate) async fn explain(&self, refused: &Refused, path: &str, sent: Option<&Value>) -> anyhow::Error {
        let sent = sent.unwrap_or(&Value::Null);
        if refused.is_of_another_server()
            && let Some(name) = self.other_server().await
        {
            return anyhow!(
                "{name} listens at {}, not the Marathon API: --api or CYGNET_API says where that is",
                self.authority
            );
        }
        let document = if refused.is_about_fields() { self.answer("/v2/openapi.json").await } else { Value::Null };
        let meant = if refused.is_missing() { self.meant(path).await } else { None };
        anyhow!(refused.explain(&Asked { path, sent, document: &document, meant: meant.as_deref() }))
    }

    /// The answer, or null where there is none.
    async fn answer(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).await.ok().and_then(Result::ok).map_or(Value::Null, |answer| answer.body)
    }

    /// The server that listens there in place of a scheduler, by the paths that only it has.
    async fn other_server(&self) -> Option<&'static str> {
        for (path, name) in [("/master/health", "a Mesos master"), ("/slave(1)/health", "a Mesos agent")] {
            if matches!(self.ask(Method::GET, path, None).await, Ok(Ok(_))) {
                return Some(name);
            }
        }
        None
    }

    /// The app or pod that was probably meant by one that is not there.
    async fn meant(&self, path: &str) -> Option<String> {
        let (list, id) = match path.strip_prefix("/v2/apps/") {
            Some(id) => (self.answer("/v2/apps").await["apps"].take(), id),
            None => (self.answer("/v2/pods").await, path.strip_prefix("/v2/pods/")?),
        };
        let id = format!("/{}", id.split(['?', ':']).next()?);
        let known = list.as_array()?.iter().filter_map(|one| one["id"].as_str());
        nearest(&id, known).map(str::to_owned)
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
        let (head, body) = self.open(method, path, &[(header::ACCEPT, "application/json")], body).await?.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow!("the answer of {} broke off: {error}", self.authority))?;
        Ok((head, body.to_bytes()))
    }

    /// Sends a request, and waits only so long for the beginning of the answer.
    async fn begin(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
    ) -> anyhow::Result<Response<Incoming>> {
        tokio::time::timeout(PATIENCE, self.open(method, path, headers, None))
            .await
            .with_context(|| format!("{} did not answer within {PATIENCE:?}", self.authority))?
    }

    /// Sends a request on a connection of its own; the body of the answer is the caller's to read.
    async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<Response<Incoming>> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| {
            anyhow!(
                "nobody answers at {}: {error}\n  `cygnet dev` starts a scheduler; --api or CYGNET_API says where one is",
                self.authority
            )
        })?;
        self.over(stream, method, path, headers, body).await
    }

    /// The same over this connection.
    async fn over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<Response<Incoming>> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        let request = request.body(Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()))?;
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A server that accepts every connection, and never says anything.
    pub(crate) async fn silent() -> Api {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server: Server = listener.local_addr().unwrap().to_string().parse().unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                held.push(connection);
            }
        });
        Api::new(&server)
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_accepts_and_says_nothing_is_waited_for_half_a_minute() {
        let api = silent().await;
        let begun = tokio::time::Instant::now();
        let error = api.get("/v2/apps").await.unwrap_err().to_string();
        assert_eq!((error, begun.elapsed().as_secs()), (format!("{} did not answer within 30s", api.authority), 30));
    }

    #[test]
    fn ids_are_written_as_people_like() {
        for id in ["shop/web", "/shop/web", "/shop/web/"] {
            assert_eq!(path("apps", id), "/v2/apps/shop/web");
        }
        assert_eq!(path("apps", "a b?c"), "/v2/apps/a%20b%3Fc");
    }
}
