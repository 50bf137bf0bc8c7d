//! Output as server-sent events: `begin`, `line`, `gap`, and at last `end` or `error`. Each has an id, by which a client that
//! comes back goes on where it was. In: a [`Reader`]. Out: events, as they are asked for.

use std::convert::Infallible;

use axum::response::sse;
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::{Value, json};

use super::form::{head, json_line, over_json};
use super::reader::{Piece, Reader};
use super::told::{Step, Told};
use super::wish;
use crate::logs::{Line, Trail};

/// See the module.
pub(super) fn events(reader: Reader) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send {
    let begun = Marked::new(reader);
    let begin = stream::iter([begun.event("begin", &head(&begun.told.reader))]);
    let rest = stream::unfold(Some(begun), |marked| async move {
        let mut marked = marked?;
        let step = marked.told.next().await?;
        let is_over = matches!(step, Step::Over(..));
        Some((marked.events(step), (!is_over).then_some(marked)))
    });
    begin.chain(rest.flat_map(stream::iter)).map(Ok)
}

/// Lines, and the place behind the last of them in each stream.
struct Marked {
    told: Told,
    trails: Vec<Trail>,
}

impl Marked {
    fn new(reader: Reader) -> Marked {
        let trails = reader.sources.iter().map(|source| Trail::from(source.stream.position())).collect();
        Marked { told: Told::new(reader), trails }
    }

    /// An event that goes on from here.
    fn event(&self, kind: &str, data: &Value) -> sse::Event {
        let marks = self.trails.iter().enumerate().map(|(at, trail)| (self.told.name(at), trail.mark()));
        sse::Event::default().id(wish::id(marks)).event(kind).data(data.to_string())
    }

    fn events(&mut self, step: Step) -> Vec<sse::Event> {
        match step {
            Step::Lines(at, lines) => self.lines(at, &lines, self.told.open(at)),
            Step::Gap(at, rest) => {
                let mut events = self.lines(at, rest.as_slice(), 0);
                self.trails.get_mut(at).into_iter().for_each(Trail::lose);
                events.push(self.event("gap", &json!({"stream": self.told.name(at)})));
                events
            }
            Step::Over(rests, over) => {
                let rests: Vec<_> = rests.into_iter().flat_map(|(at, line)| self.lines(at, &[line], 0)).collect();
                let kind = if matches!(over, Piece::Failed(_)) { "error" } else { "end" };
                let last = self.event(kind, &over_json(&over));
                rests.into_iter().chain([last]).collect()
            }
        }
    }

    /// The events of lines behind which so many bytes were read.
    fn lines(&mut self, at: usize, lines: &[Line], open: usize) -> Vec<sse::Event> {
        let mut events = Vec::new();
        let mut left = open + lines.iter().map(Line::size).sum::<usize>();
        for line in lines {
            left -= line.size();
            let (Some(trail), Some(source)) = (self.trails.get_mut(at), self.told.reader.sources.get(at)) else {
                break;
            };
            trail.pass(line, left, source.stream.position());
            events.push(self.event("line", &json_line(source.name, line)));
        }
        events
    }
}
