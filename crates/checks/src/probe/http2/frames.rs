//! The kinds of frames that a server sends, and their number (RFC 9113, 4.1). Pure.
//!
//! In: the bytes of a connection, in pieces. Out: whether they begin as HTTP/2 does, with SETTINGS (RFC 9113, 3.4), and
//! whether more frames without data have come than an answer needs.
//! Floods of SETTINGS, PING, WINDOW_UPDATE, unknown or empty frames are valid one by one, and cost more to understand
//! than to send. How much data may come is the attempt's business.

/// The number of frames that may carry no data: settings, acknowledgements, windows for what we send.
const SILENT: u64 = 1024;

/// Length, type, flags, stream.
const HEADER: usize = 9;

const DATA: u8 = 0;
const SETTINGS: u8 = 4;

/// The header of a frame of five megabytes, or how an answer of HTTP/1 begins.
const HTTP_1: &[u8] = b"HTTP/1.";

/// Why a peer is not listened to any longer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("more than {SILENT} frames without data")]
    Flood,
    #[error("the peer speaks HTTP/1")]
    Http1,
    #[error("the peer speaks something else: it begins with {begins:?}")]
    Other {
        /// As text.
        begins: String,
    },
}

#[derive(Debug, Default)]
pub(super) struct Frames {
    header: [u8; HEADER],
    /// The part of the header that has come.
    filled: usize,
    /// The part of the payload that has not.
    left: usize,
    /// The number of frames without data.
    silent: u64,
    /// Set once the first frame has come.
    begun: bool,
}

impl Frames {
    pub(super) fn count(&mut self, mut bytes: &[u8]) -> Result<(), Unfit> {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            bytes = self.fill(bytes);
            if self.filled == HEADER {
                self.begin()?;
            }
        }
        Ok(())
    }

    /// Takes of the header what there is.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = self.header.get_mut(self.filled..).unwrap_or_default();
        let taken = room.len().min(bytes.len());
        room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.filled += taken;
        bytes.get(taken..).unwrap_or_default()
    }

    fn begin(&mut self) -> Result<(), Unfit> {
        let [a, b, c, kind, ..] = self.header;
        if !std::mem::replace(&mut self.begun, true) && kind != SETTINGS {
            return Err(self.unfit());
        }
        self.left = u32::from_be_bytes([0, a, b, c]) as usize;
        self.filled = 0;
        self.silent += u64::from(kind != DATA || self.left == 0);
        if self.silent > SILENT { Err(Unfit::Flood) } else { Ok(()) }
    }

    fn unfit(&self) -> Unfit {
        if self.header.starts_with(HTTP_1) {
            return Unfit::Http1;
        }
        Unfit::Other { begins: String::from_utf8_lossy(&self.header).into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: usize) -> Vec<u8> {
        let mut bytes = u32::try_from(payload).unwrap().to_be_bytes()[1..].to_vec();
        bytes.extend([kind, 0, 0, 0, 0, 0]);
        bytes.resize(HEADER + payload, 0);
        bytes
    }

    fn count(bytes: &[u8], piece: usize) -> Result<(), Unfit> {
        let mut frames = Frames::default();
        frames.count(&frame(SETTINGS, 0))?;
        bytes.chunks(piece).try_for_each(|piece| frames.count(piece))
    }

    #[test]
    fn frames_that_say_nothing_are_counted_in_any_pieces() {
        for (kind, payload) in [(0, 0), (4, 0), (6, 8), (8, 4), (9, 0), (99, 7)] {
            let most = frame(kind, payload).repeat(1023);
            let one_more = frame(kind, payload).repeat(1024);
            for piece in [1, 7, 9, 4096] {
                assert!(count(&most, piece).is_ok());
                assert!(count(&one_more, piece).is_err());
            }
        }
    }

    #[test]
    fn a_peer_that_does_not_begin_with_settings_speaks_something_else() {
        let begin = |bytes: &[u8], piece: usize| {
            let mut frames = Frames::default();
            bytes.chunks(piece).try_for_each(|piece| frames.count(piece))
        };
        for piece in [1, 9, 4096] {
            assert!(matches!(begin(b"HTTP/1.1 400 Bad Request\r\n\r\n", piece), Err(Unfit::Http1)));
            assert!(matches!(begin(b"<!DOCTYPE html>", piece), Err(Unfit::Other { begins }) if begins == "<!DOCTYPE"));
            assert!(begin(&[frame(SETTINGS, 6), frame(b'P', 0x0048_5454)].concat(), piece.max(9)).is_ok());
        }
    }

    #[test]
    fn a_long_answer_has_many() {
        assert!(count(&frame(DATA, 1).repeat(100_000), 8192).is_ok());
    }
}
