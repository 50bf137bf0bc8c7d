//! Messages of libprocess, in which Mesos' own agents, and drivers from before its HTTP APIs, register. Nobody here takes
//! them, but whoever runs such a program should learn why it waits for ever.
//!
//! In: a request for a path that nobody has. Out: a refusal in words, and a line in the log, at most one a minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use tokio::time::Instant;

use super::Refusal;

/// Seconds between two lines in the log: these programs try again for ever.
const QUIET_SECONDS: u64 = 60;

/// The kinds of programs that send them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Agent,
    Executor,
    Scheduler,
    Somebody,
}

impl Sender {
    /// The sender of a message that is posted to this path: `/<actor>/mesos.<package>.<message>`.
    fn of(path: &str) -> Option<Sender> {
        let message = path.rsplit('/').next().filter(|name| name.starts_with("mesos."))?;
        let sends = |words: &[&str]| words.iter().any(|word| message.contains(word));
        Some(if sends(&["RegisterSlaveMessage", "registerSlaveMessage"]) {
            Sender::Agent
        } else if sends(&["RegisterExecutorMessage", "registerExecutorMessage"]) {
            Sender::Executor
        } else if sends(&["RegisterFrameworkMessage", "registerFrameworkMessage", "mesos.scheduler.Call"]) {
            Sender::Scheduler
        } else {
            Sender::Somebody
        })
    }

    fn advice(self) -> &'static str {
        match self {
            Sender::Agent => {
                "This is an agent of Apache Mesos, which Cygnet's master cannot use: run `cygnet agent` in its place, or \
                 point `cygnet scheduler` to a master of Apache Mesos, which can."
            }
            Sender::Executor => {
                "This is an executor with a driver from before the HTTP API: it needs one that speaks POST \
                 /api/v1/executor."
            }
            Sender::Scheduler => {
                "This is a framework with a driver from before the HTTP API: it needs one that speaks POST \
                 /api/v1/scheduler, such as the V1 classes of Mesos' own library, mesos-go v1, or pymesos."
            }
            Sender::Somebody => "This is a program that speaks libprocess: it needs the HTTP APIs below /api/v1.",
        }
    }
}

/// The one who answers them. Clones share what was said last.
#[derive(Debug, Clone)]
pub(super) struct Libprocess {
    begun: Instant,
    quiet_until_seconds: Arc<AtomicU64>,
}

impl Libprocess {
    pub(super) fn new() -> Libprocess {
        Libprocess { begun: Instant::now(), quiet_until_seconds: Arc::default() }
    }

    /// 404 for a path that nobody has, in more words if it is a message.
    pub(super) fn refusal(&self, request: &Request) -> Refusal {
        let path = request.uri().path();
        let Some(sender) = Sender::of(path) else { return Refusal::not_found() };
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        if self.may_speak(self.begun.elapsed().as_secs()) {
            let from = text("libprocess-from").or_else(|| text("user-agent")).unwrap_or("somebody");
            tracing::warn!(from, path, "a libprocess message is refused. {}", sender.advice());
        }
        let not_found = Refusal::not_found();
        Refusal::new(not_found.status, format!("{} {}", not_found.message, sender.advice()))
    }

    fn may_speak(&self, now_seconds: u64) -> bool {
        let may = now_seconds >= self.quiet_until_seconds.load(Ordering::Relaxed);
        if may {
            self.quiet_until_seconds.store(now_seconds.saturating_add(QUIET_SECONDS), Ordering::Relaxed);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_told_by_the_message() {
        for (path, sender) in [
            ("/master/mesos.internal.RegisterFrameworkMessage", Some(Sender::Scheduler)),
            ("/master/mesos.internal.ReregisterFrameworkMessage", Some(Sender::Scheduler)),
            ("/master/mesos.scheduler.Call", Some(Sender::Scheduler)),
            ("/master/mesos.internal.RegisterSlaveMessage", Some(Sender::Agent)),
            ("/master/mesos.internal.ReregisterSlaveMessage", Some(Sender::Agent)),
            ("/slave(1)/mesos.internal.RegisterExecutorMessage", Some(Sender::Executor)),
            ("/master/mesos.internal.PongSlaveMessage", Some(Sender::Somebody)),
            ("/master/state", None),
            ("/mesos.internal/x", None),
        ] {
            assert_eq!(Sender::of(path), sender, "{path}");
        }
    }

    #[test]
    fn one_who_never_gives_up_is_told_of_once_a_minute() {
        let libprocess = Libprocess::new();
        let spoken: Vec<u64> = (0..180).filter(|second| libprocess.may_speak(*second)).collect();
        assert_eq!(spoken, [0, 60, 120]);
    }
}
