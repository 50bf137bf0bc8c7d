//! `POST /api/v1/executor`: executors and their agent, in the order of checks that Mesos has.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use mesos::server::{self, Refusal};
use mesos::v1::executor::{Call, call};
use mesos::validate;

use super::Shared;
use crate::core::CallRefusal;
use crate::handle;

/// Events that may wait for an executor that does not read.
const QUEUED_EVENTS: usize = 4096;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = server::read_body(body).await?;
    let (_, call): (_, Call) = server::decode_call(&parts.headers, &body)?;
    validate::executor_call(&call).map_err(|invalid| Refusal::bad_request(invalid.to_string()))?;
    match call.r#type() {
        call::Type::Subscribe => {
            let codec = server::accept(&parts.headers)?;
            let (sender, response) = server::event_stream(codec, None, QUEUED_EVENTS);
            let call = Box::new(call);
            let asked = shared.actor.ask(|answer| handle::Request::SubscribeExecutor { sender, call, answer }).await;
            asked??;
            Ok(response)
        }
        // Its ids are made up: nobody is looked for.
        call::Type::Heartbeat => Ok(server::accepted()),
        _ => {
            let call = Box::new(call);
            let asked = shared.actor.ask(|answer| handle::Request::ExecutorCall { call, answer }).await;
            asked??;
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
