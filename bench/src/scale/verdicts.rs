//! Every verdict against a task is false here, for all of them are well. They are counted from the event stream, so that
//! none between two polls is missed.
//!
//! Owns a thread, which reads the stream and ends with the scheduler.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::Value;

use super::http;

const PATH: &str = "/v2/events?event_type=health_status_changed_event&event_type=unhealthy_instance_kill_event\
                    &event_type=failed_health_check_event";

/// The counts so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts {
    false_ones: Arc<AtomicU64>,
    /// The times that the stream broke while the scheduler lived; events may have been missed.
    breaks: Arc<AtomicU64>,
}

impl Verdicts {
    pub(crate) fn listen(scheduler: SocketAddr) -> anyhow::Result<Verdicts> {
        let verdicts = Verdicts::default();
        let counter = verdicts.clone();
        let mut lines = http::stream(scheduler, PATH)?;
        thread::Builder::new().name("verdicts".to_owned()).spawn(move || {
            loop {
                lines.by_ref().for_each(|line| counter.take(&line));
                let Ok(again) = http::stream(scheduler, PATH) else { return };
                counter.breaks.fetch_add(1, Ordering::Relaxed);
                lines = again;
            }
        })?;
        Ok(verdicts)
    }

    pub(crate) fn false_ones(&self) -> u64 {
        self.false_ones.load(Ordering::Relaxed)
    }

    pub(crate) fn breaks(&self) -> u64 {
        self.breaks.load(Ordering::Relaxed)
    }

    fn take(&self, line: &str) {
        let Some(data) = line.strip_prefix("data:") else { return };
        if serde_json::from_str(data).is_ok_and(|event: Value| is_against(&event)) {
            self.false_ones.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn is_against(event: &Value) -> bool {
    event["eventType"] != "health_status_changed_event" || event["alive"] == false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verdicts_against_a_task_count() {
        let verdicts = Verdicts::default();
        for line in [
            "event: health_status_changed_event",
            r#"data: {"eventType": "health_status_changed_event", "alive": true}"#,
            r#"data: {"eventType": "health_status_changed_event", "alive": false}"#,
            r#"data: {"eventType": "unhealthy_instance_kill_event"}"#,
            ":",
        ] {
            verdicts.take(line);
        }
        assert_eq!(verdicts.false_ones(), 2);
    }
}
