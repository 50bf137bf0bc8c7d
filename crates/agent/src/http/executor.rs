//! `POST /api/v1/executor`: executors and their agent, in the order of checks that Mesos has.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use mesos::server::{self, Refusal};
use mesos::v1::executor::Call;
use mesos::v1::executor::call::Content;
use mesos::validate;

use super::Shared;
use crate::core::CallRefusal;
use crate::handle;
use crate::ids::ExecutorKey;

/// Events that may wait for an executor that does not read.
const QUEUED_EVENTS: usize = 4096;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body(body).await?;
    let (_, call): (_, Call) = server::decode_call(&parts.headers, &body)?;
    let executor = ExecutorKey { framework: call.framework_id.clone(), executor: call.executor_id.clone() };
    match validate::executor_call(call)? {
        Content::Subscribe(call) => {
            let codec = server::accept(&parts.headers)?;
            let (sender, response) = server::event_stream(codec, None, QUEUED_EVENTS);
            let call = Box::new(call);
            let request = |answer| handle::Request::SubscribeExecutor { sender, executor, call, answer };
            shared.actor.ask(request).await??;
            Ok(response)
        }
        // Its ids are made up: nobody is looked for.
        Content::Heartbeat => Ok(server::accepted()),
        call => {
            let call = Box::new(call);
            shared.actor.ask(|answer| handle::Request::ExecutorCall { executor, call, answer }).await??;
            Ok(server::accepted())
        }
    }
}

impl From<CallRefusal> for Refusal {
    fn from(refused: CallRefusal) -> Refusal {
        let status = match refused {
            CallRefusal::Recovering => StatusCode::SERVICE_UNAVAILABLE,
            CallRefusal::UnknownFramework | CallRefusal::UnknownExecutor => StatusCode::BAD_REQUEST,
            CallRefusal::NotSubscribed => StatusCode::FORBIDDEN,
            CallRefusal::UnknownType => StatusCode::NOT_IMPLEMENTED,
        };
        Refusal::new(status, refused.to_string())
    }
}
