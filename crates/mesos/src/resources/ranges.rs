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

    /// True if there is no number.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The number of numbers.
    pub fn count(&self) -> u64 {
        let lengths = self.ranges.iter().map(|(begin, end)| (end - begin).saturating_add(1));
        lengths.fold(0, u64::saturating_add)
    }

    /// True if this number is in here.
    pub fn contains(&self, number: u64) -> bool {
        self.around(number).is_some()
    }

    /// True if all of `other` is in here.
    pub fn includes(&self, other: &Ranges) -> bool {
        other.ranges.iter().all(|(begin, end)| self.around(*begin).is_some_and(|(_, last)| end <= last))
    }

    /// The range this number is in.
    fn around(&self, number: u64) -> Option<&(u64, u64)> {
        let next = self.ranges.partition_point(|(begin, _)| *begin <= number);
        self.ranges.get(next.checked_sub(1)?).filter(|(_, end)| number <= *end)
    }

    /// Adds all of `other`.
    pub fn insert(&mut self, other: &Ranges) {
        *self = Self::new(self.ranges.iter().chain(&other.ranges).copied());
    }

    /// Takes all of `other` away. In one go over both: the ports of an agent with thousands of tasks are thousands of
    /// ranges.
    pub fn remove(&mut self, other: &Ranges) {
        let mut left = Vec::with_capacity(self.ranges.len());
        let mut taken = other.ranges.as_slice();
        for (begin, end) in self.ranges.iter().copied() {
            // Those that end below this range are of no interest to those above it either.
            let below = taken.iter().take_while(|(_, last)| *last < begin).count();
            taken = taken.get(below..).unwrap_or_default();
            cut((begin, end), taken, &mut left);
        }
        self.ranges = left;
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

/// The rest of a range without those of `taken` that begin in it, none of which ends below it.
fn cut((mut begin, end): (u64, u64), taken: &[(u64, u64)], left: &mut Vec<(u64, u64)>) {
    for (from, to) in taken.iter().take_while(|(from, _)| *from <= end) {
        if begin < *from {
            left.push((begin, from - 1));
        }
        match to.checked_add(1) {
            Some(next) => begin = next,
            None => return,
        }
    }
    if begin <= end {
        left.push((begin, end));
    }
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
