//! One attempt in seven bytes: a hundred thousand checks remember sixty each.
//!
//! In: when it started, how long it took, its outcome and its phases. Out: the same, nearly. Pure.
//!
//! | bits | | exact to |
//! |---|---|---|
//! | 4 | the kind of the outcome | |
//! | 10 | its code | 1023 stands for what is more |
//! | 12 | from the start of the attempt before to its start | 1/256 of it |
//! | 14 | the time it took | 1/1024 of it |
//! | 1 | whether a command's start was its first phase, or a connection | |
//! | 3 x 5 | the ends of its phases, 0 if it did not reach them | 1/60 of the time it took |

use std::time::Duration;

use super::rough::Rough;
use crate::outcome::{Kind, Outcome, Phases};

type Gap = Rough<7, 64>;
type Took = Rough<9, 1>;

const WIDTHS: [u32; 8] = [4, 10, 12, 14, 1, 5, 5, 5];

/// The share that is the whole of the time that an attempt took.
const WHOLE: u32 = 30;

/// An attempt of before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PastAttempt {
    /// The time since it started.
    pub ago: Duration,
    /// The time it took.
    pub duration: Duration,
    /// The outcome, by layer and cause.
    pub kind: Kind,
    /// The HTTP status, exit status or signal, or 0.
    pub code: u16,
    /// The times at which it reached its phases, to a sixtieth of its duration; none is later than its end.
    #[cfg_attr(feature = "serde", serde(default))]
    pub phases: Phases,
}

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record([u8; 7]);

impl Record {
    /// An attempt that started so long after the one before it.
    pub(super) fn new(gap: Duration, took: Duration, outcome: &Outcome, phases: &Phases) -> Record {
        let Phases { started, connected, secured, answered } = *phases;
        let [first, secured, answered] = [started.or(connected), secured, answered].map(|end| share(end, took));
        let (kind, code) = (outcome.kind() as u64, outcome.code().into());
        let is_command = started.is_some().into();
        pack([kind, code, Gap::of(gap).bits(), Took::of(took).bits(), is_command, first, secured, answered])
    }

    /// From the start of the attempt before.
    pub(super) fn gap(self) -> Duration {
        let [_, _, gap, ..] = self.unpack();
        Gap::of_bits(gap).duration()
    }

    pub(super) fn took(self) -> Duration {
        let [_, _, _, took, ..] = self.unpack();
        Took::of_bits(took).duration()
    }

    /// The attempt, which started so long ago.
    pub(super) fn past(self, ago: Duration) -> PastAttempt {
        let [kind, code, _, _, is_command, first, secured, answered] = self.unpack();
        let duration = self.took();
        let end = |share| end(share, duration);
        let (started, connected) = if is_command == 1 { (end(first), None) } else { (None, end(first)) };
        let phases = Phases { started, connected, secured: end(secured), answered: end(answered) };
        let kind = usize::try_from(kind).ok().and_then(|kind| Kind::ALL.get(kind)).copied();
        let code = u16::try_from(code).unwrap_or(u16::MAX);
        PastAttempt { ago, duration, kind: kind.unwrap_or(Kind::Inconclusive), code, phases }
    }

    fn unpack(self) -> [u64; 8] {
        let [a, b, c, d, e, f, g] = self.0;
        let mut bits = u64::from_le_bytes([a, b, c, d, e, f, g, 0]);
        let mut fields = [0; 8];
        for (field, width) in fields.iter_mut().zip(WIDTHS).rev() {
            *field = bits & ((1 << width) - 1);
            bits >>= width;
        }
        fields
    }
}

/// A value that is too much for a field is the most it can hold.
fn pack(fields: [u64; 8]) -> Record {
    let add = |bits: u64, (field, width): (u64, u32)| bits << width | field.min((1 << width) - 1);
    let bits = fields.into_iter().zip(WIDTHS).fold(0, add);
    let [a, b, c, d, e, f, g, _] = bits.to_le_bytes();
    Record([a, b, c, d, e, f, g])
}

/// 1 is the beginning of an attempt, and 31 its end.
fn share(end: Option<Duration>, took: Duration) -> u64 {
    let Some(end) = end else { return 0 };
    let (end, took) = (end.as_nanos() * u128::from(WHOLE), took.as_nanos());
    let nearest = (end + took / 2) / took.max(1);
    u64::try_from(nearest.min(WHOLE.into())).unwrap_or(0) + 1
}

fn end(share: u64, took: Duration) -> Option<Duration> {
    let parts = share.checked_sub(1)?;
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    Some(Duration::from_micros(micros.saturating_mul(parts) / u64::from(WHOLE)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outcome::{Answer, Failure, Reason};

    const OK: Outcome = Outcome::Success(Answer::Status(200));

    fn kept(took: Duration, outcome: &Outcome, phases: Phases) -> PastAttempt {
        Record::new(Duration::ZERO, took, outcome, &phases).past(Duration::ZERO)
    }

    fn micros(micros: [u64; 3]) -> [Option<Duration>; 3] {
        micros.map(|micros| Some(Duration::from_micros(micros)))
    }

    #[test]
    fn an_attempt_comes_back_with_the_phases_it_reached() {
        let [first, secured, answered] = micros([100, 300, 600]);
        let took = Duration::from_micros(600);
        let reached = [
            Phases::default(),
            Phases { connected: first, ..Phases::default() },
            Phases { connected: first, answered, ..Phases::default() },
            Phases { connected: first, secured, answered, ..Phases::default() },
            Phases { started: first, ..Phases::default() },
            Phases { started: first, answered, ..Phases::default() },
        ];
        for phases in reached {
            let attempt = kept(took, &OK, phases);
            let expected = PastAttempt { ago: Duration::ZERO, duration: took, kind: Kind::Success, code: 200, phases };
            assert_eq!(attempt, expected);
        }
    }

    #[test]
    fn kinds_and_codes_come_back() {
        let signal = Failure::Signal { signal: 9, output: String::new() };
        let exit = |code| Outcome::Failure(Failure::Exit { code, output: String::new() });
        for (outcome, kind, code) in [
            (Outcome::Failure(Failure::Status(999)), Kind::Status, 999),
            (Outcome::Inconclusive(Reason::IgnoredStatus(429)), Kind::Inconclusive, 429),
            (Outcome::Failure(signal), Kind::Signal, 9),
            (exit(255), Kind::ExitCode, 255),
            (exit(65_535), Kind::ExitCode, 1023),
            (exit(-1), Kind::ExitCode, 0),
            (Outcome::Failure(Failure::Refused), Kind::Refused, 0),
        ] {
            let attempt = kept(Duration::ZERO, &outcome, Phases::default());
            assert_eq!((attempt.kind, attempt.code), (kind, code));
        }
    }

    #[test]
    fn times_that_make_no_sense_are_within_bounds() {
        let late = Phases { connected: Some(Duration::MAX), answered: Some(Duration::ZERO), ..Phases::default() };
        for took in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX] {
            let record = Record::new(Duration::MAX, took, &OK, &late);
            let PastAttempt { duration, phases, .. } = record.past(Duration::ZERO);
            assert_eq!((phases.connected, phases.answered), (Some(duration), Some(Duration::ZERO)), "{took:?}");
            assert!(record.gap() > Duration::from_secs(180 * 86_400), "half a year");
        }
    }

    #[test]
    fn every_byte_is_an_attempt() {
        for byte in 0..=u8::MAX {
            let PastAttempt { duration, phases, .. } = Record([byte; 7]).past(Duration::ZERO);
            assert!(phases.connected.max(phases.started) <= Some(duration) && phases.answered <= Some(duration));
        }
    }

    proptest! {
        #[test]
        fn phases_are_kept_to_a_sixtieth_and_in_order(
            took in 0_u64..100_000_000_000,
            parts in [0.0..=1.0, 0.0..=1.0, 0.0..=1.0],
        ) {
            let mut ends = parts.map(|part: f64| (took as f64 * part) as u64);
            ends.sort_unstable();
            let [connected, secured, answered] = micros(ends);
            let phases = Phases { connected, secured, answered, ..Phases::default() };
            let PastAttempt { duration, phases: kept, .. } = kept(Duration::from_micros(took), &OK, phases);
            let bound = Duration::from_micros(took / 60 + took / 1024 + 2);
            for (kept, end) in [(kept.connected, connected), (kept.secured, secured), (kept.answered, answered)] {
                let (kept, end) = (kept.unwrap(), end.unwrap());
                prop_assert!(kept.abs_diff(end) <= bound, "{end:?} of {took} as {kept:?}");
            }
            prop_assert!(kept.connected <= kept.secured && kept.secured <= kept.answered && kept.answered <= Some(duration));
        }
    }
}
