//! The part of the disk that others read, over `/files/...` and the operator API: files and lists of them, as Mesos
//! shows them.
//!
//! Comes in: files that are open already, since who may read what is the caller's to decide; query parameters. Goes out:
//! pieces, entries, downloads, and refusals. Owns no task.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream::unfold;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::task::spawn_blocking;

use super::Refusal;
use crate::v1::{FileInfo, TimeInfo};

/// No more than this of a file at a time: sixteen pages, as Mesos has it.
const MAX_PIECE_BYTES: u64 = 16 * 4096;

/// A download is sent in pieces of this size.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such thing, or it is nothing to be read.
    #[error("no such file or directory")]
    NotFound,
    /// Only files have contents.
    #[error("Cannot read a directory.\n")]
    Directory,
    /// The disk says no.
    #[error("reading failed: {0}")]
    Io(io::Error),
}

/// Reads the disk on a thread that may wait.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, Refusal> {
    match spawn_blocking(work).await {
        Ok(result) => result.map_err(Refusal::from),
        Err(_) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Reading failed")),
    }
}

/// `ELOOP`: links that lead to each other.
const LOOP: i32 = 40;

/// A path that leads nowhere is the reader's mistake: one with a NUL, or too long for a file, leads nowhere as well.
impl From<io::Error> for FileError {
    fn from(error: io::Error) -> FileError {
        use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};
        let nowhere = [InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied];
        let is_nowhere = nowhere.contains(&error.kind()) || error.raw_os_error() == Some(LOOP);
        if is_nowhere { FileError::NotFound } else { FileError::Io(error) }
    }
}

impl From<FileError> for Refusal {
    fn from(error: FileError) -> Refusal {
        match error {
            FileError::NotFound => Refusal::new(StatusCode::NOT_FOUND, ""),
            FileError::Directory => Refusal::bad_request(error.to_string()),
            FileError::Io(_) => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

/// A regular file, open.
#[derive(Debug)]
pub struct Opened {
    file: File,
    size: u64,
    name: String,
}

impl Opened {
    /// A file that was opened by this path.
    pub fn new(file: File, path: &Path) -> Result<Opened, FileError> {
        let metadata = file.metadata().map_err(FileError::Io)?;
        if metadata.is_dir() {
            return Err(FileError::Directory);
        }
        if !metadata.is_file() {
            return Err(FileError::NotFound);
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Opened { file, size: metadata.len(), name })
    }

    /// A piece of it. Without an offset nothing is read: the answer says where the file ends.
    pub fn piece(&self, offset: Option<u64>, length: Option<u64>) -> Result<Piece, FileError> {
        let offset = offset.unwrap_or(self.size);
        let wanted = length.unwrap_or(MAX_PIECE_BYTES).min(MAX_PIECE_BYTES).min(self.size.saturating_sub(offset));
        let mut data = vec![0; usize::try_from(wanted).unwrap_or_default()];
        let read = fill(&self.file, &mut data, offset).map_err(FileError::Io)?;
        data.truncate(read);
        Ok(Piece { size: self.size, offset, data })
    }

    /// All of it, as far as it goes now.
    pub fn download(self) -> Response {
        let mut response = Response::new(contents(tokio::fs::File::from_std(self.file), self.size));
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, self.size.into());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(&self.name)));
        if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename={}", self.name)) {
            headers.insert(CONTENT_DISPOSITION, disposition);
        }
        response
    }
}

fn fill(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// As much as there was when it was opened; it may grow meanwhile.
fn contents(file: tokio::fs::File, size: u64) -> Body {
    let chunks = unfold(file.take(size), |mut file| async move {
        let mut buffer = vec![0; CHUNK_BYTES];
        match file.read(&mut buffer).await {
            Ok(0) => None,
            Ok(length) => {
                buffer.truncate(length);
                Some((Ok::<Bytes, io::Error>(buffer.into()), file))
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

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Of the whole file, in bytes.
    pub size: u64,
    /// The beginning of the piece, in bytes.
    pub offset: u64,
    /// The bytes.
    pub data: Vec<u8>,
}

impl Piece {
    /// As text. A character that is cut at the end is left for the next piece, unless nothing else is there.
    pub fn text(&self) -> String {
        let whole = match std::str::from_utf8(&self.data) {
            Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
            _ => self.data.len(),
        };
        String::from_utf8_lossy(self.data.get(..whole).unwrap_or_default()).into_owned()
    }

    /// As `/files/read` shows it.
    pub fn to_json(&self) -> Value {
        json!({ "offset": self.offset, "data": self.text() })
    }
}

/// One thing in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    path: String,
    nlink: u64,
    size: u64,
    mtime_secs: i64,
    /// Of that second.
    mtime_nanos: i64,
    mode: u32,
    user: String,
    group: String,
}

impl Entry {
    /// The entry of what is at `path`, which is what the reader calls it.
    pub fn new(path: &Path, metadata: &Metadata) -> Entry {
        Entry {
            path: path.display().to_string(),
            nlink: metadata.nlink(),
            size: metadata.size(),
            mtime_secs: metadata.mtime(),
            mtime_nanos: metadata.mtime_nsec(),
            mode: metadata.mode(),
            user: processes::user_name(metadata.uid()),
            group: processes::group_name(metadata.gid()),
        }
    }

    /// The name by which the reader calls it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// As `/files/browse` shows it.
    pub fn to_json(&self) -> Value {
        json!({
            "path": self.path,
            "nlink": self.nlink,
            "size": self.size,
            "mtime": self.mtime_secs as f64,
            "mode": mode_text(self.mode),
            "uid": self.user,
            "gid": self.group,
        })
    }
}

impl From<Entry> for FileInfo {
    fn from(entry: Entry) -> FileInfo {
        let nanoseconds = entry.mtime_secs.saturating_mul(1_000_000_000).saturating_add(entry.mtime_nanos);
        FileInfo {
            path: entry.path,
            nlink: i32::try_from(entry.nlink).ok(),
            size: Some(entry.size),
            mtime: Some(TimeInfo { nanoseconds }),
            mode: Some(entry.mode),
            uid: Some(entry.user),
            gid: Some(entry.group),
        }
    }
}

/// `-rw-r--r--`
fn mode_text(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o010_000 => 'p',
        0o140_000 => 's',
        0o020_000 => 'c',
        0o060_000 => 'b',
        _ => '-',
    };
    let bits = (0..9).map(|bit| if mode & (0o400 >> bit) != 0 { ['r', 'w', 'x'][bit % 3] } else { '-' });
    std::iter::once(kind).chain(bits).collect()
}

/// The parameter `path`.
pub fn path(parameters: &BTreeMap<String, String>) -> Result<String, Refusal> {
    let path = parameters.get("path").filter(|path| !path.is_empty()).cloned();
    path.ok_or_else(|| Refusal::bad_request("Expecting 'path=value' in query.\n"))
}

/// The parameter `offset` or `length`. Nothing said and −1 are the same.
pub fn number(parameters: &BTreeMap<String, String>, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(number) => u64::try_from(number)
            .map(Some)
            .map_err(|_| Refusal::bad_request(format!("Negative {name} provided: {number}.\n"))),
        Err(_) => Err(Refusal::bad_request(format!("Failed to parse {name}: '{text}'.\n"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_character_waits_for_the_next_piece() {
        let piece = |data: &[u8]| Piece { size: 9, offset: 0, data: data.to_vec() };
        assert_eq!(piece(b"a\xc3").text(), "a");
        assert_eq!(piece(b"\xc3").text(), "\u{fffd}");
        assert_eq!(piece(b"a\xffb").text(), "a\u{fffd}b");
    }

    #[test]
    fn modes_are_written_as_by_ls() {
        for (mode, text) in [(0o100_644, "-rw-r--r--"), (0o040_755, "drwxr-xr-x"), (0o010_600, "prw-------")] {
            assert_eq!(mode_text(mode), text);
        }
    }
}
