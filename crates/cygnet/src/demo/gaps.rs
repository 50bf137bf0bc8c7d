//! The times between the last requests: how regular the checks are, as the target sees it.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustix::time::{ClockId, clock_gettime};

/// The number of moments that are kept.
const KEPT: usize = 16;

/// The last moments, in nanoseconds, in the order they came, round and round.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    next: AtomicUsize,
    moments: [AtomicU64; KEPT],
}

impl Gaps {
    /// Now.
    pub(super) fn note(&self) {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(moment) = self.moments.get(place % KEPT) {
            moment.store(now(), Ordering::Relaxed);
        }
    }

    fn moments(&self) -> Vec<u64> {
        let mut moments: Vec<u64> = self.moments.iter().map(|moment| moment.load(Ordering::Relaxed)).collect();
        moments.retain(|moment| *moment > 0);
        moments.sort_unstable();
        moments
    }
}

/// In milliseconds, oldest first, a line each.
impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moments = self.moments();
        let mut gaps = moments.iter().zip(moments.iter().skip(1)).map(|(one, next)| (next - one) as f64 / 1e6);
        gaps.try_for_each(|gap| writeln!(f, "{gap:.3}"))
    }
}

fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_are_kept() {
        let gaps = Gaps::default();
        assert_eq!(gaps.to_string(), "");
        for moment in 1..=20 {
            gaps.note();
            gaps.moments[(moment - 1) % KEPT].store(moment as u64 * 2_500_000, Ordering::Relaxed);
        }
        assert_eq!(gaps.to_string(), "2.500\n".repeat(KEPT - 1));
    }
}
