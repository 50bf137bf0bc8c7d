//! The output of a container, as the daemon keeps it: frames of one of two streams, each a line with its time in front.
//!
//! The time of the last line is where the next reader goes on, be it another process or after another daemon has come. Of
//! lines with the same time it counts how many were read.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::error::DockerError;
use super::wire::Answer;

/// The longest frame that is believed.
const LONGEST: usize = 4 * 1024 * 1024;
const HEADER: usize = 8;

/// Which of a container's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line, or a part of a long one, with its end of line if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The stream.
    pub stream: Stream,
    /// The bytes.
    pub bytes: Bytes,
}

/// The place of a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The time of the last line that was read, as the daemon wrote it.
    time: String,
    /// The lines of this time that were read.
    count: u64,
}

/// The lines of a container that are still to come.
#[derive(Debug)]
pub struct Logs {
    answer: Answer,
    buffer: BytesMut,
    position: Position,
    /// The lines of the position's time that are to be skipped.
    known: u64,
}

impl Position {
    /// As a parameter of the call.
    pub(super) fn since(&self) -> String {
        seconds(&self.time).unwrap_or_else(|| "0".to_owned())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines at {}", self.count, self.time)
    }
}

impl Logs {
    pub(super) fn new(answer: Answer, position: Position) -> Logs {
        let known = position.count;
        Logs { answer, buffer: BytesMut::new(), position, known }
    }

    /// The place after the last line that [`Logs::next`] gave.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The next line; none once the container has ended and all of it was read. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Output>, DockerError> {
        loop {
            if let Some(output) = self.at_hand()? {
                return Ok(Some(output));
            }
            match self.answer.piece().await? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None => return Ok(None),
            }
        }
    }

    /// The next line, if it has come already.
    pub fn at_hand(&mut self) -> Result<Option<Output>, DockerError> {
        while let Some((stream, frame)) = self.frame()? {
            if let Some(output) = self.line(stream, frame) {
                return Ok(Some(output));
            }
        }
        Ok(None)
    }

    /// A whole frame, if there is one: the stream, three zeros, the length in four bytes, and as many.
    fn frame(&mut self) -> Result<Option<(Stream, Bytes)>, DockerError> {
        let Some(&[stream, _, _, _, a, b, c, d]) = self.buffer.first_chunk::<HEADER>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let stream = match stream {
            0 | 1 => Stream::Stdout,
            2 => Stream::Stderr,
            other => return Err(self.nonsense(format!("a frame of output is of stream {other}"))),
        };
        if length > LONGEST {
            return Err(self.nonsense(format!("a frame of output has {length} bytes")));
        }
        if self.buffer.len() < HEADER + length {
            return Ok(None);
        }
        self.buffer.advance(HEADER);
        Ok(Some((stream, self.buffer.split_to(length).freeze())))
    }

    /// The line in a frame, unless it was read before.
    fn line(&mut self, stream: Stream, mut frame: Bytes) -> Option<Output> {
        let blank = frame.iter().take(64).position(|byte| *byte == b' ');
        let time = blank.and_then(|blank| std::str::from_utf8(frame.get(..blank)?).ok()).map(str::to_owned);
        let Some(time) = time.filter(|time| seconds(time).is_some()) else {
            return Some(Output { stream, bytes: frame });
        };
        frame.advance(time.len() + 1);
        if time == self.position.time && self.known > 0 {
            self.known -= 1;
            return None;
        }
        match time == self.position.time {
            true => self.position.count += 1,
            false => (self.position, self.known) = (Position { time, count: 1 }, 0),
        }
        Some(Output { stream, bytes: frame })
    }

    fn nonsense(&self, problem: String) -> DockerError {
        DockerError::Nonsense { socket: self.answer.socket().to_owned(), problem }
    }
}

/// `2026-11-29T18:00:00.123456789Z` as `1795975200.123456789`.
fn seconds(time: &str) -> Option<String> {
    let (date, clock) = time.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, offset) = with_offset(clock)?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut whole = whole.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (whole.next()??, whole.next()??, whole.next()??);
    let is_fraction = !fraction.is_empty() && fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let sensible = (1..=12).contains(&month) && (1970..=9999).contains(&year) && is_fraction;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    sensible.then(|| format!("{seconds}.{fraction:0<9}"))
}

/// The time of day, and the seconds by which it is ahead of UTC.
fn with_offset(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let at = clock.rfind(['+', '-'])?;
    let (clock, offset) = clock.split_at(at);
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    Some((clock, if offset.starts_with('-') { -seconds } else { seconds }))
}

/// The days from 1970 to this one of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_daemons_write_them() {
        assert_eq!(seconds("1970-01-01T00:00:00Z").as_deref(), Some("0.000000000"));
        assert_eq!(seconds("2026-11-29T18:00:00.123456789Z").as_deref(), Some("1795975200.123456789"));
        assert_eq!(seconds("2026-11-29T19:00:00.5+01:00").as_deref(), Some("1795975200.500000000"));
        assert_eq!(seconds("2024-02-29T00:00:00Z").as_deref(), Some("1709164800.000000000"));
        for nonsense in ["", "T", "now", "2026-11-29", "2026-13-01T00:00:00Z", "2026-11-29T00:00:00.xZ", "1-1-1T0:0:0Z"]
        {
            assert_eq!(seconds(nonsense), None, "{nonsense}");
        }
    }
}
