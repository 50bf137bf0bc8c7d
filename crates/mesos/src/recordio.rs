//! RecordIO: a stream of records, each preceded by its length in decimal digits and a newline.
//! In: payloads to frame, or bytes of a stream in whatever pieces they arrive. Out: framed bytes, or whole payloads.

use bytes::{Buf, Bytes, BytesMut};

/// The largest record a [`Decoder`] takes unless told otherwise.
pub const MAX_RECORD_BYTES: usize = 64 * 1024 * 1024;

/// Digits of the largest `u64`.
const MAX_DIGITS: usize = 20;

/// A stream that is not RecordIO, or not one we are willing to read. Nothing after it can be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Something else than a decimal length stands where a record begins.
    #[error("the record's length is not a decimal number: {0:?}")]
    Header(String),
    /// The record is larger than the limit.
    #[error("a record of {length} bytes is over the limit of {limit}")]
    TooLarge {
        /// The length that the header announces.
        length: u64,
        /// The length that the decoder takes.
        limit: usize,
    },
}

/// The payload with its length in front.
pub fn frame(payload: &[u8]) -> Bytes {
    let mut framed = Vec::with_capacity(payload.len() + MAX_DIGITS + 1);
    framed.extend_from_slice(payload.len().to_string().as_bytes());
    framed.push(b'\n');
    framed.extend_from_slice(payload);
    framed.into()
}

/// Takes a stream apart. Push what arrived, then take records until there is none; so it never holds more than
/// one record and what came with it.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    /// Length of the record whose header has been read.
    length: Option<usize>,
    limit: usize,
    failed: Option<RecordError>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(MAX_RECORD_BYTES)
    }
}

impl Decoder {
    /// A decoder that refuses records larger than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), length: None, limit, failed: None }
    }

    /// Takes in the next piece of the stream.
    pub fn push(&mut self, piece: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(piece);
        }
    }

    /// The next whole record, or nothing until more is pushed. An error is final.
    #[expect(clippy::should_implement_trait, reason = "nothing yet is not the end")]
    pub fn next(&mut self) -> Result<Option<Bytes>, RecordError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let record = self.take();
        if let Err(error) = &record {
            self.failed = Some(error.clone());
            self.buffer.clear();
        }
        record
    }

    /// True if the stream could end here: no record has been begun.
    pub fn is_between_records(&self) -> bool {
        self.buffer.is_empty() && self.length.is_none() && self.failed.is_none()
    }

    fn take(&mut self) -> Result<Option<Bytes>, RecordError> {
        if self.length.is_none() {
            self.length = self.header()?;
        }
        match self.length {
            Some(length) if length <= self.buffer.len() => {
                self.length = None;
                Ok(Some(self.buffer.split_to(length).freeze()))
            }
            _ => Ok(None),
        }
    }

    fn header(&mut self) -> Result<Option<usize>, RecordError> {
        let window = self.buffer.get(..self.buffer.len().min(MAX_DIGITS + 1)).unwrap_or_default();
        let end = window.iter().position(|byte| !byte.is_ascii_digit());
        match end.and_then(|end| window.get(end)) {
            None if window.len() <= MAX_DIGITS => return Ok(None),
            Some(b'\n') if end != Some(0) => {}
            _ => return Err(RecordError::Header(String::from_utf8_lossy(window).into_owned())),
        }
        let digits = String::from_utf8_lossy(window.get(..end.unwrap_or_default()).unwrap_or_default()).into_owned();
        let length: u64 = digits.parse().map_err(|_| RecordError::Header(digits.clone()))?;
        self.buffer.advance(digits.len() + 1);
        match usize::try_from(length) {
            Ok(within) if within <= self.limit => Ok(Some(within)),
            _ => Err(RecordError::TooLarge { length, limit: self.limit }),
        }
    }
}
