//! The documents of an image, and its blobs: verified, bounded, and tried again while that may help.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_RANGE, CONTENT_TYPE};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::error::{PullError, Reason};
use super::repository::{Repository, accept, from_byte};
use super::wire::Answer;
use crate::image::{Blob, Digest, Document, ImageConfig, MOST_BYTES, Manifest, Verifier, Version, choose};

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// The documents of an image.
#[derive(Clone, Debug)]
pub struct Described {
    /// The digest of the manifest, by which the image can be asked for again.
    pub digest: Digest,
    /// The parts of the image.
    pub manifest: Manifest,
    /// The manifest as it came.
    pub manifest_text: Bytes,
    /// The way it is to be run.
    pub config: ImageConfig,
    /// The configuration as it came.
    pub config_text: Bytes,
}

/// The beginning of a blob that is there already.
#[derive(Debug, Default)]
pub struct Beginning {
    verifier: Verifier,
    bytes: u64,
}

impl Beginning {
    /// The next piece of what is there.
    pub fn add(&mut self, piece: &[u8]) {
        self.verifier.update(piece);
        self.bytes += piece.len() as u64;
    }

    /// The number of bytes that are there.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Repository {
    /// Fetches manifest and configuration of the image for this machine.
    pub async fn describe(&mut self) -> Result<Described, PullError> {
        let mut backoff = self.backoff();
        loop {
            match self.described().await {
                Ok(described) => {
                    self.meter().trouble(None);
                    return Ok(described);
                }
                Err(reason) => self.wait(&mut backoff, reason, false).await?,
            }
        }
    }

    /// Fetches a layer into a file, behind what is there already. Layers may be fetched at the same time, by copies.
    pub async fn fetch(
        &mut self,
        blob: &Blob,
        there: Beginning,
        file: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), PullError> {
        let (mut there, mut backoff) = (there, self.backoff());
        self.meter().add(there.bytes);
        loop {
            let before = there.bytes;
            match self.rest(blob, &mut there, file).await {
                Ok(()) => break,
                Err(reason) => self.wait(&mut backoff, reason, there.bytes > before).await?,
            }
        }
        file.flush().await.map_err(|error| self.error(Reason::Store(error)))?;
        check(blob.digest, there.verifier.finish()).map_err(|reason| self.error(reason))?;
        self.meter().layer_is_complete();
        Ok(())
    }

    async fn described(&mut self) -> Result<Described, Reason> {
        let version = self.image().version().clone();
        let (mut digest, mut text, mut document) = self.manifest(&version).await?;
        if let Document::Index(index) = &document {
            let chosen = choose(index, &self.terms().here)?.digest;
            (digest, text, document) = self.manifest(&Version::Digest(chosen)).await?;
        }
        let Document::Manifest(manifest) = document else { return Err(Reason::Nested) };
        let (bytes, most) = (total(manifest.layers.iter().map(|layer| &layer.blob)), self.terms().most_bytes);
        if bytes > most {
            return Err(Reason::TooLarge { bytes, most });
        }
        let config_text = self.small(&manifest.config).await?;
        let config = ImageConfig::parse(&config_text).map_err(Reason::Config)?;
        let here = &self.terms().here;
        if !config.platform.architecture.is_empty() && !here.runs(&config.platform) {
            return Err(Reason::Platform { image: config.platform.to_string(), here: here.to_string() });
        }
        Ok(Described { digest, manifest, manifest_text: text, config, config_text })
    }

    async fn manifest(&mut self, version: &Version) -> Result<(Digest, Bytes, Document), Reason> {
        let missing = |said| Reason::NoManifest { said };
        let answer = self.get(&format!("manifests/{version}"), Some(accept(MANIFESTS)), missing).await?;
        let kind = answer.header(CONTENT_TYPE).unwrap_or_default().to_owned();
        let expected = match version {
            Version::Digest(digest) => Some(*digest),
            Version::Tag(_) => answer.header("docker-content-digest").and_then(|digest| digest.parse().ok()),
        };
        let text = Bytes::from(answer.document(MOST_BYTES).await?);
        let found = Digest::of(&text);
        expected.map_or(Ok(()), |expected| check(expected, found))?;
        let document = Document::parse(&text, &kind)?;
        Ok((found, text, document))
    }

    /// A whole blob that is a document.
    async fn small(&mut self, blob: &Blob) -> Result<Bytes, Reason> {
        let answer = self.get(&path(blob), None, missing(blob)).await?;
        let text = answer.document(MOST_BYTES).await?;
        check(blob.digest, Digest::of(&text))?;
        Ok(Bytes::from(text))
    }

    /// One try at what is missing of a blob.
    async fn rest(
        &mut self,
        blob: &Blob,
        there: &mut Beginning,
        file: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), Reason> {
        if there.bytes >= blob.bytes {
            return Ok(());
        }
        let range = (there.bytes > 0).then(|| from_byte(there.bytes));
        let mut answer = self.get(&path(blob), range, missing(blob)).await?;
        let mut known = there.bytes - first_byte(&answer, there.bytes)?;
        while let Some(mut piece) = answer.piece().await? {
            let skipped = usize::try_from(known).unwrap_or(usize::MAX).min(piece.len());
            known -= skipped as u64;
            let piece = piece.split_off(skipped);
            if there.bytes + piece.len() as u64 > blob.bytes {
                return Err(Reason::Long { digest: blob.digest, expected: blob.bytes });
            }
            file.write_all(&piece).await.map_err(Reason::Store)?;
            there.add(&piece);
            self.meter().add(piece.len() as u64);
        }
        let Beginning { bytes: got, .. } = *there;
        if got == blob.bytes { Ok(()) } else { Err(Reason::Short { digest: blob.digest, got, expected: blob.bytes }) }
    }
}

/// All bytes of some blobs.
pub fn total<'a>(blobs: impl Iterator<Item = &'a Blob>) -> u64 {
    blobs.fold(0, |total, blob| total.saturating_add(blob.bytes))
}

fn path(blob: &Blob) -> String {
    format!("blobs/{}", blob.digest)
}

fn missing(blob: &Blob) -> impl FnOnce(String) -> Reason + use<> {
    let digest = blob.digest;
    move |_| Reason::NoBlob { digest }
}

fn check(expected: Digest, found: Digest) -> Result<(), Reason> {
    if found == expected { Ok(()) } else { Err(Reason::Digest { expected, found }) }
}

/// The place of the body's first byte: 0 from a server that always sends everything, else what was asked for.
fn first_byte(answer: &Answer, asked: u64) -> Result<u64, Reason> {
    let status = answer.status();
    let range = answer.header(CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    match status {
        StatusCode::OK => Ok(0),
        StatusCode::PARTIAL_CONTENT if range.is_some_and(|(first, _)| first.parse() == Ok(asked)) => Ok(asked),
        _ => {
            Err(Reason::Status { status: status.as_u16(), said: "this is not the range that was asked for".to_owned() })
        }
    }
}
