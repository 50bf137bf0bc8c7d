//! The output of a container, from the daemon into the sandbox.
//!
//! The daemon keeps it in files of its own and is read from there, so nothing is lost while this executor is away, and
//! nothing while the daemon is: what the container prints then waits in its pipes. How far it was read is on file after each
//! piece; if this process is killed between the two, that piece is there twice.

mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use containers::docker::{DockerError, Engine, Logs};
use processes::Rotations;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use self::writer::Writer;

/// The file of the position.
const FILE: &str = "docker.output";

/// The pause before a daemon that broke off is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The way of a container's output.
#[derive(Debug)]
pub(super) struct Output {
    engine: Engine,
    container: String,
    logs: processes::Logs,
    rotations: Rotations,
    position: PathBuf,
}

impl Output {
    pub(super) fn new(engine: Engine, container: String, sandbox: &Path, rotations: Rotations, state: &Path) -> Output {
        Output { engine, container, logs: processes::Logs::of(sandbox), rotations, position: state.join(FILE) }
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
        let mut writer = Writer::new(&self.logs, self.rotations, self.position.clone());
        let mut logs = self.engine.logs(&self.container, writer.position()).await?;
        let mut is_lost = false;
        while let Some(piece) = piece(&mut logs).await? {
            let position = logs.position().clone();
            // Disks may take their time.
            let writing = spawn_blocking(move || {
                let written = writer.write(&piece, &position);
                (writer, written)
            });
            let Ok((again, written)) = writing.await else { return Ok(()) };
            writer = again;
            is_lost = self.tell(is_lost, written);
        }
        Ok(())
    }

    /// True if output is being lost, of which the log has the beginning and the end.
    fn tell(&self, was_lost: bool, written: io::Result<()>) -> bool {
        match &written {
            Err(error) if !was_lost => tracing::warn!(%error, container = self.container, "output is lost"),
            Ok(()) if was_lost => tracing::info!(container = self.container, "no more output is lost"),
            _ => {}
        }
        written.is_err()
    }
}

/// The lines that have come: one at least, unless there are no more.
async fn piece(logs: &mut Logs) -> Result<Option<Vec<containers::docker::Output>>, DockerError> {
    let Some(first) = logs.next().await? else { return Ok(None) };
    let mut piece = vec![first];
    // An error comes again, after what came before it was written.
    while let Ok(Some(more)) = logs.at_hand() {
        piece.push(more);
    }
    Ok(Some(piece))
}
