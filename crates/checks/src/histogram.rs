//! Durations in buckets, as monitoring has them: how many took no longer than this. Pure.

use std::time::Duration;

/// The number of durations by bucket, and their sum. Counts only grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// The longest duration of each bucket, in order; the last bucket has no bound.
    bounds: &'static [Duration],
    counts: Box<[u64]>,
    sum: Duration,
}

impl Histogram {
    /// An empty one with these bounds, in their order.
    pub fn new(bounds: &'static [Duration]) -> Histogram {
        Histogram { bounds, counts: vec![0; bounds.len() + 1].into(), sum: Duration::ZERO }
    }

    /// Counts a duration.
    pub fn count(&mut self, duration: Duration) {
        let bucket = self.bounds.partition_point(|bound| *bound < duration);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(duration);
    }

    /// The bounds in seconds, each with the number of durations up to it; at last infinity, with the number of all.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = self.bounds.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
        let up_to = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        bounds.zip(up_to)
    }

    /// The sum of all durations.
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_its_bucket_and_in_all_that_are_larger() {
        let ms = Duration::from_millis;
        const BOUNDS: &[Duration] = &[Duration::from_millis(1), Duration::from_millis(10)];
        let mut histogram = Histogram::new(BOUNDS);
        [ms(0), ms(1), ms(2), ms(10), ms(11)].into_iter().for_each(|duration| histogram.count(duration));
        assert_eq!(histogram.buckets().collect::<Vec<_>>(), [(0.001, 2), (0.01, 4), (f64::INFINITY, 5)]);
        assert_eq!(histogram.sum(), ms(24));
    }
}
