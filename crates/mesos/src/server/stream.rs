//! Event streams: the answer to SUBSCRIBE that goes on as long as both sides live.
//!
//! In: events, through an [`EventSender`]. Out: a response whose body sends each event as one record in one HTTP chunk.
//! One bounded channel per stream joins the two; no task of its own. A reader that does not keep up finds the channel
//! full, and the owner decides what becomes of it. When every sender is gone the body ends; when the peer is gone the
//! channel closes.

use std::{
    convert::Infallible,
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;

use super::MESOS_STREAM_ID;
use crate::{codec::Codec, recordio, wire::Wire};

/// Bytes that may wait for a slow reader, however few records they are. One record alone may be larger.
const MAX_WAITING_BYTES: usize = 128 << 20;

/// The sending half of an event stream.
pub struct EventSender<E> {
    codec: Codec,
    records: mpsc::Sender<Bytes>,
    waiting_bytes: Arc<AtomicUsize>,
    _events: PhantomData<fn(&E)>,
}

/// Why an event was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer does not read as fast as events happen.
    #[error("the subscriber does not keep up")]
    Full,
    /// The peer went away.
    #[error("the subscriber is gone")]
    Closed,
}

/// An event stream: where to put events, and the response that carries them. `capacity` is how many events may wait for
/// a slow reader.
pub fn event_stream<E: Wire>(codec: Codec, stream_id: Option<String>, capacity: usize) -> (EventSender<E>, Response) {
    let (records, waiting) = mpsc::channel(capacity.max(1));
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let mut response = Response::new(Body::new(Records { waiting, waiting_bytes: waiting_bytes.clone() }));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(codec.media_type()));
    if let Some(id) = stream_id.and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(MESOS_STREAM_ID, id);
    }
    (EventSender { codec, records, waiting_bytes, _events: PhantomData }, response)
}

impl<E: Wire> EventSender<E> {
    /// Queues an event without waiting.
    pub fn try_send(&self, event: &E) -> Result<(), SendError> {
        self.try_send_record(self.record(event))
    }

    /// Queues an event, and waits until there is room for it.
    pub async fn send(&self, event: &E) -> Result<(), SendError> {
        self.send_record(self.record(event)).await
    }

    /// The event as this stream's record, for sending it to several streams of the same codec.
    pub fn record(&self, event: &E) -> Bytes {
        recordio::frame(&self.codec.encode(event))
    }
}

impl<E> EventSender<E> {
    /// The codec of this stream.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Queues a record that [`EventSender::record`] made.
    pub fn try_send_record(&self, record: Bytes) -> Result<(), SendError> {
        let length = record.len();
        let before = self.waiting_bytes.fetch_add(length, Ordering::Relaxed);
        let sent = if before > 0 && before.saturating_add(length) > MAX_WAITING_BYTES {
            Err(SendError::Full)
        } else {
            self.records.try_send(record).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => SendError::Full,
                mpsc::error::TrySendError::Closed(_) => SendError::Closed,
            })
        };
        if sent.is_err() {
            self.waiting_bytes.fetch_sub(length, Ordering::Relaxed);
        }
        sent
    }

    /// Queues a record, and waits until there is room for it.
    pub async fn send_record(&self, record: Bytes) -> Result<(), SendError> {
        let room = self.records.reserve().await.map_err(|_| SendError::Closed)?;
        self.waiting_bytes.fetch_add(record.len(), Ordering::Relaxed);
        room.send(record);
        Ok(())
    }

    /// Waits until the peer is gone.
    pub async fn closed(&self) {
        self.records.closed().await;
    }

    /// True if the peer is gone.
    pub fn is_closed(&self) -> bool {
        self.records.is_closed()
    }
}

impl<E> Clone for EventSender<E> {
    fn clone(&self) -> Self {
        Self {
            codec: self.codec,
            records: self.records.clone(),
            waiting_bytes: self.waiting_bytes.clone(),
            _events: PhantomData,
        }
    }
}

impl<E> fmt::Debug for EventSender<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSender").field("codec", &self.codec).finish_non_exhaustive()
    }
}

/// The body: one frame, and so one chunk, for each record.
struct Records {
    waiting: mpsc::Receiver<Bytes>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl http_body::Body for Records {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.waiting.poll_recv(context).map(|record| {
            let record = record?;
            self.waiting_bytes.fetch_sub(record.len(), Ordering::Relaxed);
            Some(Ok(Frame::data(record)))
        })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::v1::scheduler::Event;

    #[tokio::test]
    async fn a_reader_is_given_up_for_bytes_as_well_as_for_records() {
        let (sender, response) = event_stream::<Event>(Codec::Protobuf, None, 1 << 20);
        let half = Bytes::from(vec![0; MAX_WAITING_BYTES / 2 + 1]);
        assert_eq!(
            sender.try_send_record(Bytes::from(vec![0; MAX_WAITING_BYTES + 1])),
            Ok(()),
            "alone, any record is fine"
        );
        assert_eq!(sender.try_send_record(Bytes::from_static(b"1")), Err(SendError::Full));
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        assert_eq!(sender.try_send_record(half.clone()), Ok(()));
        assert_eq!(sender.try_send_record(half), Err(SendError::Full));
        body.frame().await.unwrap().unwrap();
        assert_eq!(sender.send_record(Bytes::from_static(b"1")).await, Ok(()));
        drop(body);
        assert_eq!(sender.try_send_record(Bytes::from_static(b"1")), Err(SendError::Closed));
        assert_eq!(sender.send_record(Bytes::from_static(b"1")).await, Err(SendError::Closed));
    }

    #[tokio::test]
    async fn events_that_were_waited_for_count_like_others() {
        let (sender, response) = event_stream(Codec::Protobuf, None, 2);
        let mut body = response.into_body();
        sender.send(&Event::heartbeat()).await.unwrap();
        body.frame().await.unwrap().unwrap();
        assert_eq!(sender.try_send(&Event::heartbeat()), Ok(()), "a reader that keeps up is kept");
        drop(body);
        assert_eq!(sender.send(&Event::heartbeat()).await, Err(SendError::Closed));
    }
}
