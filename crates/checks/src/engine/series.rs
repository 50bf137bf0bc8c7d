//! Counts of attempts for monitoring: of all checks that are known by one name together, so that what they cost is of names
//! and not of checks.
//!
//! In: checks that come and go, and attempts that ended. Out: how many came out how, and how long they took, phase by phase.
//! Pure. Invariants: counts only grow; those of a name that no check has any more stay for a while, so that a task that is
//! launched again goes on with them, and go then. There are only so many names: whatever comes beyond has one together.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::histogram::Histogram;
use crate::outcome::{Kind, Outcome, Phases};
use crate::timetable::{BuildKeyHasher, Key};

/// The bounds of durations.
const BOUNDS: &[Duration] = &[
    Duration::from_millis(1),
    Duration::from_micros(2500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// The time for which the counts of a name without checks stay.
const STAYS: Duration = Duration::from_secs(600);

/// The most such names.
const MOST_LEFT: usize = 1024;

/// The most names, but for that of the rest. Where each task has one of its own there are as many as tasks.
const MOST: usize = 4096;

/// The shortest time between two looks for names without checks, when there are so many.
const PACE: Duration = Duration::from_secs(10);

/// The subject and the check of all that are beyond.
const REST: &str = "other";

/// The name that checks are counted under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesName {
    /// The subject of the checks, such as an app.
    pub subject: String,
    /// The check among those of its subject.
    pub check: String,
}

macro_rules! phases {
    ($($(#[$doc:meta])* $phase:ident => $name:literal,)*) => {
        /// A part of an attempt's time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Phase {
            $($(#[$doc])* $phase,)*
        }

        impl Phase {
            /// All of them, in their order.
            pub const ALL: [Phase; 5] = [$(Phase::$phase,)*];

            /// As in metrics.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Phase::$phase => $name,)*
                }
            }
        }
    };
}

phases! {
    /// Until the command was started.
    Start => "start",
    /// Until a connection was there.
    Connect => "connect",
    /// From then until TLS was agreed on.
    Tls => "tls",
    /// From then until the first byte of the answer was there.
    Processing => "processing",
    /// The whole attempt.
    Total => "total",
}

/// The counts under one name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Series {
    /// The name.
    pub name: SeriesName,
    /// The attempts that ended, by what came out; none of kinds that did not.
    pub attempts: Vec<(Kind, u64)>,
    /// The durations of those that said something about the task, by the phases that they reached.
    pub durations: Vec<(Phase, Histogram)>,
}

/// All counts, each under a number that is never used twice.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pages: HashMap<Key, Page, BuildKeyHasher>,
    numbers: BTreeMap<SeriesName, Number>,
    last: Number,
    /// The time at which names without checks were last looked for.
    tidied: Duration,
}

/// The number of a name; 0 is none.
pub(super) type Number = u32;

#[derive(Debug)]
struct Page {
    /// The number of checks that are counted here.
    checks: usize,
    /// The time at which the last one went.
    left: Duration,
    by_kind: [u64; 16],
    durations: [Option<Box<Histogram>>; Phase::ALL.len()],
}

impl Ledger {
    /// A check is there that is counted under this name.
    pub(super) fn join(&mut self, name: SeriesName, now: Duration) -> Number {
        let name = self.allowed(name, now);
        let next = self.last.wrapping_add(1).max(1);
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.last = next;
        }
        let empty = || Page { checks: 0, left: now, by_kind: [0; 16], durations: Default::default() };
        self.pages.entry(number.into()).or_insert_with(empty).checks += 1;
        number
    }

    /// The name, if it is known or there is room for it, or that of the rest.
    fn allowed(&mut self, name: SeriesName, now: Duration) -> SeriesName {
        if self.numbers.contains_key(&name) {
            return name;
        }
        if self.numbers.len() >= MOST && now.saturating_sub(self.tidied) >= PACE {
            self.tidy(now);
        }
        match self.numbers.len() < MOST {
            true => name,
            false => SeriesName { subject: REST.to_owned(), check: REST.to_owned() },
        }
    }

    /// A check is gone.
    pub(super) fn leave(&mut self, number: Number, now: Duration) {
        if let Some(page) = self.pages.get_mut(&number.into()) {
            page.checks = page.checks.saturating_sub(1);
            page.left = now;
        }
    }

    /// An attempt ended.
    pub(super) fn count(&mut self, number: Number, outcome: &Outcome, phases: &Phases, took: Duration) {
        let Some(page) = self.pages.get_mut(&number.into()) else { return };
        if let Some(count) = page.by_kind.get_mut(outcome.kind() as usize) {
            *count += 1;
        }
        if !matches!(outcome, Outcome::Inconclusive(_)) {
            spans(phases, took).for_each(|(phase, span)| page.took(phase, span));
        }
    }

    /// The counts of all names.
    pub(super) fn all(&mut self, now: Duration) -> Vec<Series> {
        self.tidy(now);
        let page = |(name, number): (&SeriesName, &Number)| Some(self.pages.get(&(*number).into())?.told(name.clone()));
        self.numbers.iter().filter_map(page).collect()
    }

    /// Forgets what nobody counts under for long, and of very many such the oldest.
    fn tidy(&mut self, now: Duration) {
        self.tidied = now;
        let mut left: Vec<_> = self.pages.values().filter(|page| page.checks == 0).map(|page| page.left).collect();
        let too_many = left.len().saturating_sub(MOST_LEFT);
        left.sort_unstable();
        let least = too_many.checked_sub(1).and_then(|last| left.get(last)).copied();
        let is_over = |page: &Page| {
            page.checks == 0 && (now.saturating_sub(page.left) > STAYS || least.is_some_and(|least| page.left <= least))
        };
        self.pages.retain(|_, page| !is_over(page));
        self.numbers.retain(|_, number| self.pages.contains_key(&(*number).into()));
    }
}

impl Page {
    fn took(&mut self, phase: Phase, span: Duration) {
        if let Some(histogram) = self.durations.get_mut(phase as usize) {
            histogram.get_or_insert_with(|| Box::new(Histogram::new(BOUNDS))).count(span);
        }
    }

    fn told(&self, name: SeriesName) -> Series {
        let attempts = Kind::ALL.iter().copied().zip(self.by_kind).filter(|(_, count)| *count > 0).collect();
        let durations = Phase::ALL.into_iter().zip(&self.durations);
        let durations = durations.filter_map(|(phase, durations)| Some((phase, durations.as_deref()?.clone())));
        Series { name, attempts, durations: durations.collect() }
    }
}

/// The time that each phase took that was reached: from the end of the one before.
fn spans(phases: &Phases, took: Duration) -> impl Iterator<Item = (Phase, Duration)> {
    let ends = [
        (Phase::Start, phases.started),
        (Phase::Connect, phases.connected),
        (Phase::Tls, phases.secured),
        (Phase::Processing, phases.answered),
    ];
    let mut before = Duration::ZERO;
    let spans = ends.into_iter().filter_map(move |(phase, end)| {
        let span = end?.saturating_sub(before);
        before = end?;
        Some((phase, span))
    });
    spans.chain([(Phase::Total, took)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Answer, Failure, Reason};

    const MINUTE: Duration = Duration::from_secs(60);

    fn name(subject: &str) -> SeriesName {
        SeriesName { subject: subject.to_owned(), check: "0".to_owned() }
    }

    #[test]
    fn checks_of_one_name_are_counted_together_and_by_phase() {
        let ms = Duration::from_millis;
        let mut ledger = Ledger::default();
        let numbers = [(); 2].map(|()| ledger.join(name("/web"), Duration::ZERO));
        assert_eq!(numbers[0], numbers[1]);
        let phases = Phases { connected: Some(ms(2)), answered: Some(ms(7)), ..Phases::default() };
        ledger.count(numbers[0], &Outcome::Success(Answer::Status(200)), &phases, ms(9));
        ledger.count(numbers[1], &Outcome::Failure(Failure::Refused), &Phases::default(), ms(1));
        ledger.count(numbers[1], &Outcome::Inconclusive(Reason::Paused), &Phases::default(), ms(50));
        let series = ledger.all(Duration::ZERO).remove(0);
        assert_eq!(series.attempts, [(Kind::Success, 1), (Kind::Refused, 1), (Kind::Inconclusive, 1)]);
        let sums: Vec<_> = series.durations.iter().map(|(phase, took)| (phase.as_str(), took.sum())).collect();
        assert_eq!(sums, [("connect", ms(2)), ("processing", ms(5)), ("total", ms(10))]);
    }

    #[test]
    fn counts_outlive_their_checks_for_a_while_and_not_for_ever() {
        let mut ledger = Ledger::default();
        let first = ledger.join(name("/web"), Duration::ZERO);
        ledger.count(first, &Outcome::Success(Answer::Connected), &Phases::default(), MINUTE);
        ledger.leave(first, MINUTE);
        assert_eq!(ledger.join(name("/web"), 2 * MINUTE), first, "it goes on with its counts");
        ledger.leave(first, 3 * MINUTE);
        assert_eq!(ledger.all(13 * MINUTE).len(), 1);
        assert_eq!(ledger.all(14 * MINUTE).len(), 0);
        assert_ne!(ledger.join(name("/web"), 14 * MINUTE), first);
        for number in 0..2 * MOST_LEFT {
            let joined = ledger.join(name(&number.to_string()), 15 * MINUTE);
            ledger.leave(joined, 15 * MINUTE + Duration::from_secs(number as u64) / 100);
        }
        assert!(ledger.all(15 * MINUTE).len() <= MOST_LEFT + 1);
    }

    #[test]
    fn names_beyond_a_number_are_counted_together() {
        let mut ledger = Ledger::default();
        let mut join = |number: usize| ledger.join(name(&number.to_string()), Duration::ZERO);
        let known = (0..MOST).map(&mut join).last();
        let rest = join(MOST);
        assert_eq!((join(MOST + 1), Some(join(MOST - 1))), (rest, known));
        let all = ledger.all(MINUTE);
        assert_eq!((all.len(), all.iter().filter(|series| series.name.subject == REST).count()), (MOST + 1, 1));
        (1..=Number::try_from(MOST).unwrap()).for_each(|number| ledger.leave(number, MINUTE));
        ledger.join(name("again"), 2 * MINUTE);
        let all = ledger.all(2 * MINUTE);
        assert!(all.iter().any(|series| series.name == name("again")), "there is room again");
    }

    /// Shared by all checks of a name: an app with ten tasks on a machine pays a tenth of it for each.
    #[test]
    fn it_is_small() {
        let histogram = size_of::<Histogram>() + (BOUNDS.len() + 1) * size_of::<u64>();
        assert!(size_of::<Page>() + 3 * histogram <= 700, "{}", size_of::<Page>() + 3 * histogram);
    }
}
