//! The end of a container: noticed without a daemon, told by one.
//!
//! The container is removed once its exit status is on file and its output in the sandbox.

use std::time::Duration;

use containers::cgroup::Bytes;
use containers::docker::{Container, Ended, Record, Running};
use mesos::v1::{Resource, TaskResourceLimitation};
use processes::watched;
use tokio::io::Interest;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::output::Output;
use super::{Docker, Site};
use crate::life::Ending;

/// Mesos' word for an exit status that nobody told.
pub(super) const LOST: &str = "Failed to get exit status of container";

/// The time in which a daemon has to say how a container ended whose process is gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time in which the last output has to come.
const OUTPUT: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Site {
    /// Watches over a container that was seen to run, by its record. If its process is gone, its end comes next.
    pub(super) fn watch(&self, running: Running, record: Record, told: Option<Vec<u8>>) -> Docker {
        let (process, site, output) = (running.process(), self.clone(), self.read_output());
        let (say, ending) = watch::channel(None);
        let watching = tokio::spawn(async move {
            if let Some(watched) = process.and_then(|it| it.open()).and_then(|it| watched(it, Interest::READABLE).ok())
                && let Err(error) = watched.readable().await
            {
                tracing::error!(%error, "cannot wait for the end of a container");
            }
            say.send_replace(Some(site.end(record, output).await));
        });
        Docker { site: self.clone(), running, process, told, ending, _watching: AbortOnDropHandle::new(watching) }
    }

    /// The ending of a container whose process is gone.
    pub(super) async fn finish(&self, record: Record) -> Ending {
        let output = self.read_output();
        self.end(record, output).await
    }

    fn read_output(&self) -> AbortOnDropHandle<()> {
        let output = Output::new(self.engine.clone(), self.name.clone(), &self.sandbox, self.rotations, &self.state);
        AbortOnDropHandle::new(tokio::spawn(output.read()))
    }

    async fn end(&self, record: Record, output: AbortOnDropHandle<()>) -> Ending {
        let Some(container) = self.ended_container().await else { return Ending::Unknown(LOST.to_owned()) };
        // What comes later than that is lost with the container.
        let _late = timeout(OUTPUT, output).await;
        let ended = Ended {
            status: container.state.exit_code,
            out_of_memory: container.state.oom_killed,
            memory_bytes: u64::try_from(container.host_config.memory).ok().filter(|bytes| *bytes > 0),
        };
        let told = Record { ended: Some(ended), ..record };
        match told.write(&self.state) {
            Ok(()) => self.discard().await,
            // A successor asks the daemon again.
            Err(error) => tracing::error!(%error, container = self.name, "cannot remember how a container ended"),
        }
        ending(ended)
    }

    /// The container, once the daemon says that it has ended.
    async fn ended_container(&self) -> Option<Container> {
        let (deadline, mut pause) = (Instant::now() + PATIENCE, FIRST_PAUSE);
        loop {
            match self.container().await {
                Ok(Some(container)) if container.has_ended() => return Some(container),
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => tracing::debug!(%error, container = self.name, "how did it end?"),
            }
            if Instant::now() >= deadline {
                return None;
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Removes the container; if that cannot be, the agent will once the run is over.
    pub(super) async fn discard(&self) {
        match self.engine.remove(&self.name).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, container = self.name, "a container is left to the agent"),
        }
    }
}

/// The ending by the daemon's word. A container in which the kernel killed for want of memory is over for that, whichever of
/// its processes it was.
pub(super) fn ending(ended: Ended) -> Ending {
    let Ended { status, out_of_memory, memory_bytes } = ended;
    if !out_of_memory {
        return Ending::Container(status);
    }
    let limit = memory_bytes.unwrap_or(0);
    let message = format!("Container exited with status {status}: Memory limit exceeded: Requested: {}", Bytes(limit));
    let resources = vec![Resource::scalar("mem", (limit >> 20) as f64)];
    Ending::OutOfMemory { message, limitation: TaskResourceLimitation { resources } }
}
