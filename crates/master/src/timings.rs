//! Durations of what the shell does or has done: rounds of offers, and changes to the registry. Durations come
//! in, metrics under Mesos' names go out. Pure; whoever owns the clock measures.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The number of durations that are looked at, the last ones.
const WINDOW: usize = 1000;

/// The shares of the durations that are at most what the metric of this name says.
const PERCENTILES: [(&str, f64); 6] =
    [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999), ("p9999", 0.9999)];

/// The last durations of something that happens again and again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timing {
    milliseconds: VecDeque<f64>,
}

impl Timing {
    pub(crate) fn add(&mut self, took: Duration) {
        if self.milliseconds.len() >= WINDOW {
            self.milliseconds.pop_front();
        }
        self.milliseconds.push_back(milliseconds(took));
    }

    /// The last one under the name itself, what all add up to below it; nothing while there is none.
    fn put(&self, name: &str, metrics: &mut BTreeMap<String, f64>) {
        let Some(last) = self.milliseconds.back() else { return };
        let mut sorted: Vec<f64> = self.milliseconds.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let figures = [("count", count as f64), ("min", at(&sorted, 0.0)), ("max", at(&sorted, 1.0))];
        let percentiles = PERCENTILES.map(|(name, share)| (name, at(&sorted, share)));
        metrics.insert(name.to_owned(), *last);
        metrics.extend(figures.into_iter().chain(percentiles).map(|(of, value)| (format!("{name}/{of}"), value)));
    }
}

/// The value at a share of the way through these, in between two of them if need be.
fn at(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let value = |index: f64| sorted.get(index as usize).copied().unwrap_or_default();
    let (low, high) = (value(place.floor()), value(place.ceil()));
    low + (high - low) * place.fract()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Everything that is timed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timings {
    /// Reading the registry at the start.
    pub(crate) state_fetch: Duration,
    /// Changes to the registry, until they were durable.
    pub(crate) state_store: Timing,
    /// Rounds of offers.
    pub(crate) allocation_run: Timing,
    /// The delay before they began.
    pub(crate) allocation_run_latency: Timing,
}

impl Timings {
    pub(crate) fn new(state_fetch: Duration) -> Self {
        Timings { state_fetch, ..Timings::default() }
    }

    pub(crate) fn put(&self, metrics: &mut BTreeMap<String, f64>) {
        metrics.insert("registrar/state_fetch_ms".to_owned(), milliseconds(self.state_fetch));
        self.state_store.put("registrar/state_store_ms", metrics);
        self.allocation_run.put("allocator/mesos/allocation_run_ms", metrics);
        self.allocation_run_latency.put("allocator/mesos/allocation_run_latency_ms", metrics);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(timing: &Timing) -> BTreeMap<String, f64> {
        let mut metrics = BTreeMap::new();
        timing.put("x_ms", &mut metrics);
        metrics
    }

    #[test]
    fn nothing_is_said_of_what_never_happened() {
        assert!(shown(&Timing::default()).is_empty());
    }

    #[test]
    fn percentiles_are_between_the_least_and_the_most() {
        let mut timing = Timing::default();
        for millisecond in [4, 1, 3, 2, 5] {
            timing.add(Duration::from_millis(millisecond));
        }
        let metrics = shown(&timing);
        let expected = [("", 5.0), ("/count", 5.0), ("/min", 1.0), ("/max", 5.0), ("/p50", 3.0), ("/p90", 4.6)];
        for (name, value) in expected {
            let found = metrics[&format!("x_ms{name}")];
            assert!((found - value).abs() < 1e-9, "{name}: {found}");
        }
        assert_eq!(metrics.len(), 10);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut timing = Timing::default();
        timing.add(Duration::from_secs(9));
        (0..WINDOW).for_each(|_| timing.add(Duration::from_millis(1)));
        assert_eq!((shown(&timing)["x_ms/count"], shown(&timing)["x_ms/max"]), (WINDOW as f64, 1.0));
    }
}
