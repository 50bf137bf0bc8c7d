//! Waiting for a condition, never for time.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Long: the machine may be busy with other tests.
const LIMIT: Duration = Duration::from_secs(30);

/// Asks `condition` until it gives a value, and fails the test, naming `what`, if it never does.
pub(crate) async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// What comes, if it comes in time.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}
