//! Output cut into lines, with what happens between them. In: a [`Reader`]. Out: steps, the end at last.

use super::reader::{Piece, Reader};
use crate::logs::{Line, Lines};

/// A reader whose output is cut into lines.
pub(super) struct Told {
    pub reader: Reader,
    lines: Vec<Lines>,
    /// Output before which something is gone.
    held: Option<(usize, Vec<u8>)>,
}

/// A step of what is told of a task's output. Streams are named by their places.
pub(super) enum Step {
    Lines(usize, Vec<Line>),
    /// The rest is gone: the line that breaks off there.
    Gap(usize, Option<Line>),
    /// The lines that have no end, and then this.
    Over(Vec<(usize, Line)>, Piece),
}

impl Told {
    pub(super) fn new(reader: Reader) -> Told {
        let lines = reader.sources.iter().map(|_| Lines::default()).collect();
        Told { reader, lines, held: None }
    }

    pub(super) async fn next(&mut self) -> Option<Step> {
        let next = match self.held.take() {
            Some((at, data)) => Piece::Output(at, data),
            None => self.reader.next().await?,
        };
        let Piece::Output(at, data) = next else { return Some(Step::Over(self.rests(), next)) };
        let lines = self.lines.get_mut(at)?;
        if self.reader.sources.get_mut(at)?.stream.take_gap() {
            self.held = Some((at, data));
            return Some(Step::Gap(at, lines.rest()));
        }
        Some(Step::Lines(at, lines.push(&data)))
    }

    /// The name of a stream.
    pub(super) fn name(&self, at: usize) -> &'static str {
        self.reader.sources.get(at).map_or("", |source| source.name)
    }

    /// The number of bytes of a stream that are no line yet.
    pub(super) fn open(&self, at: usize) -> usize {
        self.lines.get(at).map_or(0, Lines::open)
    }

    fn rests(&mut self) -> Vec<(usize, Line)> {
        self.lines.iter_mut().enumerate().filter_map(|(at, lines)| Some((at, lines.rest()?))).collect()
    }
}
