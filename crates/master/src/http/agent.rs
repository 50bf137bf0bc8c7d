//! `POST /cygnet/v1/agent`: how our agents talk to the master, in the manner of the scheduler API.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mesos::server::{self, Refusal};
use mesos::v1::cygnet::AgentCall;
use mesos::v1::cygnet::agent_call::{self, Content};
use mesos::{MissingPart, Union};

use super::{Shared, new_stream_id, sent_stream_id};
use crate::core::AgentRefusal;
use crate::ids::AgentId;
use crate::request;

/// An agent coming back names every task it has, with all statuses.
const MAX_REPORT_BYTES: usize = 256 << 20;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body_up_to(body, MAX_REPORT_BYTES).await?;
    let (_, call): (_, AgentCall) = server::decode_call(&parts.headers, &body)?;
    let agent = call.agent_id.clone();
    match call.content().map_err(|MissingPart(part)| AgentRefusal::Missing(part))? {
        Content::Subscribe(call) => subscribe(shared, &parts.headers, agent, call).await,
        call => pass_on(shared, &parts.headers, agent, call).await,
    }
}

async fn subscribe(
    shared: Shared,
    headers: &HeaderMap,
    agent: Option<AgentId>,
    mut call: agent_call::Subscribe,
) -> Result<Response, Refusal> {
    let codec = server::accept(headers)?;
    call.agent_info.id = call.agent_info.id.or(agent);
    let stream = new_stream_id();
    let (sender, response) = server::event_stream(codec, Some(stream.to_string()), shared.options.event_queue);
    let call = Box::new(call);
    shared.actor.send(request::Request::SubscribeAgent { stream, sender, call }).await?;
    Ok(response)
}

async fn pass_on(
    shared: Shared,
    headers: &HeaderMap,
    agent: Option<AgentId>,
    call: Content,
) -> Result<Response, Refusal> {
    let agent = agent.ok_or(AgentRefusal::Missing("agent_id"))?;
    let stream = sent_stream_id(headers);
    let call = Box::new(call);
    shared.actor.ask(|answer| request::Request::AgentCall { agent, stream, call, answer }).await??;
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
