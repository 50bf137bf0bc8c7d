//! `POST /cygnet/v1/agent`: how our agents talk to the master, in the manner of the scheduler API.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mesos::server::{self, Refusal};
use mesos::v1::cygnet::{AgentCall, agent_call};

use super::{Shared, new_stream_id, sent_stream_id};
use crate::core::AgentRefusal;
use crate::request;

/// An agent coming back names every task it has, with all statuses.
const MAX_REPORT_BYTES: usize = 256 << 20;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body_up_to(body, MAX_REPORT_BYTES).await?;
    let (_, call): (_, AgentCall) = server::decode_call(&parts.headers, &body)?;
    match call.r#type() {
        agent_call::Type::Subscribe => subscribe(shared, &parts.headers, call).await,
        _ => pass_on(shared, &parts.headers, call).await,
    }
}

async fn subscribe(shared: Shared, headers: &HeaderMap, call: AgentCall) -> Result<Response, Refusal> {
    let codec = server::accept(headers)?;
    let mut subscribe = call.subscribe.ok_or(AgentRefusal::Missing("subscribe"))?;
    if subscribe.agent_info.id.is_none() {
        subscribe.agent_info.id = call.agent_id;
    }
    let stream = new_stream_id();
    let (sender, response) = server::event_stream(codec, Some(stream.to_string()), shared.event_queue);
    let call = Box::new(subscribe);
    shared.actor.send(request::Request::SubscribeAgent { stream, sender, call }).await?;
    Ok(response)
}

async fn pass_on(shared: Shared, headers: &HeaderMap, call: AgentCall) -> Result<Response, Refusal> {
    let stream = sent_stream_id(headers);
    let call = Box::new(call);
    shared.actor.ask(|answer| request::Request::AgentCall { stream, call, answer }).await??;
    Ok(server::accepted())
}

impl From<AgentRefusal> for Refusal {
    fn from(refusal: AgentRefusal) -> Self {
        let status = match refusal {
            AgentRefusal::UnknownAgent(_) | AgentRefusal::OtherStream(_) => StatusCode::FORBIDDEN,
            AgentRefusal::Missing(_) => StatusCode::BAD_REQUEST,
        };
        Refusal::new(status, refusal.to_string())
    }
}
