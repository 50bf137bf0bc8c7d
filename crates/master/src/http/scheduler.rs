//! `POST /api/v1/scheduler`: refusals in exactly the order Mesos has them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use mesos::server::{self, Principal, Refusal};
use mesos::v1::scheduler::{Call, call};
use mesos::validate::Invalid;

use super::{Shared, new_stream_id, sent_stream_id};
use crate::core::CallRefusal;
use crate::request;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body(body).await?;
    let (_, call): (_, Call) = server::decode_call(&parts.headers, &body)?;
    let invalid = |invalid: Invalid| Refusal::bad_request(invalid.message());
    mesos::validate::scheduler_call(&call).map_err(invalid)?;
    let principal = parts.extensions.get::<Principal>().map(|principal| principal.0.clone());
    match call.r#type() {
        call::Type::Subscribe => {
            mesos::validate::scheduler_principal(&call, principal.as_deref()).map_err(invalid)?;
            subscribe(shared, &parts.headers, principal, call).await
        }
        call::Type::ReconcileOperations => {
            server::accept(&parts.headers)?;
            pass_on(shared, &parts.headers, principal, call).await
        }
        _ => pass_on(shared, &parts.headers, principal, call).await,
    }
}

/// Who names no principal is known by the one that was authenticated.
async fn subscribe(
    shared: Shared,
    headers: &HeaderMap,
    principal: Option<String>,
    call: Call,
) -> Result<Response, Refusal> {
    let codec = server::accept(headers)?;
    if sent_stream_id(headers).is_some() {
        return Err(Refusal::bad_request("Subscribe calls should not include the 'Mesos-Stream-Id' header"));
    }
    let stream = new_stream_id();
    let (sender, response) = server::event_stream(codec, Some(stream.to_string()), shared.event_queue);
    let mut call = Box::new(call.subscribe.unwrap_or_default());
    call.framework_info.principal = call.framework_info.principal.or(principal);
    shared.actor.send(request::Request::Subscribe { stream, sender, call }).await?;
    Ok(response)
}

async fn pass_on(
    shared: Shared,
    headers: &HeaderMap,
    principal: Option<String>,
    call: Call,
) -> Result<Response, Refusal> {
    let stream = sent_stream_id(headers);
    let call = Box::new(call);
    match shared.actor.ask(|answer| request::Request::Call { stream, principal, call, answer }).await?? {
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
            | CallRefusal::OtherPrincipal { .. }
            | CallRefusal::OtherStreamId { .. }
            | CallRefusal::InvalidUpdate(_) => StatusCode::BAD_REQUEST,
        };
        Refusal::new(status, refusal.to_string())
    }
}
