//! The same as [`wait`](crate::wait) for tests that run in tokio: other tasks go on meanwhile.

use std::time::Duration;

/// The time that anything may take on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Asks `condition` until it gives a value, and fails the test, naming `what`, if it never does.
pub async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(what, asking).await
}

/// The result of a future, if it comes in time.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain for {what}"))
}
