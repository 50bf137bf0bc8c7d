//! Endpoints operators change the master with, or would in Mesos: weights; quota, maintenance, reservations
//! and volumes, none of which exist here: they are empty to look at and refused by name.

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use mesos::server::{self, Refusal};
use mesos::v1::WeightInfo;
use mesos::v1::master;
use mesos::v1::master::call::{self, Content};
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use super::answer::{Reply, Texts};
use crate::request;

/// Paths that only change what is not there.
pub(super) const REFUSED: [(&str, &str); 6] = [
    ("/reserve", "dynamic reservations"),
    ("/unreserve", "dynamic reservations"),
    ("/create-volumes", "persistent volumes"),
    ("/destroy-volumes", "persistent volumes"),
    ("/machine/up", "maintenance windows"),
    ("/machine/down", "maintenance windows"),
];

/// Paths that show what is not there.
pub(super) const EMPTY: [(&str, &str); 3] = [
    ("/quota", "quota"),
    ("/maintenance/schedule", "maintenance windows"),
    ("/maintenance/status", "maintenance windows"),
];

#[derive(Debug, Deserialize)]
struct Weight {
    role: Option<String>,
    weight: f64,
}

pub(super) async fn empty(Query(parameters): Query<Texts>) -> Reply {
    server::json(&parameters, &json!({}))
}

pub(super) async fn refuse(uri: Uri) -> Refusal {
    let known = REFUSED.iter().chain(&EMPTY).find(|(path, _)| *path == uri.path());
    let what = known.map_or("such thing", |(_, what)| what);
    Refusal::new(StatusCode::NOT_IMPLEMENTED, format!("{} is not supported: this master knows no {what}", uri.path()))
}

pub(super) async fn weights(State(shared): State<Shared>, Query(parameters): Query<Texts>) -> Reply {
    let response = operate(&shared, Content::GetWeights).await?;
    let weights = response.and_then(|response| response.get_weights).unwrap_or_default().weight_infos;
    server::json(&parameters, &weights.iter().map(mesos::json::to_value).collect::<Vec<_>>())
}

pub(super) async fn update_weights(State(shared): State<Shared>, request: Request) -> Reply {
    let body = server::read_body(request.into_body()).await?;
    let weights: Vec<Weight> = serde_json::from_slice(&body)
        .map_err(|error| Refusal::bad_request(format!("Failed to parse update weights request JSON: {error}")))?;
    let info = |weight: Weight| WeightInfo { weight: weight.weight, role: weight.role };
    let update = call::UpdateWeights { weight_infos: weights.into_iter().map(info).collect() };
    operate(&shared, Content::UpdateWeights(update)).await?;
    Ok(StatusCode::OK.into_response())
}

/// Carries a call of the operator API out.
pub(super) async fn operate(shared: &Shared, call: Content) -> Result<Option<master::Response>, Refusal> {
    let call = Box::new(call);
    Ok(shared.actor.ask(|answer| request::Request::Operate { call, answer }).await??)
}
