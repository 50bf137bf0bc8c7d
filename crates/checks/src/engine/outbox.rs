//! Events that wait for delivery. To wake their reader for every check, or even for every tick, costs as much as the check;
//! so successes wait for one another.
//!
//! In: events, the time, whether more of them are to come soon. Out: all of them at once. Pure.

use std::time::Duration;

use super::Event;
use crate::outcome::Outcome;
use crate::timetable::Key;

/// The number of ticks in which successes that change nothing are gathered. Everything else is delivered within one.
const GATHERING: u32 = 5;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    events: Vec<(Key, Event)>,
    /// True if one of them is more than another success.
    presses: bool,
    /// The moment of the last delivery.
    delivered: Duration,
}

impl Outbox {
    pub(super) fn push(&mut self, key: Key, event: Event) {
        self.presses |= event.verdict.is_some() || !matches!(event.outcome, Outcome::Success(_));
        self.events.push((key, event));
    }

    /// The events to deliver now, if it is time, or if the loop rests for longer than a tick.
    pub(super) fn due(&mut self, now: Duration, tick: Duration, rests: bool) -> Option<Vec<(Key, Event)>> {
        let patience = if self.presses { tick } else { tick.saturating_mul(GATHERING) };
        let is_time = rests || now.saturating_sub(self.delivered) >= patience;
        if self.events.is_empty() || !is_time {
            return None;
        }
        (self.delivered, self.presses) = (now, false);
        Some(std::mem::take(&mut self.events))
    }

    /// The room the events took, for the next ones.
    pub(super) fn reuse(&mut self, room: Vec<(Key, Event)>) {
        self.events = room;
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::outcome::{Answer, Failure};
    use crate::spec::CheckId;
    use crate::verdict::VerdictEvent;

    const TICK: Duration = Duration::from_millis(10);

    fn event(outcome: Outcome, verdict: Option<VerdictEvent>) -> Event {
        Event { verdict, ..Event::new(CheckId::default(), SystemTime::UNIX_EPOCH, outcome) }
    }

    fn delivered_after(outcome: Outcome, verdict: Option<VerdictEvent>) -> Option<u32> {
        let mut outbox = Outbox::default();
        outbox.push(1, event(outcome, verdict));
        (0..100).find(|tick| outbox.due(*tick * TICK, TICK, false).is_some())
    }

    #[test]
    fn successes_wait_for_one_another_and_nothing_else_does() {
        let success = Outcome::Success(Answer::Connected);
        assert_eq!(delivered_after(success.clone(), None), Some(5));
        assert_eq!(delivered_after(success, Some(VerdictEvent::Healthy)), Some(1));
        assert_eq!(delivered_after(Outcome::Failure(Failure::Refused), None), Some(1));
    }

    #[test]
    fn nothing_waits_while_we_rest() {
        let mut outbox = Outbox::default();
        assert!(outbox.due(TICK, TICK, true).is_none(), "there is nothing");
        outbox.push(1, event(Outcome::Success(Answer::Connected), None));
        assert_eq!(outbox.due(TICK, TICK, true).map(|events| events.len()), Some(1));
        assert!(outbox.due(100 * TICK, TICK, false).is_none(), "it is told");
    }
}
