//! The container of a task that an earlier executor launched.

use containers::docker::{Container, Record};
use containers::image::HealthCheck;

use super::end::{LOST, ending};
use super::start::runs;
use super::{Docker, Site, Unmade};
use crate::life::Ending;

const NEVER_STARTED: &str = "The task was never started: its executor ended before that";

/// What became of it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) fate: Fate,
    /// The check of its image that the task has taken for its own.
    pub(crate) adopted: Option<HealthCheck>,
}

#[derive(Debug)]
pub(crate) enum Fate {
    Runs(Box<Docker>),
    Ended(Ending),
    /// It never ran, and never will.
    NotStarted(String),
}

/// Finds it again. No daemon is needed for one that is known to have run.
pub(crate) async fn recover(site: &Site) -> Found {
    let record = match Record::read(&site.state) {
        Ok(Some(record)) => record,
        Ok(None) => return Found { fate: Fate::NotStarted(NEVER_STARTED.to_owned()), adopted: None },
        Err(error) => {
            tracing::warn!(%error, container = site.name, "the record of a container is damaged");
            site.record()
        }
    };
    let adopted = record.adopted.clone();
    Found { fate: fate(site, record).await, adopted }
}

async fn fate(site: &Site, record: Record) -> Fate {
    if let Some(ended) = record.ended {
        site.discard().await;
        return Fate::Ended(ending(ended));
    }
    if record.running.is_some() {
        let docker = site.watch(record, None);
        return docker
            .map_or_else(|| Fate::Ended(Ending::Unknown(LOST.to_owned())), |docker| Fate::Runs(Box::new(docker)));
    }
    match site.engine.container(&site.name).await {
        Ok(Some(container)) => asked(site, record, container).await,
        Ok(None) => Fate::NotStarted(NEVER_STARTED.to_owned()),
        Err(error) => Fate::NotStarted(Unmade::Daemon(error).to_string()),
    }
}

/// By the daemon's word, of a container whose start nobody has seen.
async fn asked(site: &Site, record: Record, container: Container) -> Fate {
    if container.has_ended() {
        return Fate::Ended(site.finish(record).await);
    }
    let Some(running) = runs(&container) else {
        site.discard().await;
        return Fate::NotStarted(NEVER_STARTED.to_owned());
    };
    let record = Record { running: Some(running), ..record };
    if let Err(error) = record.write(&site.state) {
        tracing::error!(%error, container = site.name, "a successor would have to ask the daemon again");
    }
    match site.watch(record, None) {
        Some(docker) => Fate::Runs(Box::new(docker)),
        None => Fate::Ended(Ending::Unknown(LOST.to_owned())),
    }
}
