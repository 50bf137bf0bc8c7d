//! One request to a daemon, on a connection of its own. Owns the task that drives the connection, which ends with the
//! [`Answer`].

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::error::DockerError;

/// The bound on the head of an answer, and on what is read at once.
const MOST_BUFFERED: usize = 64 * 1024;
/// The bound on a document.
const MOST: usize = 16 * 1024 * 1024;
/// The bound on what is read, and on what is told, of an error.
const MOST_SAID: usize = 64 * 1024;
const MOST_TOLD: usize = 2048;

/// A request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query, encoded.
    pub(super) target: String,
    pub(super) body: Option<Value>,
    /// `X-Registry-Auth`
    pub(super) login: Option<String>,
    /// The time until the answer begins, and between two pieces of it.
    pub(super) patience: Duration,
}

/// An answer, whose body is still to come.
#[derive(Debug)]
pub(super) struct Answer {
    response: Response<Incoming>,
    socket: PathBuf,
    patience: Duration,
    _driver: AbortOnDropHandle<()>,
}

impl Call {
    pub(super) fn new(method: Method, target: impl Into<String>, patience: Duration) -> Call {
        Call { method, target: target.into(), body: None, login: None, patience }
    }

    /// Sends it, and waits for the head of the answer.
    pub(super) async fn send(self, socket: &Path) -> Result<Answer, DockerError> {
        let patience = self.patience;
        let sending = timeout(patience, self.exchange(socket));
        sending.await.unwrap_or_else(|_| Err(DockerError::Silent { socket: socket.to_owned(), after: patience }))
    }

    async fn exchange(self, socket: &Path) -> Result<Answer, DockerError> {
        let unreachable = |source| DockerError::Unreachable { socket: socket.to_owned(), source };
        let broken = |error: hyper::Error| unreachable(io::Error::other(error));
        let patience = self.patience;
        let request = self.request().map_err(|error| unreachable(io::Error::other(error)))?;
        let stream = UnixStream::connect(socket).await.map_err(unreachable)?;
        let shaken = http1::Builder::new().max_buf_size(MOST_BUFFERED).handshake(TokioIo::new(stream));
        let (mut sender, connection) = shaken.await.map_err(broken)?;
        // How it ends shows in whatever is using it.
        let driver = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
        let response = sender.send_request(request).await.map_err(broken)?;
        Ok(Answer { response, socket: socket.to_owned(), patience, _driver: driver })
    }

    fn request(self) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder().method(self.method).uri(self.target).header(HOST, "docker");
        if let Some(login) = self.login {
            request = request.header("X-Registry-Auth", HeaderValue::from_maybe_shared(login)?);
        }
        match self.body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Full::from(body.to_string())),
            None => request.body(Full::default()),
        }
    }
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The same answer without a bound on silence.
    pub(super) fn patient(self) -> Answer {
        Answer { patience: Duration::MAX, ..self }
    }

    /// The next piece of the body; none at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, DockerError> {
        loop {
            let frame = timeout(self.patience, self.response.body_mut().frame()).await;
            let frame = frame.map_err(|_| DockerError::Silent { socket: self.socket.clone(), after: self.patience })?;
            let broken =
                |error| DockerError::Unreachable { socket: self.socket.clone(), source: io::Error::other(error) };
            match frame.transpose().map_err(broken)?.map(|frame| frame.into_data()) {
                None => return Ok(None),
                Some(Ok(data)) if !data.is_empty() => return Ok(Some(data)),
                Some(_) => {}
            }
        }
    }

    /// The answer, if it says yes.
    pub(super) async fn accepted(self) -> Result<Answer, DockerError> {
        // Started already, stopped already: as it should be.
        let fine = self.status().is_success() || self.status() == StatusCode::NOT_MODIFIED;
        if fine { Ok(self) } else { Err(self.refused().await) }
    }

    /// The whole body as a document.
    pub(super) async fn document<T: DeserializeOwned>(self) -> Result<T, DockerError> {
        let socket = self.socket.clone();
        let body = self.body(MOST).await?;
        serde_json::from_slice(&body).map_err(|error| DockerError::Nonsense { socket, problem: error.to_string() })
    }

    async fn body(mut self, most: usize) -> Result<Vec<u8>, DockerError> {
        let patience = self.patience;
        let socket = self.socket.clone();
        let reading = async {
            let mut body = Vec::new();
            while let Some(piece) = self.piece().await? {
                if body.len() + piece.len() > most {
                    let problem = format!("it is longer than {most} bytes");
                    return Err(DockerError::Nonsense { socket: self.socket.clone(), problem });
                }
                body.extend_from_slice(&piece);
            }
            Ok(body)
        };
        timeout(patience, reading).await.unwrap_or(Err(DockerError::Silent { socket, after: patience }))
    }

    /// The daemon's words for its refusal.
    pub(super) async fn refused(self) -> DockerError {
        let (socket, status) = (self.socket.clone(), self.status());
        let body = self.body(MOST_SAID).await.unwrap_or_default();
        let said = serde_json::from_slice::<Value>(&body).ok();
        let said = said.as_ref().and_then(|said| said["message"].as_str()).map(str::to_owned);
        let said = said.unwrap_or_else(|| String::from_utf8_lossy(&body).trim().to_owned());
        let said = if said.is_empty() { status.to_string() } else { shortened(said) };
        DockerError::Refused { socket, status: status.as_u16(), said }
    }
}

pub(super) fn shortened(mut text: String) -> String {
    let end = text.floor_char_boundary(MOST_TOLD);
    text.truncate(end);
    text
}

/// A value in a query or a path.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
