//! `POST /api/v1`: the operator API.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mesos::Codec;
use mesos::build::version_info;
use mesos::server::{self, LoggingLevel, Refusal};
use mesos::v1::master::call::{self, Content};
use mesos::v1::master::{Call, response};
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
    let call = mesos::validate::master_call(call)?;
    let codec = server::accept(&parts.headers)?;
    if let Some(look) = view::look(call.kind()) {
        return look_up(shared, codec, look).await;
    }
    match call {
        Content::Subscribe => return subscribe(shared, codec).await,
        Content::SetLoggingLevel(set) => return set_logging_level(&shared, set),
        // The one path there is leads to a file, which has nothing to list.
        Content::ListFiles(asked) => files::listed(&shared, asked.path)
            .await
            .map(|()| Some(master::Response::list_files(response::ListFiles::default()))),
        Content::ReadFile(asked) => read_file(&shared, asked).await.map(Some),
        Content::GetHealth => Ok(Some(master::Response::get_health(response::GetHealth { healthy: true }))),
        Content::GetVersion => {
            Ok(Some(master::Response::get_version(response::GetVersion { version_info: version_info() })))
        }
        Content::GetLoggingLevel => {
            let level = shared.options.logging.as_ref().map_or(0, LoggingLevel::get);
            Ok(Some(master::Response::get_logging_level(response::GetLoggingLevel { level })))
        }
        Content::GetMetrics(_) => get_metrics(&shared).await.map(Some),
        call => administration::operate(&shared, call).await,
    }
    .map(|answer| answer.map_or_else(|| StatusCode::OK.into_response(), |answer| server::reply(codec, &answer)))
}

async fn subscribe(shared: Shared, codec: Codec) -> Result<Response, Refusal> {
    let (sender, response) = server::event_stream(codec, None, IN_FLIGHT);
    let (stream, queue) = (new_stream_id(), shared.options.event_queue);
    shared.actor.send(request::Request::SubscribeOperator { stream, sender, queue }).await?;
    Ok(response)
}

async fn look_up(shared: Shared, codec: Codec, look: Look) -> Result<Response, Refusal> {
    let snapshot = shared.actor.view(move |books, _| books.core.snapshot(look.depth)).await?;
    answer::pieces(codec.media_type(), move || view::answer(look, snapshot, codec)).await
}

async fn get_metrics(shared: &Shared) -> Result<master::Response, Refusal> {
    let metric = |(name, value)| v1::Metric { name, value: Some(value) };
    let metrics = metrics::measure(shared).await?.into_iter().map(metric).collect();
    Ok(master::Response::get_metrics(response::GetMetrics { metrics }))
}

async fn read_file(shared: &Shared, asked: call::ReadFile) -> Result<master::Response, Refusal> {
    let piece = files::piece(shared, asked.path, Some(asked.offset), asked.length).await?;
    Ok(master::Response::read_file(response::ReadFile { size: piece.size, data: piece.data }))
}

fn set_logging_level(shared: &Shared, set: call::SetLoggingLevel) -> Result<Response, Refusal> {
    let duration = set.duration.to_duration().ok_or_else(|| Refusal::bad_request("'duration' must be non-negative"))?;
    server::set_logging(shared.options.logging.as_ref(), set.level, duration)
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
