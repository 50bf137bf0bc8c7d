//! `POST /api/v1`: the operator API.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mesos::Codec;
use mesos::build::version_info;
use mesos::server::{self, LoggingLevel, Refusal};
use mesos::v1::master::{Call, call, response};
use mesos::v1::{self, master};

use super::{Shared, administration, answer, files, metrics, new_stream_id};
use crate::core::OperatorRefusal;
use crate::request;
use crate::view::operator::{self as view, Look};

/// Records that may wait in the connection itself; the rest wait in the stream's queue.
const IN_FLIGHT: usize = 16;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body(body).await?;
    let (_, call): (_, Call) = server::decode_call(&parts.headers, &body)?;
    mesos::validate::master_call(&call).map_err(|invalid| Refusal::bad_request(invalid.message()))?;
    let codec = server::accept(&parts.headers)?;
    let kind = call.r#type();
    if let Some(look) = Look::of(kind) {
        return look_up(shared, codec, look).await;
    }
    match kind {
        call::Type::Subscribe => subscribe(shared, codec).await,
        call::Type::SetLoggingLevel => set_logging_level(&shared, call.set_logging_level.unwrap_or_default()),
        call::Type::ListFiles => list_files(&shared, codec, call.list_files.unwrap_or_default().path).await,
        call::Type::ReadFile => read_file(&shared, codec, call.read_file.unwrap_or_default()).await,
        _ => match own(&shared, kind).await? {
            Some(response) => Ok(server::reply(codec, &response)),
            None => operate(&shared, codec, call).await,
        },
    }
}

async fn subscribe(shared: Shared, codec: Codec) -> Result<Response, Refusal> {
    let (sender, response) = server::event_stream(codec, None, IN_FLIGHT);
    let (stream, queue) = (new_stream_id(), shared.event_queue);
    shared.actor.send(request::Request::SubscribeOperator { stream, sender, queue }).await?;
    Ok(response)
}

async fn look_up(shared: Shared, codec: Codec, look: Look) -> Result<Response, Refusal> {
    let depth = look.depth();
    let snapshot = shared.actor.view(move |books, _| books.snapshot(depth)).await?;
    answer::coded(codec, move || view::answer(look, snapshot, codec)).await
}

/// What the process answers itself.
async fn own(shared: &Shared, kind: call::Type) -> Result<Option<master::Response>, Refusal> {
    use response::Type;
    let of = |kind: Type| master::Response { r#type: Some(kind.into()), ..master::Response::default() };
    Ok(Some(match kind {
        call::Type::GetHealth => {
            master::Response { get_health: Some(response::GetHealth { healthy: true }), ..of(Type::GetHealth) }
        }
        call::Type::GetVersion => {
            let get_version = Some(response::GetVersion { version_info: version_info() });
            master::Response { get_version, ..of(Type::GetVersion) }
        }
        call::Type::GetLoggingLevel => {
            let level = shared.logging.as_ref().map_or(0, LoggingLevel::get);
            let get_logging_level = Some(response::GetLoggingLevel { level });
            master::Response { get_logging_level, ..of(Type::GetLoggingLevel) }
        }
        call::Type::GetMetrics => {
            let metric = |(name, value)| v1::Metric { name, value: Some(value) };
            let metrics = metrics::measure(shared).await?.into_iter().map(metric).collect();
            master::Response { get_metrics: Some(response::GetMetrics { metrics }), ..of(Type::GetMetrics) }
        }
        _ => return Ok(None),
    }))
}

/// The one path there is leads to a file, which has nothing to list.
async fn list_files(shared: &Shared, codec: Codec, path: String) -> Result<Response, Refusal> {
    files::listed(shared, path).await?;
    let (kind, list_files) = (Some(response::Type::ListFiles.into()), Some(response::ListFiles::default()));
    Ok(server::reply(codec, &master::Response { r#type: kind, list_files, ..master::Response::default() }))
}

async fn read_file(shared: &Shared, codec: Codec, asked: call::ReadFile) -> Result<Response, Refusal> {
    let piece = files::piece(shared, asked.path, Some(asked.offset), asked.length).await?;
    let read_file = Some(response::ReadFile { size: piece.size, data: piece.data });
    let kind = Some(response::Type::ReadFile.into());
    Ok(server::reply(codec, &master::Response { r#type: kind, read_file, ..master::Response::default() }))
}

async fn operate(shared: &Shared, codec: Codec, call: Call) -> Result<Response, Refusal> {
    match administration::operate(shared, call).await? {
        Some(response) => Ok(server::reply(codec, &response)),
        None => Ok(StatusCode::OK.into_response()),
    }
}

fn set_logging_level(shared: &Shared, set: call::SetLoggingLevel) -> Result<Response, Refusal> {
    let nanoseconds =
        u64::try_from(set.duration.nanoseconds).map_err(|_| Refusal::bad_request("'duration' must be non-negative"))?;
    server::set_logging(shared.logging.as_ref(), set.level, Duration::from_nanos(nanoseconds))
}

impl From<OperatorRefusal> for Refusal {
    fn from(refusal: OperatorRefusal) -> Self {
        let status = match refusal {
            OperatorRefusal::NoSuchAgent(_) => StatusCode::NOT_FOUND,
            OperatorRefusal::NoSuchFramework | OperatorRefusal::Standing(_) | OperatorRefusal::Weights(_) => {
                StatusCode::BAD_REQUEST
            }
            OperatorRefusal::NotSupported { .. } | OperatorRefusal::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
        };
        Refusal::new(status, refusal.to_string())
    }
}
