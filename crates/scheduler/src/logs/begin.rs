//! The place in a log from which somebody wants to read.
//!
//! Nothing in a log says when a line was written. That a file was last written before some moment is known, so such files
//! are left out as a whole; the file in which the moment lies comes with what is older in it.

use std::cmp::min;

use super::position::Place;
use super::stream::{File, Files, Stream};

/// The most bytes that are looked through for the last lines.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

const NS_PER_SECOND: i64 = 1_000_000_000;

/// The most that is read at a time: agents give no more.
const PIECE_BYTES: u64 = 64 * 1024;

/// The number of times that is begun anew because the log was rotated meanwhile.
const TRIES: u32 = 5;

/// A wish: from the oldest byte on, if it says nothing else; if both are said, the later place counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Begin {
    /// So many lines before the end.
    pub lines: Option<usize>,
    /// Not with files that were last written before that second since the epoch.
    pub since_secs: Option<i64>,
}

impl Begin {
    /// A stream from that place on, and the number of bytes that there are now.
    pub(crate) async fn of<F: Files>(self, files: F) -> Result<(Stream<F>, u64), F::Error> {
        let mut found = self.find(&files).await?;
        for _ in 1..TRIES {
            let now = files.list().await?;
            if !is_rotated(&found.1, &now) {
                break;
            }
            found = self.find(&files).await?;
        }
        let (place, listed) = found;
        let stream = Stream::at(files, place, &listed).await?;
        Ok((stream, left(place, &listed)))
    }

    /// The place, and the files as they were when it was looked for.
    async fn find<F: Files>(self, files: &F) -> Result<(Place, Vec<File>), F::Error> {
        let listed = files.list().await?;
        let oldest = self.oldest(&listed);
        let place = match (self.lines, oldest) {
            (_, None) => end(&listed),
            (None, Some(oldest)) => oldest,
            (Some(lines), Some(oldest)) => last(files, &listed, lines, oldest).await?,
        };
        Ok((place, listed))
    }

    /// The beginning of the oldest file that may have something in it that is wanted.
    fn oldest(self, listed: &[File]) -> Option<Place> {
        let is_wanted = |file: &File| match (self.since_secs, file.written_ns) {
            (Some(since), Some(written)) => written.div_euclid(NS_PER_SECOND) >= since,
            _ => true,
        };
        let wanted = listed.iter().rposition(is_wanted);
        if listed.is_empty() { Some(Place::default()) } else { wanted.map(|number| Place { number, offset: 0 }) }
    }
}

fn end(listed: &[File]) -> Place {
    Place { number: 0, offset: listed.first().map_or(0, |file| file.size) }
}

/// The number of bytes from there to the end.
pub(super) fn left(place: Place, listed: &[File]) -> u64 {
    let all: u64 = listed.iter().take(place.number + 1).map(|file| file.size).sum();
    all.saturating_sub(place.offset)
}

/// True if a log that looked like this has been rotated since then.
pub(super) fn is_rotated(before: &[File], now: &[File]) -> bool {
    let sizes = |files: &[File]| files.iter().map(|file| file.size).collect::<Vec<_>>();
    match (sizes(before).as_slice(), sizes(now).as_slice()) {
        ([was, older @ ..], [is, others @ ..]) => is < was || older != others,
        ([], _) => false,
        (_, []) => true,
    }
}

/// The beginning of the last lines, which is not looked for before `oldest`.
async fn last<F: Files>(files: &F, listed: &[File], lines: usize, oldest: Place) -> Result<Place, F::Error> {
    let (mut place, mut looked, mut wanted) = (end(listed), 0, lines);
    if lines == 0 {
        return Ok(place);
    }
    loop {
        if place.offset == 0 {
            if place.number >= oldest.number {
                return Ok(place);
            }
            let Some(older) = listed.get(place.number + 1) else { return Ok(place) };
            place = Place { number: place.number + 1, offset: older.size };
            continue;
        }
        if looked >= MOST_BYTES {
            return Ok(place);
        }
        let length = min(place.offset, PIECE_BYTES);
        let start = place.offset - length;
        let data = files.read(place.number, start, Some(length)).await?;
        // The end of the last line is not the beginning of another.
        let ends = if looked == 0 { data.strip_suffix(b"\n").unwrap_or(&data) } else { &data };
        if let Some(after) = nth_line_end(ends, &mut wanted) {
            return Ok(Place { offset: start + after, ..place });
        }
        looked += length;
        place.offset = start;
    }
}

/// The place after the line end, counted from the last, that is wanted; counts down those that are there.
fn nth_line_end(data: &[u8], wanted: &mut usize) -> Option<u64> {
    for (at, _) in data.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
        *wanted -= 1;
        if *wanted == 0 {
            return Some(at as u64 + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Files that stay as they are: the log first.
    struct Still(Vec<(&'static str, i64)>);

    impl Files for &Still {
        type Error = Infallible;

        async fn list(&self) -> Result<Vec<File>, Infallible> {
            let file =
                |(text, at): &(&str, i64)| File { size: text.len() as u64, written_ns: Some(at * NS_PER_SECOND) };
            Ok(self.0.iter().map(file).collect())
        }

        async fn read(&self, number: usize, offset: u64, length: Option<u64>) -> Result<Vec<u8>, Infallible> {
            let rest = self.0.get(number).and_then(|(text, _)| text.as_bytes().get(usize::try_from(offset).unwrap()..));
            let rest = rest.unwrap_or_default();
            let most = length.map_or(rest.len(), |length| usize::try_from(length).unwrap());
            Ok(rest[..min(rest.len(), most)].to_vec())
        }
    }

    async fn text(still: &Still, lines: Option<usize>, since_secs: Option<i64>) -> String {
        let (mut stream, mut left) = Begin { lines, since_secs }.of(still).await.unwrap();
        let mut text = Vec::new();
        loop {
            let data = stream.next().await.unwrap();
            if data.is_empty() {
                assert_eq!(left, 0, "the number of bytes was told before");
                return String::from_utf8(text).unwrap();
            }
            left -= data.len() as u64;
            text.extend(data);
        }
    }

    #[tokio::test]
    async fn the_last_lines_are_found_over_the_borders_of_files() {
        let still = Still(vec![("ee\nfour\nfive", 3), ("two\nthr", 2), ("one\n", 1)]);
        for (lines, expected) in [
            (0, ""),
            (1, "five"),
            (2, "four\nfive"),
            (3, "three\nfour\nfive"),
            (4, "two\nthree\nfour\nfive"),
            (5, "one\ntwo\nthree\nfour\nfive"),
            (99, "one\ntwo\nthree\nfour\nfive"),
        ] {
            assert_eq!(text(&still, Some(lines), None).await, expected, "{lines}");
        }
        let whole = Still(vec![("a\nb\n", 1)]);
        assert_eq!(text(&whole, Some(1), None).await, "b\n", "the end of a line is no line");
        assert_eq!(text(&Still(vec![]), Some(3), Some(1)).await, "");
    }

    #[tokio::test]
    async fn files_that_were_last_written_before_are_left_out_as_a_whole() {
        let still = Still(vec![("three\n", 30), ("two\n", 20), ("one\n", 10)]);
        for (since, expected) in [(0, "one\ntwo\nthree\n"), (11, "two\nthree\n"), (20, "two\nthree\n"), (31, "")] {
            assert_eq!(text(&still, None, Some(since)).await, expected, "since {since}");
        }
        assert_eq!(text(&still, Some(1), Some(11)).await, "three\n", "the later of both counts");
        assert_eq!(text(&still, Some(9), Some(25)).await, "three\n");
    }

    #[test]
    fn a_log_that_only_grew_was_not_rotated() {
        let files = |sizes: &[u64]| sizes.iter().map(|size| File { size: *size, written_ns: None }).collect::<Vec<_>>();
        for (before, now, rotated) in [
            (&[5_u64, 9][..], &[7_u64, 9][..], false),
            (&[5, 9], &[4, 9], true),
            (&[5, 9], &[6, 8, 9], true),
            (&[], &[3], false),
            (&[3], &[], true),
        ] {
            assert_eq!(is_rotated(&files(before), &files(now)), rotated, "{before:?} {now:?}");
        }
    }
}
