//! Logs, on standard error and, where that is wanted, in a file. How much is logged can be changed while the process
//! runs, through [`level`]; where operators find the file is [`file`].

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use mesos::server::{LogFile, LoggingLevel};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::paths::absolute;

static LEVEL: OnceLock<LoggingLevel> = OnceLock::new();

static FILE: OnceLock<LogFile> = OnceLock::new();

/// The places of a server's log beside standard error.
#[derive(Debug, clap::Args)]
pub(crate) struct Files {
    /// Log to a file in this directory, too, which operators may read over the API; it is only ever appended to
    #[arg(long, env = "CYGNET_LOG_DIR")]
    log_dir: Option<PathBuf>,
    /// Where somebody else writes down what this process says, for operators to read over the API
    #[arg(long, conflicts_with = "log_dir", env = "CYGNET_EXTERNAL_LOG_FILE")]
    external_log_file: Option<PathBuf>,
}

impl Files {
    /// Opens the file of this name to log to, if this process writes one itself.
    fn open(&self, name: &str) -> anyhow::Result<Option<File>> {
        if let Some(external) = &self.external_log_file {
            let _ = FILE.set(LogFile::External(absolute(external)?));
        }
        let Some(directory) = &self.log_dir else { return Ok(None) };
        let directory = absolute(directory)?;
        let log = LogFile::Own { directory: directory.clone(), name: name.to_owned() };
        let cannot = || format!("cannot log to {}: name a directory this user may write to", log.path().display());
        std::fs::create_dir_all(directory).with_context(cannot)?;
        let file = File::options().create(true).append(true).open(log.path()).with_context(cannot)?;
        let _ = FILE.set(log);
        Ok(Some(file))
    }
}

/// Logs what is wanted, or else what is at least this important, of a server called `name`.
pub(crate) fn start_server(wanted: Option<Targets>, level: Level, files: &Files, name: &str) -> anyhow::Result<()> {
    begin(wanted, level, files.open(&format!("cygnet-{name}.log"))?);
    Ok(())
}

/// Logs what is wanted, or else what is at least this important.
pub(crate) fn start(wanted: Option<Targets>, level: Level) {
    begin(wanted, level, None);
}

/// The file with what this process logs, if there is one.
pub(crate) fn file() -> Option<LogFile> {
    FILE.get().cloned()
}

/// Standard error, beside what is drawn on the terminal.
struct Beside;

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        crate::screen::beside(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn begin(wanted: Option<Targets>, level: Level, file: Option<File>) {
    let targets = wanted.unwrap_or_else(|| Targets::new().with_default(level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Beside)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    let (filter, handle) = reload::Layer::new(targets.clone());
    let copy = file.map(|file| tracing_subscriber::fmt::layer().with_writer(Arc::new(file)).with_ansi(false));
    tracing_subscriber::registry().with(filter).with(lines).with(copy).init();
    let apply = move |level: u32| {
        // Fails only when nothing is logged any more.
        let _ = handle.reload(at_level(&targets, level));
    };
    let _ = LEVEL.set(LoggingLevel::new(apply));
}

/// The knob by which operators change what this process logs, once [`start`] was called.
pub(crate) fn level() -> Option<LoggingLevel> {
    LEVEL.get().cloned()
}

/// The targets at glog's verbosity levels: 0 as usual, 1 for details, everything above.
fn at_level(usual: &Targets, level: u32) -> Targets {
    match level {
        0 => usual.clone(),
        1 => Targets::new().with_default(Level::DEBUG),
        _ => Targets::new().with_default(Level::TRACE),
    }
}
