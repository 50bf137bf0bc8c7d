//! Logs, on standard error.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs what `wanted` says, or `default`.
pub(crate) fn start(wanted: Option<&str>, default: &str) -> anyhow::Result<()> {
    let text = wanted.unwrap_or(default);
    let targets: Targets = text.parse().with_context(|| format!("--log {text}"))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    tracing_subscriber::registry().with(targets).with(lines).init();
    Ok(())
}
