//! The sum of events.

use checks::{Event, Outcome, VerdictEvent};

use super::siege;
use crate::measured::{Fates, Late, Measured};

/// Start errors are counted in steps of 0.1 ms; whatever is later than the last one is in the last one: 10 s.
const STEPS: usize = 100_000;

pub(super) struct Tally {
    measured: Measured,
    late: Vec<u32>,
    /// One for each hostile target: true if it was called unhealthy.
    found: Vec<bool>,
    fates: Fates,
}

impl Tally {
    pub(super) fn new(hostile: usize) -> Tally {
        Tally::of(vec![false; hostile])
    }

    fn of(found: Vec<bool>) -> Tally {
        Tally { measured: Measured::default(), late: vec![0; STEPS], found, fates: Fates::default() }
    }

    /// The same tally at its beginning, but for the targets that were found until now.
    pub(super) fn begin(self) -> Tally {
        Tally::of(self.found)
    }

    pub(super) fn count(&mut self, event: &Event) {
        match event.check.checked_sub(siege::FIRST) {
            Some(hostile) => self.count_hostile(hostile as usize, event),
            None => self.count_ordinary(event),
        }
    }

    fn count_hostile(&mut self, number: usize, event: &Event) {
        self.fates.attempts += 1;
        self.fates.inconclusive += u64::from(matches!(event.outcome, Outcome::Inconclusive(_)));
        self.found[number] |= is_unhealthy(event);
    }

    fn count_ordinary(&mut self, event: &Event) {
        let measured = &mut self.measured;
        measured.checks += 1;
        match event.outcome {
            Outcome::Success(_) => {}
            Outcome::Failure(_) => measured.failures += 1,
            Outcome::Inconclusive(_) => measured.inconclusive += 1,
        }
        measured.unhealthy += u64::from(is_unhealthy(event));
        let step = event.lateness.as_micros() / 100;
        self.late[usize::try_from(step).unwrap_or(STEPS).min(STEPS - 1)] += 1;
    }

    pub(super) fn into_measured(self) -> Measured {
        let late = Late { p50: self.late_ms(0.5), p99: self.late_ms(0.99), max: self.late_ms(1.0) };
        let (targets, found) = (self.found.len() as u64, self.found.iter().filter(|found| **found).count() as u64);
        let hostile = (targets > 0).then_some(Fates { targets, found, ..self.fates });
        Measured { late_ms: Some(late), hostile, ..self.measured }
    }

    /// This part of all attempts started no later than that.
    fn late_ms(&self, part: f64) -> f64 {
        let wanted = self.measured.checks as f64 * part;
        let mut seen = 0;
        let step = self.late.iter().position(|count| {
            seen += u64::from(*count);
            seen as f64 >= wanted
        });
        step.map_or(f64::NAN, |step| (step + 1) as f64 / 10.0)
    }
}

fn is_unhealthy(event: &Event) -> bool {
    matches!(event.verdict, Some(VerdictEvent::Unhealthy { .. }))
}
