//! The amount that a process logs, as operators see and change it: 0 is the ordinary level, more is more talkative, and
//! after a while it is 0 again.
//!
//! Comes in: a level and for how long. Goes out: a call of what sets the process' level. Each change owns a task that
//! lives until its time is over or another change has taken its place.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Refusal;

/// The most talkative level of glog, whose levels these are.
const MAX_LEVEL: u32 = 127;

/// See the module's words.
#[derive(Clone)]
pub struct LoggingLevel {
    apply: Arc<dyn Fn(u32) + Send + Sync>,
    level: Arc<AtomicU32>,
    changes: Arc<AtomicU64>,
}

impl LoggingLevel {
    /// `apply` makes the process as talkative as a level says; it is called from anywhere.
    pub fn new(apply: impl Fn(u32) + Send + Sync + 'static) -> Self {
        LoggingLevel { apply: Arc::new(apply), level: Arc::default(), changes: Arc::default() }
    }

    /// The level now.
    pub fn get(&self) -> u32 {
        self.level.load(Ordering::Relaxed)
    }

    /// Sets the level for a while. Needs to be called within a runtime.
    pub fn set(&self, level: u32, duration: Duration) {
        let change = self.change(level);
        let own = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(duration).await;
            own.expire(change);
        });
    }

    fn change(&self, level: u32) -> u64 {
        self.put(level);
        self.changes.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The time of a change is over; if it was the last, the ordinary level holds again.
    fn expire(&self, change: u64) {
        if self.changes.load(Ordering::Acquire) == change {
            self.put(0);
        }
    }

    fn put(&self, level: u32) {
        self.level.store(level, Ordering::Relaxed);
        (self.apply)(level);
    }
}

impl fmt::Debug for LoggingLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggingLevel").field("level", &self.get()).finish_non_exhaustive()
    }
}

/// `/logging/toggle`: the level of a process whose level can be changed, if it can, or a new one for a while.
pub async fn toggle_logging(
    State(logging): State<Option<LoggingLevel>>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    let logging = logging.as_ref();
    let expecting = |name: &str| Refusal::bad_request(format!("Expecting '{name}=value' in query.\n"));
    match (parameters.get("level"), parameters.get("duration")) {
        (None, None) => Ok(format!("{}\n", logging.map_or(0, LoggingLevel::get)).into_response()),
        (None, Some(_)) => Err(expecting("level")),
        (Some(_), None) => Err(expecting("duration")),
        (Some(level), Some(duration)) => {
            let level = level.parse().map_err(|_| invalid(level))?;
            let duration = crate::duration::parse(duration)
                .map_err(|error| Refusal::bad_request(format!("Invalid duration: {error}.\n")))?;
            set_logging(logging, level, duration)
        }
    }
}

/// Makes the process more talkative for a while.
pub fn set_logging(logging: Option<&LoggingLevel>, level: u32, duration: Duration) -> Result<Response, Refusal> {
    if level > MAX_LEVEL {
        return Err(invalid(level));
    }
    let logging = logging.ok_or_else(|| {
        Refusal::new(StatusCode::NOT_IMPLEMENTED, "What this process logs was fixed when it was started")
    })?;
    logging.set(level, duration);
    Ok(StatusCode::OK.into_response())
}

fn invalid(level: impl fmt::Display) -> Refusal {
    Refusal::bad_request(format!("Invalid level '{level}'.\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_change_does_not_end_the_next() {
        let applied = Arc::new(AtomicU32::new(0));
        let seen = applied.clone();
        let logging = LoggingLevel::new(move |level| seen.store(level, Ordering::Relaxed));
        let both = || (logging.get(), applied.load(Ordering::Relaxed));
        let first = logging.change(2);
        assert_eq!(both(), (2, 2));
        let second = logging.change(1);
        logging.expire(first);
        assert_eq!(both(), (1, 1));
        logging.expire(second);
        assert_eq!(both(), (0, 0));
    }
}
