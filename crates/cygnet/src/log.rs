//! Logs, on standard error. How much is logged can be changed while the process runs, through [`level`].

use std::io::IsTerminal;
use std::sync::OnceLock;

use mesos::server::LoggingLevel;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

static LEVEL: OnceLock<LoggingLevel> = OnceLock::new();

/// Logs what is wanted, or else what is at least this important.
pub(crate) fn start(wanted: Option<Targets>, level: Level) {
    let targets = wanted.unwrap_or_else(|| Targets::new().with_default(level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    let (filter, handle) = reload::Layer::new(targets.clone());
    tracing_subscriber::registry().with(filter).with(lines).init();
    let apply = move |level: u32| {
        // Fails only when nothing is logged any more.
        let _ = handle.reload(at_level(&targets, level));
    };
    let _ = LEVEL.set(LoggingLevel::new(apply));
}

/// How operators change what this process logs, once [`start`] was called.
pub(crate) fn level() -> Option<LoggingLevel> {
    LEVEL.get().cloned()
}

/// What is logged at glog's verbosity levels: 0 as usual, 1 for details, everything above.
fn at_level(usual: &Targets, level: u32) -> Targets {
    match level {
        0 => usual.clone(),
        1 => Targets::new().with_default(Level::DEBUG),
        _ => Targets::new().with_default(Level::TRACE),
    }
}
