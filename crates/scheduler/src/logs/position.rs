//! Places in a log, and the way they move when it is rotated: one part pure, one that reads the bytes before a place.
//!
//! A place is a file and an offset. It is recognized by the bytes before it, and by the file before its own, whose last
//! writing says how often the log was rotated since then, also where the bytes are the same again and again.

use std::cmp::min;

use super::mark::Mark;
use super::stream::{File, Files};

/// The most bytes by which a place is recognized.
pub(super) const MEMORY: usize = 256;

/// A file of a log, by number, and an offset in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) number: usize,
    pub(super) offset: u64,
}

/// A place, and how to recognize it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(super) place: Place,
    /// The last bytes before it; none only at the beginning of all.
    pub(super) before: Vec<u8>,
    /// The last writing of the file before its own, if there is one and that is known.
    pub(super) older_ns: Option<i64>,
}

impl Position {
    pub(super) fn new(place: Place, before: Vec<u8>, listed: &[File]) -> Position {
        Position { place, before, older_ns: older_ns(place, listed) }
    }

    /// The beginning of all.
    pub(super) fn oldest(listed: &[File]) -> Position {
        let place = Place { number: listed.len().saturating_sub(1), offset: 0 };
        Position { place, before: Vec::new(), older_ns: None }
    }

    /// These bytes follow.
    pub(super) fn advance(&mut self, data: &[u8]) {
        self.place.offset += data.len() as u64;
        self.before.extend(data);
        let forgotten = self.before.len().saturating_sub(MEMORY);
        self.before.drain(..forgotten);
    }

    /// The same bytes lie before this place.
    pub(super) fn move_to(&mut self, place: Place, listed: &[File]) {
        (self.place, self.older_ns) = (place, older_ns(place, listed));
    }

    /// The name of the place, by which another reader finds it.
    pub(crate) fn mark(&self) -> Mark {
        Mark::of(self)
    }
}

fn older_ns(place: Place, listed: &[File]) -> Option<i64> {
    listed.get(place.number + 1)?.written_ns
}

/// The bytes before a place, as many as it is recognized by, also from the file before its own.
pub(super) async fn before<F: Files>(files: &F, place: Place, listed: &[File]) -> Result<Vec<u8>, F::Error> {
    let own = min(place.offset, MEMORY as u64);
    let size = listed.get(place.number + 1).map_or(0, |file| file.size);
    let older = min(size, MEMORY as u64 - own);
    let mut found = Vec::new();
    if older > 0 {
        found = files.read(place.number + 1, size - older, Some(older)).await?;
    }
    if own > 0 {
        found.extend(files.read(place.number, place.offset - own, Some(own)).await?);
    }
    Ok(found)
}

/// The place of a byte after so many rotations, with files that are now like this.
pub(super) fn after(place: Place, rotations: usize, listed: &[File]) -> Place {
    let mut moved = Place { number: place.number + rotations, offset: place.offset };
    if place.number > 0 {
        return moved;
    }
    // The beginning of the log went to these files, and the rest of it stayed.
    while moved.number > 0 {
        let Some(left) = listed.get(moved.number).and_then(|file| moved.offset.checked_sub(file.size)) else { break };
        moved = Place { number: moved.number - 1, offset: left };
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_moves_with_the_files() {
        let place = |number, offset| Place { number, offset };
        let after = |from, rotations, sizes: &[u64]| {
            let listed: Vec<File> = sizes.iter().map(|size| File { size: *size, written_ns: None }).collect();
            after(from, rotations, &listed)
        };
        assert_eq!(after(place(0, 30), 0, &[30]), place(0, 30));
        assert_eq!(after(place(0, 30), 1, &[5, 25]), place(0, 5));
        assert_eq!(after(place(0, 30), 2, &[5, 25, 31]), place(2, 30));
        assert_eq!(after(place(1, 30), 2, &[5, 25, 31, 40]), place(3, 30));
    }
}
