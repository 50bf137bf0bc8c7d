//! Waiting for a condition, never for time.

use std::time::{Duration, Instant};

/// Asks `condition` until it gives a value, and fails the test, naming `what`, after `limit`.
#[expect(clippy::disallowed_methods, reason = "the one place of the tests that watches a clock")]
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How long `action` takes.
#[expect(clippy::disallowed_methods, reason = "measures, decides nothing")]
pub fn timed<T>(action: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = action();
    (value, start.elapsed())
}
