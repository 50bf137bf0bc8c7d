//! The output of a container, from the daemon into the sandbox.
//!
//! The daemon keeps it in files of its own and is read from there, so nothing is lost while this executor is away, and
//! nothing while the daemon is: what the container prints then waits in its pipes. How far it was read is on file after each
//! piece; if this process is killed between the two, that piece is there twice.

use std::fs;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use containers::docker::{DockerError, Engine, Logs, Position, Stream};
use processes::append;
use tokio::time::sleep;

const FILE: &str = "docker.output";

/// The pause before a daemon that broke off is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The way of a container's output.
#[derive(Debug)]
pub(super) struct Output {
    engine: Engine,
    container: String,
    files: processes::Logs,
    position: PathBuf,
}

impl Output {
    pub(super) fn new(engine: Engine, container: String, sandbox: &Path, state: &Path) -> Output {
        Output { engine, container, files: processes::Logs::of(sandbox), position: state.join(FILE) }
    }

    /// Reads to the end, whatever becomes of the daemon meanwhile.
    pub(super) async fn read(self) {
        loop {
            match self.read_once().await {
                Ok(()) => return,
                // A container without output that can be read, or none any more.
                Err(error) if error.is_final() => {
                    return tracing::warn!(%error, container = self.container, "there is no output");
                }
                Err(error) => tracing::debug!(%error, container = self.container, "its output is read again"),
            }
            sleep(PAUSE).await;
        }
    }

    async fn read_once(&self) -> Result<(), DockerError> {
        let from: Position =
            fs::read(&self.position).ok().and_then(|it| serde_json::from_slice(&it).ok()).unwrap_or_default();
        let mut logs = self.engine.logs(&self.container, from).await?;
        while let Some(output) = logs.next().await? {
            if let Err(error) = self.write(output.stream, &output.bytes, &logs) {
                tracing::warn!(%error, container = self.container, "a line of output is lost");
            }
        }
        Ok(())
    }

    fn write(&self, stream: Stream, bytes: &[u8], logs: &Logs) -> io::Result<()> {
        let path = match stream {
            Stream::Stdout => &self.files.stdout,
            Stream::Stderr => &self.files.stderr,
        };
        append(path)?.write_all(bytes)?;
        self.remember(logs.position())
    }

    /// It need not be on disk: where that matters, the container is gone, too.
    fn remember(&self, position: &Position) -> io::Result<()> {
        let new = self.position.with_extension("new");
        File::create(&new)?.write_all(&serde_json::to_vec(position)?)?;
        fs::rename(&new, &self.position)
    }
}
