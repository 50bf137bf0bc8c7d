//! Proof that what was fetched is what was meant. No task of its own: files are read on tokio's threads for that.

use std::fs::File;
use std::io::Read;

use aws_lc_rs::digest::{Context, SHA256, SHA512};
use mesos::checksum::{Algorithm, Checksum};
use tokio::task::spawn_blocking;

use crate::error::Reason;

/// The bytes that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// An error unless the file's bytes add up to what is expected, if anything is.
pub(crate) async fn verify(expected: Option<&Checksum>, file: File) -> Result<(), Reason> {
    let Some(expected) = expected.cloned() else { return Ok(()) };
    let algorithm = expected.algorithm();
    let found = spawn_blocking(move || checksum(algorithm, file)).await;
    let found = found.map_err(|error| Reason::File(std::io::Error::other(error)))??;
    if found == expected { Ok(()) } else { Err(Reason::Checksum { expected, found }) }
}

fn checksum(algorithm: Algorithm, mut file: File) -> Result<Checksum, Reason> {
    if file.metadata()?.is_dir() {
        return Err(Reason::DirectoryChecksum);
    }
    let mut context = Context::new(match algorithm {
        Algorithm::Sha256 => &SHA256,
        Algorithm::Sha512 => &SHA512,
    });
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            length => context.update(&chunk[..length]),
        }
    }
    let digest = context.finish();
    Checksum::new(algorithm, digest.as_ref()).ok_or_else(|| std::io::Error::other("a digest of another length").into())
}
