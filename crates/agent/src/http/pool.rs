//! `POST /cygnet/v1/pool`: pools of executors and their agent, in the manner of the executor API.

use axum::extract::{Request, State};
use axum::response::Response;
use mesos::server::{self, Refusal};
use mesos::v1::cygnet::PoolCall;
use mesos::v1::cygnet::pool_call::Content;
use mesos::{MissingPart, Union};

use super::Shared;
use crate::handle;

/// Events that may wait for a pool that does not read: one for each executor it is to host, and some.
const QUEUED_EVENTS: usize = 1 << 17;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body(body).await?;
    let (_, call): (_, PoolCall) = server::decode_call(&parts.headers, &body)?;
    let framework = call.framework_id.clone().ok_or(MissingPart("framework_id"))?;
    let (pool, tells_late) = (call.pool_id().to_owned(), call.tells_late());
    match call.content()? {
        Content::Subscribe => {
            let codec = server::accept(&parts.headers)?;
            let (sender, response) = server::event_stream(codec, None, QUEUED_EVENTS);
            shared.actor.send(handle::Request::SubscribePool { sender, framework, pool, tells_late }).await?;
            Ok(response)
        }
        Content::Exited(exited) => {
            let exited = Box::new(exited);
            shared.actor.ask(|answer| handle::Request::PoolExited { framework, exited, answer }).await?;
            Ok(server::accepted())
        }
        Content::Measured(measured) => {
            shared.actor.send(handle::Request::Measured(Box::new(measured))).await?;
            Ok(server::accepted())
        }
        Content::Late(late) => {
            shared.actor.send(handle::Request::ToldLate(framework, Box::new(late))).await?;
            Ok(server::accepted())
        }
        Content::Unknown => Err(MissingPart("type").into()),
    }
}
