//! One HTTP/1.1 connection. In: an address, then requests one after the other. Out: responses.
//! Owns the task that drives the connection; dropping the connection ends it.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use super::ClientError;

pub(super) struct Connection {
    peer: String,
    requests: http1::SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Connection {
    pub(super) async fn open(peer: &str, within: Duration) -> Result<Connection, ClientError> {
        let late = |_| ClientError::ConnectTimeout { peer: peer.to_owned(), after: within };
        let failed = |source| ClientError::Connect { peer: peer.to_owned(), source };
        let stream = timeout(within, TcpStream::connect(peer)).await.map_err(late)?.map_err(failed)?;
        // Calls are small and waited for.
        stream.set_nodelay(true).map_err(failed)?;
        let broken = |source| ClientError::Connection { peer: peer.to_owned(), source };
        let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // How it ends shows in whatever is using it.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Connection { peer: peer.to_owned(), requests, driver })
    }

    pub(super) fn peer(&self) -> &str {
        &self.peer
    }

    /// True if this is a living connection to that server.
    pub(super) fn serves(&self, authority: &str) -> bool {
        self.peer == authority && !self.requests.is_closed()
    }

    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
        let broken = |source| ClientError::Connection { peer: self.peer.clone(), source };
        self.requests.ready().await.map_err(broken)?;
        self.requests.send_request(request).await.map_err(broken)
    }

    /// The whole body of a response.
    pub(super) async fn whole(&mut self, response: Response<Incoming>, limit: usize) -> Result<Bytes, ClientError> {
        match Limited::new(response.into_body(), limit).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(ClientError::ReplyTooLarge { peer: self.peer.clone(), limit })
            }
            Err(_) => Err(ClientError::Truncated { peer: self.peer.clone() }),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
