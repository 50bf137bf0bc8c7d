//! Connections: taken in, bounded in number, and closed if they do not get to the point.
//!
//! Owns: one task for each connection, all of which end with [`serve`].

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Connections at a time. More wait in the listener's queue.
const MAX_CONNECTIONS: usize = 16_384;

/// How long a request's head may take, and how long a connection may idle before one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(300);

/// Before trying again when the system has nothing left to give, such as descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Serves until told to stop. Handlers find the peer's address as [`ConnectInfo`] among a request's extensions.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, router.clone()));
                }
                Err(error) => rest(&error).await,
            },
        }
    }
}

async fn rest(error: &io::Error) {
    tracing::warn!(%error, "cannot accept connections");
    tokio::time::sleep(ACCEPT_BACKOFF).await;
}

/// One connection until either side ends it. What goes wrong on it is the peer's to notice.
async fn connection(stream: TcpStream, peer: SocketAddr, router: Router) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        let router = router.clone();
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            Ok::<_, Infallible>(router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {}))
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}
