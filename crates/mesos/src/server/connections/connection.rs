//! One connection: requests read, given to the router, answered, until either side ends it. In: a stream. Out: its
//! stages, over a channel to the listener's task.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedSender;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::ConnectionCounts;
use super::admission::{Id, Stage};
use crate::server::Front;

/// The time a connection may idle before a request, and the time the head of one may take. While there is room: see
/// [`super::admission`].
const HEAD: Duration = Duration::from_secs(300);

/// The time for which a peer may take none of what is written to it.
const STALLED: Duration = Duration::from_secs(60);

/// The stages of one connection, told to the task that decides about it. At most four for each request.
#[derive(Clone, Debug)]
pub(super) struct Stages {
    pub(super) id: Id,
    pub(super) told: UnboundedSender<(Id, Stage)>,
}

impl Stages {
    fn tell(&self, stage: Stage) {
        let _nobody_decides_any_more = self.told.send((self.id, stage));
    }
}

/// The things behind a listener: the rules for browsers, then the routes.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) front: Front,
    pub(super) router: Router,
}

/// Serves until either side ends it. Errors are the peer's to notice.
pub(super) async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    door: Door,
    counts: ConnectionCounts,
    stages: Stages,
) {
    let over_loopback = stream.local_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback());
    let _peer_has_left = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALLED));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(counts.clone());
        answer(request, door.clone(), over_loopback, stages.clone())
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}

async fn answer(
    request: Request<Incoming>,
    door: Door,
    over_loopback: bool,
    stages: Stages,
) -> Result<Response<Told<Body>>, Infallible> {
    stages.tell(if request.body().is_end_stream() { Stage::Answering } else { Stage::Receiving });
    let received = stages.clone();
    let request = request.map(|body| Body::new(Told { body, stages: received, then: Some(Stage::Answering) }));
    let response = match door.front.refusal(&request, over_loopback) {
        Some(refusal) => refusal,
        None => door.router.oneshot(request).await.unwrap_or_else(|never| match never {}),
    };
    Ok(response.map(|body| Told { body, stages, then: Some(Stage::Idle) }))
}

/// A body whose end is a stage.
struct Told<B> {
    body: B,
    stages: Stages,
    then: Option<Stage>,
}

impl<B> Told<B> {
    fn end(&mut self) {
        if let Some(stage) = self.then.take() {
            self.stages.tell(stage);
        }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Told<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.end();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that is dropped unread has ended as well.
impl<B> Drop for Told<B> {
    fn drop(&mut self) {
        self.end();
    }
}
