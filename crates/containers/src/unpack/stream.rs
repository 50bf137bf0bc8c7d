//! The archive as it was before compression, counted and hashed while it is read.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::UnpackError;
use crate::image::{Compression, Digest, Verifier};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The first bytes of a frame that has no data; its first byte is `0x50` to `0x5f`.
const ZSTD_SKIPPED: &[u8] = &[0x2a, 0x4d, 0x18];

/// The compression of a stream, by its first bytes: media types are often wrong.
pub fn compression(first: &[u8]) -> Compression {
    let skipped = first.first().is_some_and(|byte| byte >> 4 == 5) && first[1..].starts_with(ZSTD_SKIPPED);
    match first {
        _ if first.starts_with(GZIP) => Compression::Gzip,
        _ if first.starts_with(ZSTD) || skipped => Compression::Zstd,
        _ => Compression::None,
    }
}

/// A stream as it was before compression.
pub fn decoded<'a>(mut input: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression(input.fill_buf()?) {
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Zstd => Box::new(Zstd { input, frame: FrameDecoder::new() }),
        Compression::None => Box::new(input),
    })
}

/// Frames of Zstandard, one after the other.
struct Zstd<R> {
    input: R,
    frame: FrameDecoder,
}

impl<R: BufRead> Zstd<R> {
    /// Begins the next frame with data, if there is one.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.frame.init(&mut self.input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.input).take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.frame.can_collect() == 0 {
            if !self.frame.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.frame.decode_blocks(&mut self.input, one).map_err(io::Error::other)?;
            } else if !self.begin()? {
                return Ok(0);
            }
        }
        self.frame.read(buffer)
    }
}

/// A stream that is hashed as it is read, up to so many bytes.
pub(super) struct Meter<R> {
    input: R,
    verifier: Verifier,
    most: u64,
    left: u64,
}

impl<R: Read> Meter<R> {
    pub(super) fn new(input: R, most: u64) -> Meter<R> {
        Meter { input, verifier: Verifier::default(), most, left: most }
    }

    /// The digest of everything, after what is left has been read.
    pub(super) fn finish(mut self) -> Result<Digest, UnpackError> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.verifier.finish())
    }
}

impl<R: Read> Read for Meter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.verifier.update(&buffer[..length]);
        match self.left.checked_sub(length as u64) {
            Some(left) => self.left = left,
            None => {
                return Err(io::Error::other(UnpackError::TooLarge { what: "bytes".to_owned(), most: self.most }));
            }
        }
        Ok(length)
    }
}
