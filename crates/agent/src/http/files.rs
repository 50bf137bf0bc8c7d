//! `/files/browse`, `/files/read` and `/files/download`: sandboxes, from outside.

use axum::extract::{Query, State};
use mesos::server::files::{Entry, Piece, blocking, number, path};
use mesos::server::{Refusal, json};

use super::Shared;
use super::legacy::{LegacyAnswer, Parameters};
use crate::handle::look;
use crate::view::legacy::attached_paths;

pub(super) async fn browse(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> LegacyAnswer {
    let entries = listed(&shared, path(&parameters)?).await?;
    json(&parameters, &entries.iter().map(Entry::to_json).collect::<Vec<_>>())
}

pub(super) async fn read(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> LegacyAnswer {
    let path = path(&parameters)?;
    let (offset, length) = (number(&parameters, "offset")?, number(&parameters, "length")?);
    let piece = piece(&shared, path, offset, length).await?;
    json(&parameters, &piece.to_json())
}

pub(super) async fn download(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> LegacyAnswer {
    let (path, files) = (path(&parameters)?, shared.files.clone());
    let agent = agent_id(&shared).await?;
    let opened = blocking(move || files.open_file(agent.as_deref(), &path)).await?;
    Ok(opened.download())
}

/// The paths that are attached: the names people use, and the places on disk.
pub(super) async fn debug(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> LegacyAnswer {
    let mut attached = attached_paths(&look(&shared.actor).await?);
    attached.extend(shared.files.attached());
    json(&parameters, &attached)
}

pub(super) async fn listed(shared: &Shared, path: String) -> Result<Vec<Entry>, Refusal> {
    let files = shared.files.clone();
    let agent = agent_id(shared).await?;
    blocking(move || files.browse(agent.as_deref(), &path)).await
}

pub(super) async fn piece(
    shared: &Shared,
    path: String,
    offset: Option<u64>,
    length: Option<u64>,
) -> Result<Piece, Refusal> {
    let files = shared.files.clone();
    let agent = agent_id(shared).await?;
    blocking(move || files.open_file(agent.as_deref(), &path)?.piece(offset, length)).await
}

async fn agent_id(shared: &Shared) -> Result<Option<String>, Refusal> {
    Ok(look(&shared.actor).await?.link.id().map(|id| id.value.clone()))
}
