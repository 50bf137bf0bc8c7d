//! The journal of events: each gets an id, and the last of them are kept for listeners that were away. Pure.
//!
//! Ids begin with the wall clock, so that those of a later run are higher, and one of an earlier run is known as such.
//! Invariant: those that are kept follow each other without a gap, and are bounded in number and in size.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use crate::events::Event;
use crate::time::Timestamp;

/// The most events that are kept, and about how many bytes of them.
const KEPT: usize = 4096;
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// The ids of a millisecond. A run that tells fewer than these, on average, has none of the next one's.
const IDS_PER_MILLISECOND: u64 = 1000;

/// An event, and its place among all.
#[derive(Debug)]
pub(crate) struct Told {
    pub id: u64,
    pub event: Event,
}

#[derive(Debug)]
pub(crate) struct Journal {
    next: u64,
    kept: VecDeque<Arc<Told>>,
    bytes: usize,
}

/// The events after one that a listener had last.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    pub events: VecDeque<Arc<Told>>,
    /// The id before those of `events`, if others were told between that listener's and it, or may have been.
    pub gap: Option<u64>,
}

impl Journal {
    /// Empty, at the start of a run.
    pub(crate) fn new(now: Timestamp) -> Journal {
        let first = u64::try_from(now.millis()).unwrap_or(0).saturating_mul(IDS_PER_MILLISECOND);
        Journal { next: first, kept: VecDeque::new(), bytes: 0 }
    }

    /// Gives an event its id, and keeps it.
    pub(crate) fn add(&mut self, event: Event) -> Arc<Told> {
        let told = Arc::new(Told { id: self.next, event });
        self.next += 1;
        self.bytes += size(&told.event.data);
        self.kept.push_back(told.clone());
        while self.kept.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(size(&oldest.event.data));
        }
        told
    }

    /// The events after this one.
    pub(crate) fn since(&self, last: u64) -> Missed {
        let before = self.kept.front().map_or(self.next, |oldest| oldest.id).saturating_sub(1);
        let is_known = (before..self.next).contains(&last);
        let events = self.kept.iter().filter(|told| told.id > last).cloned().collect();
        // Nothing can be said of an id that nothing has yet.
        let resumes = if last < before { before } else { self.next.saturating_sub(1) };
        Missed { events, gap: (!is_known).then_some(resumes) }
    }
}

/// About how many bytes a value takes as text.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 3,
        Value::Array(all) => all.iter().map(size).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + 4 + size(value)).sum::<usize>() + 2,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const START: u64 = 5000;

    fn journal(events: usize, text: &str) -> Journal {
        let mut journal = Journal::new(Timestamp::from_millis(5));
        for _ in 0..events {
            journal.add(Event::new("app_terminated_event", Timestamp::from_millis(5), json!({"text": text})));
        }
        journal
    }

    fn ids(missed: &Missed) -> Vec<u64> {
        missed.events.iter().map(|told| told.id).collect()
    }

    #[test]
    fn who_was_away_gets_what_was_told_meanwhile() {
        let journal = journal(3, "");
        let of = |last| {
            let missed = journal.since(last);
            (ids(&missed), missed.gap)
        };
        assert_eq!(of(START), (vec![START + 1, START + 2], None));
        assert_eq!(of(START + 2), (vec![], None));
        assert_eq!(of(START - 1), (vec![START, START + 1, START + 2], None), "nothing was told before");
    }

    #[test]
    fn an_id_of_another_run_or_that_is_not_kept_is_a_gap() {
        let journal = journal(KEPT + 10, "");
        let missed = journal.since(START + 5);
        assert_eq!((missed.gap, missed.events.len()), (Some(START + 9), KEPT));
        assert_eq!(missed.events[0].id, START + 10);
        assert_eq!(journal.since(17).gap, Some(START + 9), "of an earlier run");
        let ahead = journal.since(u64::MAX);
        assert_eq!((ahead.gap, ahead.events.len()), (Some(START + KEPT as u64 + 9), 0));
        assert_eq!(Journal::new(Timestamp::from_millis(5)).since(17).gap, Some(START - 1));
    }

    #[test]
    fn large_events_are_kept_for_shorter() {
        let journal = journal(100, &"x".repeat(100_000));
        assert!(journal.kept.len() < 25 && journal.bytes <= KEPT_BYTES, "{} {}", journal.kept.len(), journal.bytes);
        assert_eq!(journal.since(START).gap, Some(journal.kept[0].id - 1));
    }
}
