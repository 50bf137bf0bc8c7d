//! The receiving half of a subscription. In: the body of the answer to SUBSCRIBE. Out: events, one after the other.

use std::{fmt, marker::PhantomData, time::Duration};

use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{ClientError, connection::Connection};
use crate::{
    codec::Codec,
    recordio::Decoder,
    server::MESOS_STREAM_ID,
    union::Union,
    wire::{DecodeError, MissingPart},
};

/// A stream of events. Dropping it closes its connection.
pub struct EventStream<E> {
    connection: Connection,
    body: Incoming,
    records: Decoder,
    codec: Codec,
    stream_id: Option<String>,
    _events: PhantomData<fn() -> E>,
}

impl<E: Union> EventStream<E> {
    pub(super) fn new(connection: Connection, response: Response<Incoming>, asked: Codec) -> Self {
        let header = |name| response.headers().get(name)?.to_str().ok();
        let stream_id = header(MESOS_STREAM_ID).map(str::to_owned);
        let codec = header(http::header::CONTENT_TYPE).and_then(Codec::of_media_type).unwrap_or(asked);
        let body = response.into_body();
        Self { connection, body, records: Decoder::default(), codec, stream_id, _events: PhantomData }
    }

    /// The id that every other call of this subscription has to carry.
    pub fn stream_id(&self) -> Option<&str> {
        self.stream_id.as_deref()
    }

    /// The peer that sends the events: the leading master, after redirects.
    pub fn peer(&self) -> &str {
        self.connection.peer()
    }

    /// The next event, or nothing when the peer ended the stream. An event without the part that its type needs is
    /// logged and passed over: it would come again with every subscription. May be dropped and called again without loss.
    pub async fn next(&mut self) -> Result<Option<E::Content>, ClientError> {
        loop {
            let record = self.records.next().map_err(|source| ClientError::Stream { peer: self.name(), source })?;
            if let Some(record) = record {
                let event: Result<E, _> = self.codec.decode(&record);
                match event.map_err(|source| ClientError::Message { peer: self.name(), source })?.content() {
                    Ok(content) => return Ok(Some(content)),
                    Err(missing) => self.pass_over(missing),
                }
                continue;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.records.push(frame.data_ref().map_or(&[], AsRef::as_ref)),
                Some(Err(source)) => return Err(ClientError::Connection { peer: self.name(), source }),
                None if self.records.is_between_records() => return Ok(None),
                None => return Err(ClientError::Truncated { peer: self.name() }),
            }
        }
    }

    /// The next event, if it comes in time; a stream with heartbeats that is silent for long has lost its peer.
    pub async fn next_within(&mut self, limit: Duration) -> Result<Option<E::Content>, ClientError> {
        match timeout(limit, self.next()).await {
            Ok(event) => event,
            Err(_) => Err(ClientError::Silent { peer: self.name(), after: limit }),
        }
    }

    fn pass_over(&self, missing: MissingPart) {
        let error = DecodeError::Part { message: E::NAME, missing };
        tracing::warn!(peer = self.peer(), %error, "an event is passed over");
    }

    fn name(&self) -> String {
        self.connection.peer().to_owned()
    }
}

impl<E> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("peer", &self.connection.peer()).finish_non_exhaustive()
    }
}
