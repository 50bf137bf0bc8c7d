//! `POST /api/v1`: the operator API.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mesos::Codec;
use mesos::server::{self, Refusal};
use mesos::v1::master::{Call, call};

use super::{Shared, body, new_stream_id};
use crate::actor;
use crate::core::OperatorRefusal;

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = body::read(body).await?;
    let (_, call): (_, Call) = server::decode_call(&parts.headers, &body)?;
    mesos::validate::master_call(&call).map_err(|invalid| Refusal::bad_request(invalid.message()))?;
    let codec = server::accept(&parts.headers)?;
    match call.r#type() {
        call::Type::Subscribe => subscribe(shared, codec).await,
        _ => operate(shared, codec, call).await,
    }
}

async fn subscribe(shared: Shared, codec: Codec) -> Result<Response, Refusal> {
    let (sender, response) = server::event_stream(codec, None, shared.event_queue);
    shared.actor.send(actor::Request::SubscribeOperator { stream: new_stream_id(), sender }).await?;
    Ok(response)
}

async fn operate(shared: Shared, codec: Codec, call: Call) -> Result<Response, Refusal> {
    let call = Box::new(call);
    match shared.actor.ask(|answer| actor::Request::Operate { call, answer }).await?? {
        Some(response) => Ok(server::reply(codec, &response)),
        None => Ok(StatusCode::OK.into_response()),
    }
}

impl From<OperatorRefusal> for Refusal {
    fn from(refusal: OperatorRefusal) -> Self {
        let status = match refusal {
            OperatorRefusal::NoSuchFramework(_) => StatusCode::BAD_REQUEST,
            OperatorRefusal::NoSuchAgent(_) => StatusCode::NOT_FOUND,
            OperatorRefusal::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
        };
        Refusal::new(status, refusal.to_string())
    }
}
