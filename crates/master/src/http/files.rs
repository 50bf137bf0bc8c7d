//! `/files/...`, LIST_FILES and READ_FILE: the master attaches one file, its log, if it has one. All other paths are
//! refused in the words and the order in which Mesos refuses a path that is not attached.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use mesos::server::files::{FileError, Opened, Piece, blocking, number, path};
use mesos::server::{self, Refusal};
use serde_json::{Value, json};

use super::Shared;
use super::answer::{Reply, Texts};

/// The name of the log.
const LOG: &str = "/master/log";

/// A file has nothing in it that could be listed.
pub(super) async fn browse(State(shared): State<Shared>, Query(parameters): Query<Texts>) -> Reply {
    listed(&shared, path(&parameters)?).await?;
    server::json(&parameters, &json!([]))
}

pub(super) async fn read(State(shared): State<Shared>, Query(parameters): Query<Texts>) -> Reply {
    let path = path(&parameters)?;
    let (offset, length) = (number(&parameters, "offset")?, number(&parameters, "length")?);
    server::json(&parameters, &piece(&shared, path, offset, length).await?.to_json())
}

pub(super) async fn download(State(shared): State<Shared>, Query(parameters): Query<Texts>) -> Reply {
    let path = path(&parameters)?;
    with_file(&shared, path, |opened| Ok(opened.download())).await
}

/// The files that are attached, by name.
pub(super) async fn debug(State(shared): State<Shared>, Query(parameters): Query<Texts>) -> Reply {
    let attached: BTreeMap<&str, Value> = shared.options.log.iter().map(|log| (LOG, json!(log.path()))).collect();
    server::json(&parameters, &attached)
}

/// That the path leads somewhere; what can be read is a file, and has nothing below it.
pub(super) async fn listed(shared: &Shared, path: String) -> Result<(), Refusal> {
    with_file(shared, path, |_| Ok(())).await
}

pub(super) async fn piece(
    shared: &Shared,
    path: String,
    offset: Option<u64>,
    length: Option<u64>,
) -> Result<Piece, Refusal> {
    with_file(shared, path, move |opened| opened.piece(offset, length)).await
}

async fn with_file<T: Send + 'static>(
    shared: &Shared,
    path: String,
    work: impl FnOnce(Opened) -> Result<T, FileError> + Send + 'static,
) -> Result<T, Refusal> {
    let log = shared.options.log.clone();
    let open = move || log.map_or(Err(FileError::NotFound), |log| log.open(LOG, &path));
    blocking(move || open().and_then(work)).await
}
