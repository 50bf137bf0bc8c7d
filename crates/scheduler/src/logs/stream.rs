//! The whole of a log that is rotated while it is read: its older files, and then the log itself.
//!
//! In: [`Files`], which others write and rename. Out: their bytes in order. A rotation shows by the bytes before the place
//! that was read up to: they are not there any more. They are then looked for in the files that the log's beginning has
//! gone to.

use std::cmp::min;

/// The most bytes by which a place is recognized.
const MEMORY: usize = 256;

/// A log and its older files, by number: 0 is the log, 1 the youngest of the others.
pub(crate) trait Files {
    /// The reason why they cannot be read.
    type Error;
    /// The files, by number.
    async fn list(&self) -> Result<Vec<File>, Self::Error>;
    /// The bytes from there on, perhaps not all; none if there is no such file.
    async fn read(&self, number: usize, offset: u64, length: Option<u64>) -> Result<Vec<u8>, Self::Error>;
}

/// One of a log's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct File {
    /// Its length in bytes.
    pub(crate) size: u64,
    /// The second since the epoch in which it was last written, where that is known.
    pub(crate) written_secs: Option<i64>,
}

/// A place in a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(crate) number: usize,
    pub(crate) offset: u64,
}

/// A log that is read.
#[derive(Debug)]
pub(crate) struct Stream<F> {
    files: F,
    place: Place,
    /// The last bytes before the place, if any were read.
    before: Vec<u8>,
}

impl<F: Files> Stream<F> {
    /// From the oldest byte on.
    #[cfg(test)]
    pub(crate) async fn new(files: F) -> Result<Stream<F>, F::Error> {
        let number = files.list().await?.len().saturating_sub(1);
        Ok(Stream { files, place: Place { number, offset: 0 }, before: Vec::new() })
    }

    /// From this place on.
    pub(super) async fn at(files: F, place: Place) -> Result<Stream<F>, F::Error> {
        let here = min(place.offset, MEMORY as u64);
        let before = match here {
            0 => Vec::new(),
            here => files.read(place.number, place.offset - here, Some(here)).await?,
        };
        Ok(Stream { files, place, before })
    }

    /// Goes on with the same files, which are read in another way from now on.
    pub(crate) fn read_through(&mut self, files: F) {
        self.files = files;
    }

    /// The next bytes; none if there are no more for now.
    pub(crate) async fn next(&mut self) -> Result<Vec<u8>, F::Error> {
        loop {
            let data = self.files.read(self.place.number, self.place.offset, None).await?;
            // What was read is what was meant if nothing has moved by then.
            if !self.is_at(self.place).await? {
                self.find().await?;
            } else if data.is_empty() && self.place.number > 0 {
                self.place = Place { number: self.place.number - 1, offset: 0 };
            } else {
                self.advance(&data);
                return Ok(data);
            }
        }
    }

    fn advance(&mut self, data: &[u8]) {
        self.place.offset += data.len() as u64;
        self.before.extend(data);
        let forgotten = self.before.len().saturating_sub(MEMORY);
        self.before.drain(..forgotten);
    }

    async fn sizes(&self) -> Result<Vec<u64>, F::Error> {
        Ok(self.files.list().await?.iter().map(|file| file.size).collect())
    }

    /// True if the bytes before this place are those that were read last.
    async fn is_at(&self, place: Place) -> Result<bool, F::Error> {
        let here = usize::try_from(place.offset).map_or(self.before.len(), |offset| min(offset, self.before.len()));
        let (older, own) = self.before.split_at(self.before.len() - here);
        let here = here as u64;
        if self.files.read(place.number, place.offset - here, Some(here)).await? != own {
            return Ok(false);
        }
        if older.is_empty() {
            return Ok(true);
        }
        let sizes = self.sizes().await?;
        let Some(size) = sizes.get(place.number + 1) else { return Ok(false) };
        // One file goes on in the next, but is not remembered beyond its beginning.
        let known = usize::try_from(*size).map_or(older.len(), |size| min(size, older.len()));
        let older = &older[older.len() - known..];
        Ok(self.files.read(place.number + 1, size - known as u64, Some(known as u64)).await? == older)
    }

    /// Looks for the place after rotations, of which there may have been several. If it has gone with the oldest file,
    /// the reading goes on with what is the oldest now.
    async fn find(&mut self) -> Result<(), F::Error> {
        let sizes = self.sizes().await?;
        for rotations in 0..sizes.len() {
            let place = after(self.place, rotations, &sizes);
            if self.is_at(place).await? {
                self.place = place;
                return Ok(());
            }
        }
        self.before.clear();
        self.place = Place { number: sizes.len().saturating_sub(1), offset: 0 };
        Ok(())
    }
}

/// The place of a byte after so many rotations, with files that are now this long.
fn after(place: Place, rotations: usize, sizes: &[u64]) -> Place {
    let mut moved = Place { number: place.number + rotations, offset: place.offset };
    if place.number > 0 {
        return moved;
    }
    // The beginning of the log went to these files, and the rest of it stayed.
    while moved.number > 0 {
        let Some(left) = sizes.get(moved.number).and_then(|size| moved.offset.checked_sub(*size)) else { break };
        moved = Place { number: moved.number - 1, offset: left };
    }
    moved
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use super::*;

    /// A log that grows and is rotated between any two looks at it.
    struct World(RefCell<Log>);

    struct Log {
        files: VecDeque<Vec<u8>>,
        lines: u32,
        random: u32,
        keeps: usize,
    }

    impl World {
        fn new(seed: u32, keeps: usize) -> World {
            World(RefCell::new(Log { files: [Vec::new()].into(), lines: 0, random: seed, keeps }))
        }
    }

    impl Log {
        fn random(&mut self, below: u32) -> u32 {
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.random >> 8) % below
        }

        /// Goes on for a moment, as long as there are lines to come.
        fn go_on(&mut self) {
            if self.lines < 3000 {
                for _ in 0..self.random(6) {
                    self.lines += 1;
                    self.files[0].extend(format!("line {}\n", self.lines).bytes());
                }
            }
            while self.files[0].len() > 512 {
                let rest = self.files[0].split_off(512);
                self.files.push_front(rest);
                self.files.truncate(self.keeps + 1);
            }
        }
    }

    impl Files for &World {
        type Error = Infallible;

        async fn list(&self) -> Result<Vec<File>, Infallible> {
            let mut log = self.0.borrow_mut();
            log.go_on();
            Ok(log.files.iter().map(|file| File { size: file.len() as u64, written_secs: None }).collect())
        }

        async fn read(&self, number: usize, offset: u64, length: Option<u64>) -> Result<Vec<u8>, Infallible> {
            let mut log = self.0.borrow_mut();
            log.go_on();
            let some = log.random(700).max(1) as usize;
            let most = length.map_or(some, |length| usize::try_from(length).unwrap());
            let file = log.files.get(number).map_or(&[][..], Vec::as_slice);
            let rest = file.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
            Ok(rest[..min(rest.len(), most)].to_vec())
        }
    }

    async fn read(world: &World) -> Vec<u32> {
        let mut stream = Stream::new(world).await.unwrap();
        let (mut text, mut silent) = (Vec::new(), 0);
        while silent < 3 {
            let data = stream.next().await.unwrap();
            silent = if data.is_empty() && world.0.borrow().lines >= 3000 { silent + 1 } else { 0 };
            text.extend(data);
        }
        let text = String::from_utf8(text).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("line ")?.parse().ok()).collect()
    }

    #[tokio::test]
    async fn every_line_comes_once_and_in_order_whenever_the_log_is_rotated() {
        for seed in 0..50 {
            let world = World::new(seed, 100);
            let lines = read(&world).await;
            assert!(lines == (1..=world.0.borrow().lines).collect::<Vec<_>>(), "seed {seed}: {lines:?}");
        }
    }

    #[tokio::test]
    async fn a_reader_that_is_too_slow_misses_what_is_gone_and_repeats_nothing() {
        for seed in 0..50 {
            let world = World::new(seed, 1);
            let lines = read(&world).await;
            assert_eq!(lines.last(), Some(&world.0.borrow().lines));
            let disorder = lines.windows(2).filter(|pair| pair[0] >= pair[1]).count();
            // A line that is cut by a gap may seem to be another one.
            assert!(lines.len() > 100 && disorder * 20 < lines.len(), "seed {seed}: {disorder} of {}", lines.len());
        }
    }

    #[test]
    fn a_place_moves_with_the_files() {
        let place = |number, offset| Place { number, offset };
        assert_eq!(after(place(0, 30), 0, &[30]), place(0, 30));
        assert_eq!(after(place(0, 30), 1, &[5, 25]), place(0, 5));
        assert_eq!(after(place(0, 30), 2, &[5, 25, 31]), place(2, 30));
        assert_eq!(after(place(1, 30), 2, &[5, 25, 31, 40]), place(3, 30));
    }
}
