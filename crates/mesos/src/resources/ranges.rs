//! Sets of numbers given as ranges: ports. In: ranges. Out: unions, differences, and the numbers one by one.

use std::fmt;

/// Numbers as sorted ranges, bounds included, with a gap between any two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    ranges: Vec<(u64, u64)>,
}

impl Ranges {
    /// All numbers of these ranges, in whatever order and overlap they come; those that end before they begin are empty.
    pub fn new(ranges: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().filter(|(begin, end)| begin <= end).collect();
        sorted.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
        for (begin, end) in sorted {
            match joined.last_mut() {
                Some((_, last)) if begin <= last.saturating_add(1) => *last = end.max(*last),
                _ => joined.push((begin, end)),
            }
        }
        Self { ranges: joined }
    }

    /// The numbers from `begin` to `end`, both included.
    pub fn of(begin: u64, end: u64) -> Self {
        Self::new([(begin, end)])
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        let lengths = self.ranges.iter().map(|(begin, end)| (end - begin).saturating_add(1));
        lengths.fold(0, u64::saturating_add)
    }

    /// Whether this number is in here.
    pub fn contains(&self, number: u64) -> bool {
        self.ranges.iter().any(|(begin, end)| (*begin..=*end).contains(&number))
    }

    /// Whether all of `other` is in here.
    pub fn includes(&self, other: &Ranges) -> bool {
        let within = |(begin, end): &(u64, u64)| self.ranges.iter().any(|(first, last)| first <= begin && end <= last);
        other.ranges.iter().all(within)
    }

    /// Adds all of `other`.
    pub fn insert(&mut self, other: &Ranges) {
        *self = Self::new(self.ranges.iter().chain(&other.ranges).copied());
    }

    /// Takes all of `other` away.
    pub fn remove(&mut self, other: &Ranges) {
        for (begin, end) in &other.ranges {
            self.ranges = self.ranges.iter().flat_map(|range| without(*range, (*begin, *end))).collect();
        }
    }

    /// The ranges, bounds included.
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// The numbers, from the smallest up.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges.iter().flat_map(|(begin, end)| *begin..=*end)
    }
}

/// What is left of a range without another one: nothing, or up to two pieces.
fn without((begin, end): (u64, u64), (from, to): (u64, u64)) -> impl Iterator<Item = (u64, u64)> {
    let below = if begin < from { Some((begin, end.min(from - 1))) } else { None };
    let above = if to < end { Some((begin.max(to + 1), end)) } else { None };
    [below, above].into_iter().flatten()
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (position, (begin, end)) in self.ranges.iter().enumerate() {
            write!(f, "{}{begin}-{end}", if position == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}
