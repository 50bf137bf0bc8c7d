//! `POST /api/v1/scheduler`: refusals in exactly the order Mesos has them.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use mesos::server::{self, Principal, Refusal};
use mesos::v1::scheduler::Call;
use mesos::v1::scheduler::call::{self, Content};

use super::{Shared, new_stream_id, sent_stream_id};
use crate::core::CallRefusal;
use crate::ids::FrameworkId;
use crate::request;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body(body).await?;
    let (_, call): (_, Call) = server::decode_call(&parts.headers, &body)?;
    let framework = call.framework_id.clone();
    let content = mesos::validate::scheduler_call(call)?;
    let principal = parts.extensions.get::<Principal>().map(|principal| principal.0.clone());
    match content {
        Content::Subscribe(call) => {
            mesos::validate::scheduler_principal(&call, principal.as_deref())?;
            subscribe(shared, &parts.headers, principal, call).await
        }
        call => {
            if call == Content::ReconcileOperations {
                server::accept(&parts.headers)?;
            }
            let framework = framework.ok_or(CallRefusal::UnknownFramework)?;
            pass_on(shared, &parts.headers, (framework, principal), call).await
        }
    }
}

/// A framework that names no principal is known by the one that was authenticated.
async fn subscribe(
    shared: Shared,
    headers: &HeaderMap,
    principal: Option<String>,
    mut call: call::Subscribe,
) -> Result<Response, Refusal> {
    let codec = server::accept(headers)?;
    if sent_stream_id(headers).is_some() {
        return Err(Refusal::bad_request("Subscribe calls should not include the 'Mesos-Stream-Id' header"));
    }
    let stream = new_stream_id();
    let (sender, response) = server::event_stream(codec, Some(stream.to_string()), shared.options.event_queue);
    call.framework_info.principal = call.framework_info.principal.or(principal);
    let call = Box::new(call);
    shared.actor.send(request::Request::Subscribe { stream, sender, call }).await?;
    Ok(response)
}

async fn pass_on(
    shared: Shared,
    headers: &HeaderMap,
    (framework, principal): (FrameworkId, Option<String>),
    call: Content,
) -> Result<Response, Refusal> {
    let (stream, kind) = (sent_stream_id(headers), call.kind());
    let call = Box::new(call);
    let request = |answer| request::Request::Call { stream, framework, principal, call, answer };
    shared.actor.ask(request).await??;
    match kind {
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
