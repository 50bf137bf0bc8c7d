//! The amount of one resource: a scalar in thousandths, ranges of numbers, or a set of names.
//! In: two amounts of one kind. Out: what they are together, what is left, whether one holds the other.

use std::collections::BTreeSet;

use super::Ranges;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    /// Thousandths, never negative.
    Scalar(i64),
    Ranges(Ranges),
    Set(BTreeSet<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Scalar,
    Ranges,
    Set,
}

impl Amount {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Amount::Scalar(_) => Kind::Scalar,
            Amount::Ranges(_) => Kind::Ranges,
            Amount::Set(_) => Kind::Set,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Amount::Scalar(value) => *value <= 0,
            Amount::Ranges(ranges) => ranges.is_empty(),
            Amount::Set(items) => items.is_empty(),
        }
    }

    pub(super) fn contains(&self, wanted: &Amount) -> bool {
        match (self, wanted) {
            (Amount::Scalar(value), Amount::Scalar(wanted)) => wanted <= value,
            (Amount::Ranges(ranges), Amount::Ranges(wanted)) => ranges.includes(wanted),
            (Amount::Set(items), Amount::Set(wanted)) => wanted.is_subset(items),
            _ => false,
        }
    }

    pub(super) fn add(&mut self, more: &Amount) {
        match (self, more) {
            (Amount::Scalar(value), Amount::Scalar(more)) => *value = value.saturating_add(*more),
            (Amount::Ranges(ranges), Amount::Ranges(more)) => ranges.insert(more),
            (Amount::Set(items), Amount::Set(more)) => items.extend(more.iter().cloned()),
            _ => {}
        }
    }

    pub(super) fn subtract(&mut self, taken: &Amount) {
        match (self, taken) {
            (Amount::Scalar(value), Amount::Scalar(taken)) => *value = value.saturating_sub(*taken).max(0),
            (Amount::Ranges(ranges), Amount::Ranges(taken)) => ranges.remove(taken),
            (Amount::Set(items), Amount::Set(taken)) => items.retain(|item| !taken.contains(item)),
            _ => {}
        }
    }
}

/// Thousandths of a number; nothing for what is no amount, or more than can be counted.
pub(super) fn to_thousandths(value: f64) -> Option<i64> {
    let thousandths = (value * 1000.0).round();
    (0.0..9e18).contains(&thousandths).then_some(thousandths as i64)
}

pub(super) fn to_double(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}
