//! `POST /cygnet/v1/pool`: pools of executors and their agent, in the manner of the executor API.

use axum::extract::{Request, State};
use axum::response::Response;
use mesos::server::{self, Refusal};
use mesos::v1::cygnet::{PoolCall, pool_call};

use super::Shared;
use crate::handle;

/// Events that may wait for a pool that does not read: one for each executor it is to host, and some.
const QUEUED_EVENTS: usize = 1 << 17;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body(body).await?;
    let (_, call): (_, PoolCall) = server::decode_call(&parts.headers, &body)?;
    if call.framework_id.is_none() {
        return Err(missing("framework_id"));
    }
    let call = Box::new(call);
    match call.r#type() {
        pool_call::Type::Subscribe => {
            let codec = server::accept(&parts.headers)?;
            let (sender, response) = server::event_stream(codec, None, QUEUED_EVENTS);
            let sent = shared.actor.send(handle::Request::SubscribePool { sender, call }).await;
            sent?;
            Ok(response)
        }
        pool_call::Type::Exited if call.exited.is_none() => Err(missing("exited")),
        pool_call::Type::Exited => {
            let asked = shared.actor.ask(|answer| handle::Request::PoolCall { call, answer }).await;
            asked?;
            Ok(server::accepted())
        }
        pool_call::Type::Unknown => Err(missing("type")),
    }
}

fn missing(field: &str) -> Refusal {
    Refusal::bad_request(format!("Expecting '{field}' to be present"))
}
