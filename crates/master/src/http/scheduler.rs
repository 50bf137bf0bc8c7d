//! `POST /api/v1/scheduler`: refusals in exactly the order Mesos has them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use mesos::server::{self, Refusal};
use mesos::v1::scheduler::{Call, call};

use super::{Shared, body, new_stream_id, sent_stream_id};
use crate::actor;
use crate::core::CallRefusal;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = body::read(body).await?;
    let (_, call): (_, Call) = server::decode_call(&parts.headers, &body)?;
    mesos::validate::scheduler_call(&call).map_err(|invalid| Refusal::bad_request(invalid.message()))?;
    match call.r#type() {
        call::Type::Subscribe => subscribe(shared, &parts.headers, call).await,
        call::Type::ReconcileOperations => {
            server::accept(&parts.headers)?;
            pass_on(shared, &parts.headers, call).await
        }
        _ => pass_on(shared, &parts.headers, call).await,
    }
}

async fn subscribe(shared: Shared, headers: &HeaderMap, call: Call) -> Result<Response, Refusal> {
    let codec = server::accept(headers)?;
    if sent_stream_id(headers).is_some() {
        return Err(Refusal::bad_request("Subscribe calls should not include the 'Mesos-Stream-Id' header"));
    }
    let stream = new_stream_id();
    let (sender, response) = server::event_stream(codec, Some(stream.to_string()), shared.event_queue);
    let call = Box::new(call.subscribe.unwrap_or_default());
    shared.actor.send(actor::Request::Subscribe { stream, sender, call }).await?;
    Ok(response)
}

async fn pass_on(shared: Shared, headers: &HeaderMap, call: Call) -> Result<Response, Refusal> {
    let stream = sent_stream_id(headers);
    let call = Box::new(call);
    match shared.actor.ask(|answer| actor::Request::Call { stream, call, answer }).await?? {
        call::Type::UpdateFramework => Ok(StatusCode::OK.into_response()),
        _ => Ok(server::accepted()),
    }
}

impl From<CallRefusal> for Refusal {
    fn from(refusal: CallRefusal) -> Self {
        let status = match refusal {
            CallRefusal::NotSubscribed => StatusCode::FORBIDDEN,
            CallRefusal::NotSupported(..) | CallRefusal::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
            CallRefusal::UnknownFramework
            | CallRefusal::NoStreamId
            | CallRefusal::OtherStreamId { .. }
            | CallRefusal::InvalidUpdate(_) => StatusCode::BAD_REQUEST,
        };
        Refusal::new(status, refusal.to_string())
    }
}
