//! Waiting for a condition, never for time.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Asks `condition` until it gives a value, and fails the test, naming `what`, after `limit`.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, condition: impl FnMut() -> Option<T>) -> T {
    until_or(limit, condition).unwrap_or_else(|| panic!("waited {limit:?} in vain for: {what}"))
}

#[expect(clippy::disallowed_methods, reason = "the one place of the tests that watches a clock")]
pub(crate) fn until_or<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let value = condition();
        if value.is_some() || start.elapsed() >= limit {
            return value;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The same for a condition that says why it is not there yet: the last reason is told with the failure.
#[track_caller]
pub fn until_ok<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Result<T, String>) -> T {
    let mut reason = String::new();
    let found = until_or(limit, || condition().map_err(|error| reason = error).ok());
    found.unwrap_or_else(|| panic!("waited {limit:?} in vain for: {what}: {reason}"))
}

/// The time that `action` takes.
#[expect(clippy::disallowed_methods, reason = "measures, decides nothing")]
pub fn timed<T>(action: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = action();
    (value, start.elapsed())
}

/// The time for which the calling thread has had a processor, all in all: a machine that is busy with others adds nothing.
pub fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a time since the thread began")
}
