//! The way through a log, line by line, with a [`Mark`] behind each line. Pure.

use super::lines::Line;
use super::mark::Mark;
use super::position::Position;

/// The place behind the last line that was told.
#[derive(Debug, Clone)]
pub(crate) struct Trail(Position);

impl Trail {
    pub(crate) fn from(position: &Position) -> Trail {
        Trail(position.clone())
    }

    pub(crate) fn mark(&self) -> Mark {
        self.0.mark()
    }

    /// The bytes before are gone: the bytes that come next are not those behind it.
    pub(crate) fn lose(&mut self) {
        self.0.before.clear();
    }

    /// Goes behind this line, which ends so many bytes before the place up to which was read.
    pub(crate) fn pass(&mut self, line: &Line, left: usize, read: &Position) {
        self.0.advance(&line.bytes);
        self.0.advance(if line.is_whole { b"\n" } else { b"" });
        (self.0.place, self.0.older_ns) = (read.place, read.older_ns);
        self.0.place.offset = read.place.offset.saturating_sub(left as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Lines;
    use super::super::stream::Stream;
    use super::super::world::World;
    use super::*;

    /// The line that a reader gets who comes back with this mark.
    async fn next_line(world: &World, mark: Mark) -> Option<Vec<u8>> {
        let (mut stream, _) = mark.open(world).await.unwrap();
        let mut lines = Lines::default();
        for _ in 0..100 {
            if let Some(line) = lines.push(&stream.next().await.unwrap()).into_iter().next() {
                return Some(line.bytes);
            }
        }
        None
    }

    #[tokio::test]
    async fn who_comes_back_with_the_mark_of_a_line_gets_the_next_one() {
        let world = World::new(11, 200);
        let mut stream = Stream::new(&world).await.unwrap();
        let (mut lines, mut trail, mut found) = (Lines::default(), Trail::from(stream.position()), Vec::new());
        found.push(trail.mark());
        for _ in 0..40 {
            let complete = lines.push(&stream.next().await.unwrap());
            let mut left = lines.open() + complete.iter().map(Line::size).sum::<usize>();
            for line in complete {
                left -= line.size();
                trail.pass(&line, left, stream.position());
                found.push(trail.mark());
            }
        }
        assert!(found.len() > 100, "{}", found.len());
        for (number, mark) in found.into_iter().enumerate().step_by(7) {
            assert_eq!(next_line(&world, mark).await, Some(format!("line {}", number + 1).into_bytes()));
        }
    }
}
