//! Logs, on standard error.

use std::io::IsTerminal;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs what is wanted, or else what is at least this important.
pub(crate) fn start(wanted: Option<Targets>, level: Level) {
    let targets = wanted.unwrap_or_else(|| Targets::new().with_default(level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    tracing_subscriber::registry().with(targets).with(lines).init();
}
