//! The errors of a call, saying who is at fault and naming the peer.

use std::{io, time::Duration};

use bytes::Bytes;
use http::StatusCode;

use super::Reply;
use crate::{recordio::RecordError, wire::DecodeError};

/// Why a call or a stream failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Our own mistake: no HTTP request can be made of this.
    #[error("no request can be made of this: {0}")]
    Request(#[source] http::Error),
    /// Nobody listens there.
    #[error("cannot connect to {peer}: {source}")]
    Connect {
        /// The peer that was called.
        peer: String,
        /// The system's words.
        source: io::Error,
    },
    /// Nobody answered in time.
    #[error("cannot connect to {peer} within {after:?}")]
    ConnectTimeout {
        /// The peer that was called.
        peer: String,
        /// The time we waited.
        after: Duration,
    },
    /// The connection broke.
    #[error("the connection to {peer} broke: {source}")]
    Connection {
        /// The peer at the other end.
        peer: String,
        /// The words of HTTP.
        source: hyper::Error,
    },
    /// The connection stands, but the reply did not come in time.
    #[error("{peer} did not reply within {after:?}")]
    ReplyTimeout {
        /// The peer that owes a reply.
        peer: String,
        /// The time we waited.
        after: Duration,
    },
    /// The reply is larger than we read.
    #[error("{peer} replied with more than {limit} bytes")]
    ReplyTooLarge {
        /// The peer that replied.
        peer: String,
        /// The most that we read.
        limit: usize,
    },
    /// 503: try again later.
    #[error("{peer} is not available yet: {}", String::from_utf8_lossy(body))]
    Unavailable {
        /// The peer that answered.
        peer: String,
        /// The words of its answer.
        body: Bytes,
    },
    /// The peer answered with a status that is not a success.
    #[error("{peer} refused: {status}: {}", String::from_utf8_lossy(body))]
    Refused {
        /// The peer that refused.
        peer: String,
        /// The status.
        status: StatusCode,
        /// Why.
        body: Bytes,
    },
    /// Masters send us in circles.
    #[error("{peer} led to more than {limit} redirects")]
    Redirects {
        /// The peer that was called first.
        peer: String,
        /// The number that we follow.
        limit: usize,
    },
    /// A redirect that leads nowhere.
    #[error("{peer} redirects to '{location}', which is no address")]
    Location {
        /// The peer that redirected.
        peer: String,
        /// The target.
        location: String,
    },
    /// The peer's stream is not RecordIO.
    #[error("the stream from {peer} is broken: {source}")]
    Stream {
        /// The peer that sent it.
        peer: String,
        /// The fault.
        source: RecordError,
    },
    /// The stream ended within a record.
    #[error("the stream from {peer} ended within a record")]
    Truncated {
        /// The peer that sent it.
        peer: String,
    },
    /// The peer sent something that is not the message it should be.
    #[error("{peer} sent a message we cannot read: {source}")]
    Message {
        /// The peer that sent it.
        peer: String,
        /// The fault.
        source: DecodeError,
    },
    /// The stream stands, but nothing came in time.
    #[error("nothing came from {peer} within {after:?}")]
    Silent {
        /// The peer that should have sent something.
        peer: String,
        /// The time we waited.
        after: Duration,
    },
}

impl ClientError {
    pub(super) fn refused(peer: &str, reply: Reply) -> ClientError {
        let (peer, Reply { status, body }) = (peer.to_owned(), reply);
        match status {
            StatusCode::SERVICE_UNAVAILABLE => ClientError::Unavailable { peer, body },
            status => ClientError::Refused { peer, status, body },
        }
    }
}
