//! One request over HTTP/2, without sockets: bytes in, bytes out, and in the end a reply. Pure.
//!
//! The protocol itself is the crate `h2`, which is asynchronous. It gets one end of a pipe in memory, and is polled
//! whenever bytes have come for it or it has woken itself; nothing of it outlives the attempt.
//!
//! Frames are counted before it sees them (`frames`): it takes as many as come, and an answer needs few.

mod frames;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use h2::client;
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

use crate::outcome::Failure;
use frames::{Frames, Unfit};

/// The capacity of the pipe in each direction; more waits with its sender.
const PIPE: usize = 64 * 1024;

/// The limit of the header fields of one reply, and the window of its flow control.
const HEADERS: u32 = 64 * 1024;
const WINDOW: u32 = 1024 * 1024;

/// The result of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
}

/// The part of a body to take in, and the part of that to keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    pub(crate) longest: u64,
    pub(crate) kept: usize,
}

/// The rule of HTTP/2, or the bound of ours, that was broken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Violation {
    #[error("HTTP/2: {0}")]
    Protocol(h2::Error),
    #[error("HTTP/2: {0}")]
    Unfit(#[from] Unfit),
    #[error("the body is longer than {0} bytes")]
    BodyTooLong(u64),
    #[error("the connection was closed without an answer")]
    End,
}

impl From<h2::Error> for Violation {
    /// The pipe does not fail: it ends when the peer ends the connection.
    fn from(error: h2::Error) -> Violation {
        if error.is_io() { Violation::End } else { Violation::Protocol(error) }
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Failure {
        let cause = violation.to_string();
        match violation {
            Violation::End => Failure::Closed { cause },
            // GOAWAY, or a reset of our stream.
            Violation::Protocol(error) if error.is_remote() => Failure::Closed { cause },
            _ => Failure::Protocol { cause },
        }
    }
}

type Asking = Pin<Box<dyn Future<Output = Result<Reply, Violation>> + Send>>;

/// A request on its way.
pub(crate) struct Session {
    asking: Asking,
    pipe: DuplexStream,
    woken: Arc<Woken>,
    /// The bytes that the pipe had no room for.
    backlog: Vec<u8>,
    frames: Frames,
    ended: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(request: Request<()>, body: Bytes, limits: BodyLimits) -> Session {
        let (pipe, theirs) = duplex(PIPE);
        let asking = Box::pin(ask(theirs, request, body, limits));
        let (woken, backlog) = (Arc::new(Woken(AtomicBool::new(true))), Vec::new());
        Session { asking, pipe, woken, backlog, frames: Frames::default(), ended: false }
    }

    /// Goes on as far as it can with the bytes that have come, and puts the bytes to send into `out`.
    pub(crate) fn advance(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Poll<Result<Reply, Violation>> {
        if let Err(unfit) = self.frames.count(bytes) {
            return Poll::Ready(Err(unfit.into()));
        }
        self.backlog.extend_from_slice(bytes);
        loop {
            let taken = self.put();
            let reply = self.poll();
            let took = self.take(out);
            if reply.is_ready() {
                return reply;
            }
            let moves = taken > 0 || took || self.woken.0.load(Ordering::Relaxed);
            if !moves {
                return if self.ended { Poll::Ready(Err(Violation::End)) } else { Poll::Pending };
            }
        }
    }

    /// The peer sends nothing more.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) -> Poll<Result<Reply, Violation>> {
        if !self.backlog.is_empty() {
            let reply = self.advance(&[], out);
            if reply.is_ready() {
                return reply;
            }
        }
        self.ended = true;
        let _shut = Pin::new(&mut self.pipe).poll_shutdown(&mut Context::from_waker(Waker::noop()));
        self.woken.0.store(true, Ordering::Relaxed);
        self.advance(&[], out)
    }

    fn poll(&mut self) -> Poll<Result<Reply, Violation>> {
        self.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.asking.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn put(&mut self) -> usize {
        if self.backlog.is_empty() {
            return 0;
        }
        let mut context = Context::from_waker(Waker::noop());
        let taken = match Pin::new(&mut self.pipe).poll_write(&mut context, &self.backlog) {
            Poll::Ready(Ok(taken)) => taken,
            // The reader at the other end is done.
            Poll::Ready(Err(_)) => self.backlog.len(),
            Poll::Pending => 0,
        };
        self.backlog.drain(..taken);
        taken
    }

    fn take(&mut self, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let mut space = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut space);
            let read = Pin::new(&mut self.pipe).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
            if !matches!(read, Poll::Ready(Ok(()))) || buffer.filled().is_empty() {
                return out.len() > before;
            }
            out.extend_from_slice(buffer.filled());
        }
    }
}

/// A waker that tells if something inside wants to be polled again.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Ends with the reply, or with the connection, if that has brought none.
async fn ask(pipe: DuplexStream, request: Request<()>, body: Bytes, limits: BodyLimits) -> Result<Reply, Violation> {
    let mut builder = client::Builder::new();
    builder.enable_push(false).max_header_list_size(HEADERS).initial_window_size(WINDOW);
    let (sender, connection) = builder.initial_connection_window_size(WINDOW).handshake(pipe).await?;
    let mut exchange = pin!(exchange(sender, request, body, limits));
    let ended = tokio::select! {
        biased;
        reply = &mut exchange => return reply,
        ended = connection => ended,
    };
    // A server that says farewell (GOAWAY) has answered what it took on: what has come of it counts.
    exchange.await.map_err(|violation| ended.map_or_else(Violation::from, |()| violation))
}

async fn exchange(
    sender: client::SendRequest<Bytes>,
    request: Request<()>,
    body: Bytes,
    limits: BodyLimits,
) -> Result<Reply, Violation> {
    let mut sender = sender.ready().await?;
    let (response, mut upload) = sender.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        upload.send_data(body, true)?;
    }
    download(response.await?, limits).await
}

async fn download(response: Response<h2::RecvStream>, limits: BodyLimits) -> Result<Reply, Violation> {
    let (head, mut stream) = response.into_parts();
    let mut reply = Reply { status: head.status.as_u16(), headers: head.headers, ..Reply::default() };
    let mut length = 0_u64;
    while let Some(chunk) = stream.data().await {
        let chunk = chunk?;
        stream.flow_control().release_capacity(chunk.len())?;
        length = length.saturating_add(chunk.len() as u64);
        if length > limits.longest {
            return Err(Violation::BodyTooLong(limits.longest));
        }
        let room = limits.kept.saturating_sub(reply.body.len());
        reply.body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
    }
    reply.trailers = stream.trailers().await?.unwrap_or_default();
    Ok(reply)
}

/// Any bytes as what a server sends.
#[cfg(any(feature = "fuzzing", test))]
pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(request) = Request::get("http://127.0.0.1:80/health").body(()) else { return };
    let mut session = Session::new(request, Bytes::new(), BodyLimits { longest: 4096, kept: 64 });
    let mut out = Vec::new();
    if session.advance(&[], &mut out).is_ready() {
        return;
    }
    for piece in bytes.chunks(usize::from(bytes.first().copied().unwrap_or_default()) + 1) {
        if session.advance(piece, &mut out).is_ready() {
            return;
        }
    }
    assert!(session.end(&mut out).is_ready(), "a connection that has ended has no more to say");
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BodyLimits = BodyLimits { longest: 1024, kept: 16 };

    fn session() -> Session {
        let request = Request::get("http://127.0.0.1:80/health").body(()).unwrap();
        Session::new(request, Bytes::new(), LIMITS)
    }

    /// Frame by frame: length, type, flags, stream, payload.
    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    /// SETTINGS; HEADERS `:status 200` (index 8 of the static table); DATA.
    fn answer(body: &[u8]) -> Vec<u8> {
        [frame(4, 0, 0, &[]), frame(1, 4, 1, &[0x88]), frame(0, 1, 1, body)].concat()
    }

    #[test]
    fn speaks_first_and_understands_the_answer_byte_by_byte() {
        let (mut session, mut out) = (session(), Vec::new());
        assert!(session.advance(&[], &mut out).is_pending());
        assert!(out.starts_with(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        let bytes = answer(b"fine, thank you very much");
        let (last, rest) = bytes.split_last().unwrap();
        for byte in rest {
            assert!(session.advance(std::slice::from_ref(byte), &mut out).is_pending());
        }
        let Poll::Ready(Ok(reply)) = session.advance(&[*last], &mut out) else { panic!("no reply") };
        assert_eq!((reply.status, reply.body.as_slice()), (200, b"fine, thank you ".as_slice()));
    }

    /// GOAWAY: up to which stream the server answers, and why it goes.
    fn goaway(last: u8, code: u8) -> Vec<u8> {
        frame(7, 0, 0, &[0, 0, 0, last, 0, 0, 0, code])
    }

    fn said(pieces: &[Vec<u8>]) -> Result<u16, String> {
        let (mut session, mut out) = (session(), Vec::new());
        assert!(session.advance(&[], &mut out).is_pending());
        for piece in pieces {
            if let Poll::Ready(reply) = session.advance(piece, &mut out) {
                return reply.map(|reply| reply.status).map_err(|violation| violation.to_string());
            }
        }
        match session.end(&mut out) {
            Poll::Ready(reply) => reply.map(|reply| reply.status).map_err(|violation| violation.to_string()),
            Poll::Pending => Err("waits".to_owned()),
        }
    }

    #[test]
    fn a_server_that_says_farewell_has_answered() {
        let [settings, head, data] = [frame(4, 0, 0, &[]), frame(1, 4, 1, &[0x88]), frame(0, 1, 1, b"fine")];
        for code in [0, 11] {
            let bye = goaway(1, code);
            let orders =
                [[&settings, &bye, &head, &data], [&settings, &head, &bye, &data], [&settings, &head, &data, &bye]];
            for order in orders {
                let pieces: Vec<_> = order.into_iter().cloned().collect();
                assert_eq!(said(&pieces), Ok(200), "in pieces, {code}: {pieces:?}");
                assert_eq!(said(&[pieces.concat()]), Ok(200), "at once, {code}: {pieces:?}");
            }
        }
        let refused = [settings, goaway(0, 0), head, data];
        assert!(said(&refused).is_err(), "it has not taken on our stream");
    }

    #[test]
    fn what_breaks_the_rules_is_said() {
        let said = |bytes: &[u8], ends: bool| {
            let (mut session, mut out) = (session(), Vec::new());
            assert!(session.advance(&[], &mut out).is_pending());
            match session.advance(bytes, &mut out) {
                Poll::Ready(reply) => reply.unwrap_err().to_string(),
                Poll::Pending if ends => match session.end(&mut out) {
                    Poll::Ready(reply) => reply.unwrap_err().to_string(),
                    Poll::Pending => panic!("it waits for ever"),
                },
                Poll::Pending => "waits".to_owned(),
            }
        };
        assert_eq!(said(b"HTTP/1.1 400 Bad Request\r\n\r\n", false), "HTTP/2: the peer speaks HTTP/1");
        assert_eq!(said(&answer(&[b'x'; 1025]), false), "the body is longer than 1024 bytes");
        assert_eq!(said(&frame(4, 0, 0, &[]), false), "waits");
        assert!(!said(&frame(4, 0, 0, &[]), true).is_empty());
        assert!(!said(b"", true).is_empty());
    }
}
