//! `/files/browse`, `/files/read` and `/files/download`: sandboxes, from outside.

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream::unfold;
use mesos::server::Refusal;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::task::spawn_blocking;

use super::Shared;
use super::legacy::{Answer, Parameters, answer};
use crate::files::{Entry, FileError, Opened, Piece, mode_text};

/// A download is sent in pieces of this size.
const CHUNK_BYTES: usize = 64 * 1024;

pub(super) async fn browse(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> Answer {
    let entries = listed(&shared, path(&parameters)?).await?;
    Ok(answer(&parameters, &entries.iter().map(described).collect::<Vec<_>>()))
}

fn described(entry: &Entry) -> Value {
    json!({
        "path": entry.path,
        "nlink": entry.nlink,
        "size": entry.size,
        "mtime": entry.mtime_secs as f64,
        "mode": mode_text(entry.mode),
        "uid": entry.user,
        "gid": entry.group,
    })
}

pub(super) async fn read(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> Answer {
    let path = path(&parameters)?;
    let (offset, length) = (number(&parameters, "offset")?, number(&parameters, "length")?);
    let piece = piece(&shared, path, offset, length).await?;
    let (text, offset) = (piece.text(), piece.offset);
    Ok(answer(&parameters, &json!({ "offset": offset, "data": text })))
}

pub(super) async fn download(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> Answer {
    let (path, files) = (path(&parameters)?, shared.files.clone());
    let agent = agent_id(&shared).await?;
    let Opened { file, size, name } = blocking(move || files.open_file(agent.as_deref(), &path)).await?;
    let mut response = Response::new(contents(tokio::fs::File::from_std(file), size));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, size.into());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(&name)));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename={name}")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// Which paths mean which: the names people use, and the places on disk.
pub(super) async fn debug(State(shared): State<Shared>, Query(parameters): Query<Parameters>) -> Answer {
    let attached = shared.actor.view(|core, _| core.attached_paths()).await?;
    Ok(answer(&parameters, &attached))
}

/// As much as there was when it was opened; it may grow meanwhile.
fn contents(file: tokio::fs::File, size: u64) -> Body {
    let chunks = unfold(file.take(size), |mut file| async move {
        let mut buffer = vec![0; CHUNK_BYTES];
        match file.read(&mut buffer).await {
            Ok(0) => None,
            Ok(length) => {
                buffer.truncate(length);
                Some((Ok::<Bytes, std::io::Error>(buffer.into()), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    });
    Body::from_stream(chunks)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html" | "htm") => "text/html",
        Some("css") => "text/css",
        Some("js") => "application/javascript",
        Some("json") => "application/json",
        Some("txt" | "log") => "text/plain",
        Some("png") => "image/png",
        Some("gz" | "tgz") => "application/x-gzip",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

/// What a directory holds.
pub(super) async fn listed(shared: &Shared, path: String) -> Result<Vec<Entry>, Refusal> {
    let files = shared.files.clone();
    let agent = agent_id(shared).await?;
    blocking(move || files.browse(agent.as_deref(), &path)).await
}

/// A piece of a file.
pub(super) async fn piece(
    shared: &Shared,
    path: String,
    offset: Option<u64>,
    length: Option<u64>,
) -> Result<Piece, Refusal> {
    let files = shared.files.clone();
    let agent = agent_id(shared).await?;
    blocking(move || files.read(agent.as_deref(), &path, offset, length)).await
}

async fn agent_id(shared: &Shared) -> Result<Option<String>, Refusal> {
    shared.actor.view(|core, _| core.agent_id()).await.map_err(Refusal::from)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, Refusal> {
    match spawn_blocking(work).await {
        Ok(result) => result.map_err(Refusal::from),
        Err(_) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Reading failed")),
    }
}

fn path(parameters: &Parameters) -> Result<String, Refusal> {
    let path = parameters.get("path").filter(|path| !path.is_empty()).cloned();
    path.ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, "Expecting 'path=value' in query."))
}

/// Nothing said and −1 are the same.
fn number(parameters: &Parameters, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let wrong = |what: &str| Refusal::new(StatusCode::BAD_REQUEST, format!("{what} {name}: '{text}'"));
    match text.parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(number) => u64::try_from(number).map(Some).map_err(|_| wrong("Negative")),
        Err(_) => Err(wrong("Failed to parse")),
    }
}

impl From<FileError> for Refusal {
    fn from(error: FileError) -> Refusal {
        match error {
            FileError::NotFound => Refusal::new(StatusCode::NOT_FOUND, ""),
            FileError::Directory | FileError::NotADirectory => Refusal::bad_request(error.to_string()),
            FileError::Io(_) => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}
