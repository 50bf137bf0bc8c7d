//! The server half of the APIs: which codec a request speaks, answers and refusals in Mesos' words, event streams, and
//! Mesos' way of finding the handler of a path. In: headers and bodies. Out: calls, and responses for axum. [`serve`] owns
//! the connections all of it comes over.

mod access;
mod body;
mod connections;
mod endpoints;
mod exposition;
pub mod files;
mod front;
mod jsonp;
mod libprocess;
mod log_file;
mod logging;
mod machine;
mod negotiate;
mod paths;
mod refusal;
mod stream;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};

pub use self::{
    access::{Principal, Realms, guarded},
    body::{read_body, read_body_up_to},
    connections::{ConnectionCounts, serve},
    endpoints::{health, metrics, system_stats, version},
    exposition::{CHECK_ATTEMPTS, CHECK_DURATIONS, Exposition, Family, FamilyType, Form, Label},
    front::{Front, is_sent_by_pages},
    jsonp::{json, jsonp},
    log_file::LogFile,
    logging::{LoggingLevel, set_logging, toggle_logging},
    machine::{machine_metrics, machine_stats},
    negotiate::{accept, by_liking, decode_call, last, welcomes},
    paths::{OriginalPath, mesos_paths},
    refusal::{Refusal, only_get, only_post},
    stream::{EventSender, SendError, event_stream},
};
use crate::{codec::Codec, wire::Wire};

/// A body limit that holds every call a framework may reasonably make; for the caller's body-limit layer.
pub const MAX_CALL_BYTES: usize = 8 * 1024 * 1024;

/// The header that names a subscription: on its answer, and on every later call.
pub const MESOS_STREAM_ID: HeaderName = HeaderName::from_static("mesos-stream-id");

/// 200 with one message.
pub fn reply<M: Wire>(codec: Codec, message: &M) -> Response {
    let mut response = Response::new(Body::from(codec.encode(message)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(codec.media_type()));
    response
}

/// 202 without a body: the call is taken, what comes of it arrives as events.
pub fn accepted() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
