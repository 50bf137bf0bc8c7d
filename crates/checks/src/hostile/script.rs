//! The script of a hostile target: what it does with every connection. Pure.
//!
//! In: any bytes. Out: pieces of words, pauses before them, how often each is said, and what comes behind the last.

use std::time::Duration;

/// The longest piece, however often it is repeated: endless streams are repetitions.
const LONGEST: usize = 1 << 20;

/// The pieces of a script, from a few bytes at most.
const PIECES: usize = 16;

/// The most datagrams that come for one, unless a kind has its own number.
pub(super) const DATAGRAMS: usize = 200;

/// The script.
#[derive(Clone, Debug)]
pub struct Script {
    /// A peer that takes what it is sent.
    pub listens: bool,
    /// A peer that says nothing before something was said to it, if it listens.
    pub waits: bool,
    /// The words, one after the other.
    pub pieces: Vec<Piece>,
    /// The end, behind the last of them.
    pub end: End,
    /// The number of pieces, the last ones, that are said over and over.
    pub round: usize,
    /// The most datagrams that come for one.
    pub datagrams: usize,
}

/// Words, and the silence before them.
#[derive(Clone)]
pub struct Piece {
    /// The silence.
    pub pause: Duration,
    /// The words.
    pub words: Vec<u8>,
}

/// The end of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more is said.
    Silence,
    /// The last pieces, a round of them, over and over, with their pauses.
    Again,
}

/// The beginning is enough: what is long is the same over and over.
impl std::fmt::Debug for Piece {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let beginning = self.words.get(..64).unwrap_or(&self.words).escape_ascii();
        write!(formatter, "{:?}, {} bytes: {beginning}", self.pause, self.words.len())
    }
}

impl Piece {
    /// Words that are said so many times, unless that is too long.
    pub fn new(pause: Duration, words: &[u8], times: usize) -> Piece {
        let most = LONGEST / words.len().max(1);
        Piece { pause, words: words.repeat(times.min(most)) }
    }
}

impl Script {
    /// Two bytes for the whole; for each piece its pause, how often it is said as a power of two, its length, itself.
    pub fn of(bytes: &[u8]) -> Script {
        let [shape, end, rest @ ..] = bytes else { return Script::of(&[0, 0]) };
        let end = [End::Close, End::Reset, End::Silence, End::Again][usize::from(end % 4)];
        let mut script = Script { listens: shape / 4 % 4 > 0, end, ..Script::default() };
        let mut rest = rest;
        while let [pause, times, length, words @ ..] = rest {
            let (words, behind) = words.split_at(usize::from(*length).min(words.len()));
            let pause = if *pause < 128 { Duration::ZERO } else { Duration::from_millis(u64::from(pause - 128) * 2) };
            script.pieces.push(Piece::new(pause, words, 1 << (times % 18)));
            rest = behind;
            if script.pieces.len() == PIECES {
                break;
            }
        }
        script
    }

    /// The piece after so many others.
    pub(crate) fn piece(&self, number: usize) -> Option<&Piece> {
        let Some(behind) = number.checked_sub(self.pieces.len()) else { return self.pieces.get(number) };
        if self.end != End::Again {
            return None;
        }
        let before = self.pieces.len().saturating_sub(self.round);
        let round = self.pieces.get(before..)?;
        round.get(behind.checked_rem(round.len())?).filter(|piece| !piece.words.is_empty())
    }
}

/// A peer that takes what it is sent, and closes.
impl Default for Script {
    fn default() -> Script {
        Script { listens: true, waits: false, pieces: Vec::new(), end: End::Close, round: 1, datagrams: DATAGRAMS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_a_script() {
        assert!(Script::of(&[]).pieces.is_empty());
        let script = Script::of(&[1, 3, 0, 2, 1, b'x', 133, 0, 9, b'y', b'z']);
        assert_eq!((script.listens, script.end), (false, End::Again));
        assert_eq!(script.pieces[0].words, b"xxxx");
        assert_eq!(
            (script.pieces[1].pause, script.pieces[1].words.as_slice()),
            (Duration::from_millis(10), &b"yz"[..])
        );
        assert_eq!(script.piece(7).unwrap().words, b"yz");
        let pair = Script { round: 2, ..script.clone() };
        assert_eq!([2, 3, 4].map(|number| pair.piece(number).unwrap().words.len()), [4, 2, 4]);
        assert!(Script { end: End::Silence, ..script }.piece(7).is_none());
    }

    #[test]
    fn no_piece_is_longer_than_the_longest() {
        assert_eq!(Piece::new(Duration::ZERO, b"abc", usize::MAX).words.len(), LONGEST / 3 * 3);
    }
}
