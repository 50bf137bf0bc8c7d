//! Percentiles of durations in 44 bytes. Pure.
//!
//! Durations are counted in classes half a power of two wide, from 16 us to 67 s; when a class is full all are halved,
//! so that the last few hundred are what counts.

use std::time::Duration;

const CLASSES: usize = 44;

/// The base-2 logarithm of the shortest duration that has a class of its own, in microseconds.
const SHORTEST: u32 = 4;

#[derive(Clone, Copy, Debug)]
pub(super) struct Percentiles([u8; CLASSES]);

impl Default for Percentiles {
    fn default() -> Percentiles {
        Percentiles([0; CLASSES])
    }
}

impl Percentiles {
    pub(super) fn count(&mut self, duration: Duration) {
        let class = class(duration);
        if self.0.get(class) == Some(&u8::MAX) {
            self.0.iter_mut().for_each(|count| *count /= 2);
        }
        if let Some(count) = self.0.get_mut(class) {
            *count += 1;
        }
    }

    /// Below this the given share of all durations lies, within half a power of two; nothing before the first one.
    pub(super) fn at(&self, share: f64) -> Option<Duration> {
        let total: u32 = self.0.iter().map(|count| u32::from(*count)).sum();
        let wanted = share * f64::from(total);
        let mut below = 0.0;
        for (class, count) in self.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = f64::from(*count);
            if below + count >= wanted {
                let (from, to) = (begin_of(class), begin_of(class + 1));
                return Some(from + (to.saturating_sub(from)).mul_f64((wanted - below) / count));
            }
            below += count;
        }
        None
    }
}

/// Two per power of two.
fn class(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).max(1);
    let power = micros.ilog2();
    let upper_half = power > 0 && micros >> (power - 1) & 1 == 1;
    let class = (power * 2 + u32::from(upper_half)).saturating_sub(SHORTEST * 2);
    usize::try_from(class).unwrap_or(CLASSES).min(CLASSES - 1)
}

fn begin_of(class: usize) -> Duration {
    let class = u32::try_from(class).unwrap_or(u32::MAX);
    let power = 1_u64 << (SHORTEST + class / 2).min(62);
    match class {
        0 => Duration::ZERO,
        class => Duration::from_micros(power + u64::from(class % 2) * power / 2),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn of(durations: impl IntoIterator<Item = Duration>) -> Percentiles {
        let mut percentiles = Percentiles::default();
        durations.into_iter().for_each(|duration| percentiles.count(duration));
        percentiles
    }

    #[test]
    fn percentiles_are_within_their_class() {
        assert_eq!(of([]).at(0.5), None);
        let mixed = of((0..98).map(|_| ms(10)).chain([ms(900), ms(900)]));
        let (p50, p99) = (mixed.at(0.5).unwrap(), mixed.at(0.99).unwrap());
        assert!((ms(8)..ms(13)).contains(&p50), "{p50:?}");
        assert!((ms(786)..=ms(1049)).contains(&p99), "{p99:?}");
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let recovered = of((0..200).map(|_| ms(900)).chain((0..5000).map(|_| ms(1))));
        assert!(recovered.at(0.99).unwrap() < ms(3));
    }

    proptest! {
        #[test]
        fn classes_follow_each_other(micros in 1_u64..100_000_000) {
            let duration = Duration::from_micros(micros);
            let class = class(duration);
            prop_assert!(begin_of(class) <= duration);
            prop_assert!(class == CLASSES - 1 || duration < begin_of(class + 1));
        }
    }
}
