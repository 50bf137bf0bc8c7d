//! The whole of a log that is rotated while it is read: its older files, and then the log itself.
//!
//! In: [`Files`], which others write and rename. Out: their bytes in order. A rotation shows by the bytes before the place
//! that was read up to: they are not there any more. They are then looked for in the files that the log's beginning has
//! gone to.

use std::cmp::min;

use super::position::{Place, Position, before};

/// The number of times that a place is looked for while the log is rotated: where the times of the files say, and then
/// everywhere.
const TRIES: u32 = 3;

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
    /// The nanosecond since the epoch in which it was last written, where that is known.
    pub(crate) written_ns: Option<i64>,
}

/// A log that is read.
#[derive(Debug)]
pub(crate) struct Stream<F> {
    files: F,
    position: Position,
    /// The place was not there any more, and nobody was told yet.
    has_gap: bool,
}

impl<F: Files> Stream<F> {
    /// From the oldest byte on.
    #[cfg(test)]
    pub(crate) async fn new(files: F) -> Result<Stream<F>, F::Error> {
        let position = Position::oldest(&files.list().await?);
        Ok(Stream::from(files, position))
    }

    /// From this place on.
    pub(super) async fn at(files: F, place: Place, listed: &[File]) -> Result<Stream<F>, F::Error> {
        let before = before(&files, place, listed).await?;
        Ok(Stream::from(files, Position::new(place, before, listed)))
    }

    pub(super) fn from(files: F, position: Position) -> Stream<F> {
        Stream { files, position, has_gap: false }
    }

    /// From the oldest byte on, in place of one that is gone.
    pub(super) fn after_gap(files: F, listed: &[File]) -> Stream<F> {
        Stream { files, position: Position::oldest(listed), has_gap: true }
    }

    /// Goes on with the same files, which are read in another way from now on.
    pub(crate) fn read_through(&mut self, files: F) {
        self.files = files;
    }

    /// The place up to which it was read.
    pub(crate) fn position(&self) -> &Position {
        &self.position
    }

    /// True if something between what was read last and what was read before that is gone. Says so once.
    pub(crate) fn take_gap(&mut self) -> bool {
        std::mem::take(&mut self.has_gap)
    }

    /// The next bytes; none if there are no more for now.
    pub(crate) async fn next(&mut self) -> Result<Vec<u8>, F::Error> {
        loop {
            let place = self.position.place;
            let data = self.files.read(place.number, place.offset, None).await?;
            // What was read is what was meant if nothing has moved by then.
            if !self.is_at(place).await? {
                self.find().await?;
            } else if data.is_empty() && place.number > 0 {
                self.move_on(place).await?;
            } else {
                self.position.advance(&data);
                return Ok(data);
            }
        }
    }

    /// Goes on with the next file, if this is still the end of one.
    async fn move_on(&mut self, end: Place) -> Result<(), F::Error> {
        let listed = self.files.list().await?;
        if self.is_at(end).await? {
            self.position.move_to(Place { number: end.number - 1, offset: 0 }, &listed);
        }
        Ok(())
    }

    /// True if the bytes before this place are those that were read last; if none were, if nothing is before it.
    async fn is_at(&self, place: Place) -> Result<bool, F::Error> {
        let known = &self.position.before;
        if known.is_empty() {
            let listed = self.files.list().await?;
            return Ok(place.offset == 0 && listed.iter().skip(place.number + 1).all(|older| older.size == 0));
        }
        let here = usize::try_from(place.offset).map_or(known.len(), |offset| min(offset, known.len()));
        let (older, own) = known.split_at(known.len() - here);
        let here = here as u64;
        if self.files.read(place.number, place.offset - here, Some(here)).await? != own {
            return Ok(false);
        }
        if older.is_empty() {
            return Ok(true);
        }
        let listed = self.files.list().await?;
        let Some(File { size, .. }) = listed.get(place.number + 1) else { return Ok(false) };
        // One file goes on in the next, but is not remembered beyond its beginning.
        let known = usize::try_from(*size).map_or(older.len(), |size| min(size, older.len()));
        let older = &older[older.len() - known..];
        Ok(self.files.read(place.number + 1, size - known as u64, Some(known as u64)).await? == older)
    }

    /// Looks for the place after rotations, of which there may have been several. If it has gone with the oldest file,
    /// the reading goes on with what is the oldest now.
    async fn find(&mut self) -> Result<(), F::Error> {
        for is_misled in (0..2 * TRIES).map(|tried| tried >= TRIES) {
            let listed = self.files.list().await?;
            for place in self.position.mark().candidates(&listed, is_misled) {
                if self.is_at(place).await? {
                    self.position.move_to(place, &listed);
                    return Ok(());
                }
            }
        }
        self.has_gap |= !self.position.before.is_empty();
        self.position = Position::oldest(&self.files.list().await?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::world::World;
    use super::*;

    async fn read(world: &World) -> Vec<u32> {
        let mut stream = Stream::new(world).await.unwrap();
        let (mut text, mut silent) = (Vec::new(), 0);
        while silent < 3 {
            let data = stream.next().await.unwrap();
            silent = if data.is_empty() && world.is_over() { silent + 1 } else { 0 };
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
            assert!(lines == (1..=world.lines()).collect::<Vec<_>>(), "seed {seed}: {lines:?}");
        }
    }

    #[tokio::test]
    async fn a_reader_that_is_too_slow_misses_what_is_gone_and_repeats_nothing() {
        for seed in 0..50 {
            let world = World::new(seed, 1);
            let lines = read(&world).await;
            assert_eq!(lines.last(), Some(&world.lines()));
            let disorder = lines.windows(2).filter(|pair| pair[0] >= pair[1]).count();
            // A line that is cut by a gap may seem to be another one.
            assert!(lines.len() > 100 && disorder * 20 < lines.len(), "seed {seed}: {disorder} of {}", lines.len());
        }
    }

    #[tokio::test]
    async fn what_was_written_before_the_first_look_is_there_though_the_log_was_rotated_since() {
        let world = World::new(7, 100);
        let mut stream = Stream::new(&world).await.unwrap();
        world.go_on(200);
        assert!(stream.next().await.unwrap().starts_with(b"line 1\n"));
        assert!(!stream.take_gap());
    }

    #[tokio::test]
    async fn older_files_that_somebody_emptied_are_passed_over() {
        let world = World::new(7, 100);
        world.go_on(500);
        world.empty_older_files();
        let mut stream = Stream::new(&world).await.unwrap();
        let data = tokio::time::timeout(Duration::from_secs(60), stream.next()).await.expect("an end").unwrap();
        assert!(!data.is_empty() && stream.position().place.number == 0);
    }

    #[tokio::test]
    async fn a_gap_is_told_once() {
        let world = World::new(7, 1);
        let mut stream = Stream::new(&world).await.unwrap();
        world.go_on(1);
        while stream.next().await.unwrap().is_empty() {}
        world.go_on(2000);
        stream.next().await.unwrap();
        assert_eq!([stream.take_gap(), stream.take_gap()], [true, false]);
    }
}
