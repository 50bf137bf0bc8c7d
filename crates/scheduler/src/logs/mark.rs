//! Names of places in a log: a client that comes back with one reads on from there, nothing left out and nothing twice,
//! however often the log was rotated meanwhile, and whoever answers it now.
//!
//! In: a place, or its name as text, which comes from outside. Out: the name, or a [`Stream`] from there on.

use std::fmt;
use std::str::FromStr;

use super::begin::{is_rotated, left};
use super::position::{MEMORY, Place, Position, after, before};
use super::stream::{File, Files, Stream};

/// The number of times that a place is looked for while the log is rotated.
const TRIES: u32 = 5;

/// A place as it was when it got this name: its file and offset; length and sum of the bytes before it; and the last
/// writing of the file before its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    place: Place,
    length: usize,
    sum: u64,
    older_ns: Option<i64>,
}

/// A text is the name of no place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a place in a log: '{0}'")]
pub(crate) struct NoMark(String);

impl Mark {
    pub(super) fn of(position: &Position) -> Mark {
        let Position { place, before, older_ns } = position;
        Mark { place: *place, length: before.len(), sum: sum(before), older_ns: *older_ns }
    }

    /// A stream from this place on, and the number of bytes that there are now. If it is gone, it begins with the oldest
    /// byte, and knows of the gap.
    pub(crate) async fn open<F: Files>(self, files: F) -> Result<(Stream<F>, u64), F::Error> {
        let (mut found, mut is_misled) = (None, false);
        for _ in 0..TRIES {
            let listed = files.list().await?;
            let position = self.find(&files, &listed, is_misled).await?;
            let is_still = !is_rotated(&listed, &files.list().await?);
            let is_there = position.is_some();
            found = position.map(|position| (left(position.place, &listed), position)).or(found);
            if is_still && (is_there || is_misled) {
                break;
            }
            is_misled |= is_still;
        }
        if let Some((left, position)) = found {
            return Ok((Stream::from(files, position), left));
        }
        let listed = files.list().await?;
        let left = left(Position::oldest(&listed).place, &listed);
        Ok((Stream::after_gap(files, &listed), left))
    }

    async fn find<F: Files>(self, files: &F, listed: &[File], misled: bool) -> Result<Option<Position>, F::Error> {
        if self.length == 0 {
            return Ok(Some(Position::oldest(listed)));
        }
        for place in self.candidates(listed, misled) {
            let found = before(files, place, listed).await?;
            // Of a place near the beginning fewer bytes are known.
            let found = found.len().checked_sub(self.length).and_then(|from| found.get(from..)).unwrap_or_default();
            if found.len() == self.length && sum(found) == self.sum {
                return Ok(Some(Position::new(place, found.to_vec(), listed)));
            }
        }
        Ok(None)
    }

    /// The places where it may be now: the one that the times of the files tell; all others only if they tell nothing, or
    /// have misled before. A log may be rotated between a look and the next, and where lines are all the same one place
    /// is like another.
    pub(super) fn candidates(self, listed: &[File], misled: bool) -> impl Iterator<Item = Place> {
        let older = match self.older_ns {
            Some(written) => listed.iter().position(|file| file.written_ns == Some(written)),
            None => Some(listed.len()),
        };
        let told = older.and_then(|older| older.checked_sub(self.place.number + 1));
        let others = (told.is_none() || misled).then(|| (0..listed.len()).rev());
        let all = told.into_iter().chain(others.into_iter().flatten());
        all.map(move |rotations| after(self.place, rotations, listed))
    }
}

/// FNV-1a, which is the same for ever.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mark { place, length, sum, older_ns } = self;
        write!(f, "{:x}.{:x}.{length:x}.{sum:x}", place.number, place.offset)?;
        older_ns.map_or(Ok(()), |written| write!(f, ".{written:x}"))
    }
}

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Mark, NoMark> {
        parsed(text).ok_or_else(|| NoMark(text.to_owned()))
    }
}

fn parsed(text: &str) -> Option<Mark> {
    let mut numbers = text.split('.').map(|part| u64::from_str_radix(part, 16).ok());
    let number = usize::from(u16::try_from(numbers.next()??).ok()?);
    let offset = numbers.next()?.filter(|offset| i64::try_from(*offset).is_ok())?;
    let length = usize::try_from(numbers.next()??).ok().filter(|length| *length <= MEMORY)?;
    let sum = numbers.next()??;
    let older_ns = match numbers.next() {
        None => None,
        Some(written) => Some(written?.cast_signed()),
    };
    numbers.next().is_none().then_some(Mark { place: Place { number, offset }, length, sum, older_ns })
}

#[cfg(test)]
mod tests {
    use super::super::world::World;
    use super::*;

    /// Reads for a while, and goes away; again and again, each time as another reader.
    async fn read_with_pauses(world: &World, steps: u32) -> Vec<u8> {
        let (mut mark, mut text, mut silent) = (None::<Mark>, Vec::new(), 0);
        while silent < 3 {
            let mut stream = match mark {
                None => Stream::new(world).await.unwrap(),
                Some(mark) => mark.to_string().parse::<Mark>().unwrap().open(world).await.unwrap().0,
            };
            let before = text.len();
            for _ in 0..3 {
                text.extend(stream.next().await.unwrap());
            }
            assert!(!stream.take_gap(), "after {} bytes", text.len());
            silent = if text.len() == before && world.is_over() { silent + 1 } else { 0 };
            mark = Some(stream.position().mark());
            world.go_on(steps);
        }
        text
    }

    #[tokio::test]
    async fn a_reader_that_comes_back_again_and_again_reads_every_byte_once() {
        for seed in 0..30 {
            for steps in [0, 10, 300] {
                let world = World::new(seed, 200);
                let text = String::from_utf8(read_with_pauses(&world, steps).await).unwrap();
                let expected: String = (1..=world.lines()).map(|number| format!("line {number}\n")).collect();
                assert!(text == expected, "seed {seed}, {steps} steps: {text}");
            }
        }
    }

    #[tokio::test]
    async fn lines_that_are_all_the_same_are_counted_by_the_times_of_files() {
        for seed in 0..30 {
            for steps in [10, 300] {
                let world = World::of_equal_lines(seed, 200);
                let text = read_with_pauses(&world, steps).await;
                assert_eq!(text.len(), world.lines() as usize * "tick\n".len(), "seed {seed}, {steps} steps");
            }
        }
    }

    #[tokio::test]
    async fn a_place_that_is_gone_is_the_oldest_one_with_a_gap() {
        let world = World::new(3, 1);
        world.go_on(100);
        let mut stream = Stream::new(&world).await.unwrap();
        while stream.next().await.unwrap().is_empty() {}
        let mark = stream.position().mark();
        world.go_on(2000);
        let (mut stream, _) = mark.open(&world).await.unwrap();
        assert!(stream.take_gap() && !stream.next().await.unwrap().is_empty());
    }

    #[test]
    fn names_are_read_as_they_are_written_and_nothing_else_is() {
        let position = Position { place: Place { number: 3, offset: 700 }, before: vec![b'x'; 9], older_ns: Some(-5) };
        for mark in
            [position.mark(), Position { older_ns: None, ..position.clone() }.mark(), Position::default().mark()]
        {
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        for bad in [
            "",
            "0",
            "0.0.0",
            "0.0.0.0.0.0",
            "g.0.0.0",
            "10000.0.0.0",
            "0.ffffffffffffffff.0.0",
            "0.0.101.0",
            "0.0.0.0.",
        ] {
            assert_eq!(bad.parse::<Mark>(), Err(NoMark(bad.to_owned())), "{bad}");
        }
    }
}
