//! One POST after the other to one server, over one connection as long as that lives.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

use crate::callback::{Callback, is_allowed};

/// The longest that one event may take, as in Marathon.
const PATIENCE: Duration = Duration::from_secs(10);

/// So much of an answer is read, and thrown away.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why a subscriber did not get an event. Its fault, or that of the network.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    #[error("no address that events may be posted to")]
    NoAddress,
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("it did not answer within {PATIENCE:?}")]
    Late,
    #[error("not a request: {0}")]
    Request(#[from] axum::http::Error),
}

pub(super) struct Poster {
    callback: Callback,
    kept: Option<Connection>,
}

struct Connection {
    requests: SendRequest<Full<Bytes>>,
    _driver: AbortOnDropHandle<()>,
}

impl Poster {
    pub(super) fn new(callback: Callback) -> Poster {
        Poster { callback, kept: None }
    }

    pub(super) fn callback(&self) -> &Callback {
        &self.callback
    }

    /// Posts one event, and waits until it was taken.
    pub(super) async fn post(&mut self, event: Bytes) -> Result<(), PostError> {
        tokio::time::timeout(PATIENCE, self.try_post(event)).await.map_err(|_| PostError::Late)?
    }

    /// A connection that was kept may have been closed meanwhile, which is worth another one.
    async fn try_post(&mut self, event: Bytes) -> Result<(), PostError> {
        if let Some(kept) = self.kept.take().filter(|kept| !kept.requests.is_closed()) {
            match self.over(kept, event.clone()).await {
                Err(PostError::Broken(_)) => {}
                done => return done,
            }
        }
        let fresh = self.connect().await?;
        self.over(fresh, event).await
    }

    async fn connect(&self) -> Result<Connection, PostError> {
        let host = (self.callback.host.as_str(), self.callback.port);
        let found = tokio::net::lookup_host(host).await?.filter(|address| is_allowed(address.ip()));
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(PostError::NoAddress);
        }
        let stream = TcpStream::connect(found.as_slice()).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Connection { requests, _driver: AbortOnDropHandle::new(driver) })
    }

    async fn over(&mut self, mut connection: Connection, event: Bytes) -> Result<(), PostError> {
        let request = Request::post(&self.callback.path)
            .header(header::HOST, &self.callback.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "*/*")
            .body(Full::new(event))?;
        connection.requests.ready().await?;
        let response = connection.requests.send_request(request).await?;
        let status = response.status();
        // Who says more than that is not asked again over this connection.
        if Limited::new(response.into_body(), LONGEST_ANSWER).collect().await.is_ok() {
            self.kept = Some(connection);
        }
        if status.is_success() { Ok(()) } else { Err(PostError::Status(status)) }
    }
}
