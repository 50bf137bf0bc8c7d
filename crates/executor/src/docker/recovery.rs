//! The container of a task that an earlier executor launched.

use std::path::Path;

use containers::docker::{Container, Record};
use containers::image::HealthCheck;
use mesos::v1::TaskInfo;

use super::end::ending;
use super::start::runs;
use super::{Docker, Site, Unmade};
use crate::config::ExecutorConfig;
use crate::life::Ending;

const NEVER_STARTED: &str = "The task was never started: its executor ended before that";

/// The state it has come to.
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

/// Finds it again, where its record says. No daemon is needed for one that is known to have run.
pub(crate) async fn recover(config: &ExecutorConfig, state: &Path, task: &TaskInfo) -> Found {
    let (site, record) = match known(config, state, task) {
        Ok(known) => known,
        Err(why) => return Found { fate: Fate::NotStarted(why.to_string()), adopted: None },
    };
    let adopted = record.adopted.clone();
    Found { fate: fate(&site, record).await, adopted }
}

/// The reason that there is no container to be found again.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    /// Nothing is on file: an earlier executor has not come to its start.
    #[error("{NEVER_STARTED}")]
    NeverStarted,
    /// The record is damaged, and without it the place cannot be told.
    #[error(transparent)]
    Place(#[from] Unmade),
}

/// The container and its place, by its record, or else by the executor's own name; or why there cannot be one.
fn known(config: &ExecutorConfig, state: &Path, task: &TaskInfo) -> Result<(Site, Record), Unknown> {
    match Record::read(state) {
        Ok(Some(record)) => Ok((Site::again(config, state, task, &record), record)),
        Ok(None) => Err(Unknown::NeverStarted),
        Err(error) => {
            tracing::warn!(%error, state = %state.display(), "the record of a container is damaged");
            let site = Site::of(config, state, task)?;
            let record = site.record();
            Ok((site, record))
        }
    }
}

async fn fate(site: &Site, record: Record) -> Fate {
    if let Some(ended) = record.ended {
        site.discard().await;
        return Fate::Ended(ending(ended));
    }
    if let Some(running) = record.running.clone() {
        return Fate::Runs(Box::new(site.watch(running, record, None)));
    }
    match site.container().await {
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
    let record = Record { running: Some(running.clone()), ..record };
    if let Err(error) = record.write(&site.state) {
        tracing::error!(%error, container = site.name, "a successor would have to ask the daemon again");
    }
    Fate::Runs(Box::new(site.watch(running, record, None)))
}

#[cfg(test)]
mod tests {
    use containers::docker::{Ended, Engine, Running, Seen};
    use processes::{Process, Rotations};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;
    use tokio::sync::mpsc;

    use super::*;
    use crate::docker::Secrets;

    /// A daemon that knows of one container, in this state, and tells which calls it was given.
    fn daemon(socket: &Path, state: &'static str) -> mpsc::UnboundedReceiver<String> {
        let (listener, (said, calls)) = (UnixListener::bind(socket).unwrap(), mpsc::unbounded_channel());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let call = request.split(' ').take(2).collect::<Vec<_>>().join(" ");
                let answer = match () {
                    () if call.starts_with("DELETE") => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
                    () if call.contains("/logs") => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
                    () => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{state}", state.len()),
                };
                let _sent = said.send(call);
                let _written = stream.write_all(answer.as_bytes()).await;
            }
        });
        calls
    }

    /// An executor whose agent names no daemon.
    fn config(directory: &Path) -> ExecutorConfig {
        let variables = [
            ("MESOS_FRAMEWORK_ID", "F"),
            ("MESOS_EXECUTOR_ID", "E"),
            ("MESOS_SLAVE_PID", "slave(1)@127.0.0.1:5051"),
            ("MESOS_DIRECTORY", directory.to_str().unwrap()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        ExecutorConfig::from_variables(&variables.into()).unwrap()
    }

    async fn fate_of(directory: &Path) -> Fate {
        recover(&config(directory), directory, &TaskInfo::default()).await.fate
    }

    fn site(directory: &Path) -> Site {
        let engine = Engine::new(directory.join("s"));
        let (state, sandbox, rotations) = (directory.to_owned(), directory.to_owned(), Rotations::default());
        Site { engine, name: "mesos-c".to_owned(), state, sandbox, rotations, secrets: Secrets::default() }
    }

    fn said(mut calls: mpsc::UnboundedReceiver<String>) -> Vec<String> {
        std::iter::from_fn(|| calls.try_recv().ok()).collect()
    }

    const DELETE: &str = "DELETE /containers/mesos-c?force=1&v=1";

    #[tokio::test]
    async fn a_container_that_was_made_and_not_started_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let site = site(directory.path());
        let calls = daemon(&directory.path().join("s"), r#"{"State": {"Status": "created", "Running": false}}"#);
        site.record().write(&site.state).unwrap();
        let Fate::NotStarted(why) = fate_of(directory.path()).await else { panic!("it never ran") };
        assert_eq!(why, NEVER_STARTED);
        assert_eq!(said(calls), ["GET /containers/mesos-c/json", DELETE]);
    }

    #[tokio::test]
    async fn one_that_ended_unseen_has_its_status_and_is_removed_once_that_is_on_file() {
        let directory = tempfile::tempdir().unwrap();
        let site = site(directory.path());
        let ended = r#"{"State": {"Status": "exited", "Running": false, "ExitCode": 7}}"#;
        let calls = daemon(&directory.path().join("s"), ended);
        site.record().write(&site.state).unwrap();
        assert!(matches!(fate_of(directory.path()).await, Fate::Ended(Ending::Container(7))));
        assert_eq!(said(calls).last().map(String::as_str), Some(DELETE));
        let expected = Ended { status: 7, out_of_memory: false, memory_bytes: None };
        assert_eq!(Record::read(&site.state).unwrap().unwrap().ended, Some(expected));
        // The next one needs no daemon.
        std::fs::remove_file(directory.path().join("s")).unwrap();
        assert!(matches!(fate_of(directory.path()).await, Fate::Ended(Ending::Container(7))));
    }

    #[tokio::test]
    async fn without_a_record_nothing_was_begun_and_without_a_daemon_nobody_can_tell() {
        let directory = tempfile::tempdir().unwrap();
        let site = site(directory.path());
        assert!(matches!(fate_of(directory.path()).await, Fate::NotStarted(why) if why == NEVER_STARTED));
        site.record().write(&site.state).unwrap();
        assert!(matches!(fate_of(directory.path()).await, Fate::NotStarted(why) if why.contains("cannot be reached")));
    }

    #[tokio::test]
    async fn one_that_is_known_to_run_needs_no_daemon() {
        let directory = tempfile::tempdir().unwrap();
        let site = site(directory.path());
        let process = Process::this().unwrap();
        let running = Running::new(process, Container::default(), Seen::default());
        Record { running: Some(running), ..site.record() }.write(&site.state).unwrap();
        let Fate::Runs(docker) = fate_of(directory.path()).await else { panic!("it runs") };
        assert_eq!(docker.process(), Some(process));
    }

    /// Nothing is checked in whoever has the number of its process now.
    #[tokio::test]
    async fn one_whose_process_is_gone_has_none_and_ends_by_the_word_of_the_daemon_of_its_record() {
        let directory = tempfile::tempdir().unwrap();
        let site = site(directory.path());
        let ended = r#"{"State": {"Status": "exited", "Running": false, "ExitCode": 7}}"#;
        let _calls = daemon(&directory.path().join("s"), ended);
        let own = Process::this().unwrap();
        let reused = Process { start: own.start + 1, ..own };
        let running = Running::new(reused, Container::default(), Seen::default());
        Record { running: Some(running), ..site.record() }.write(&site.state).unwrap();
        let Fate::Runs(docker) = fate_of(directory.path()).await else { panic!("it ran") };
        assert_eq!(docker.process(), None);
        assert!(matches!(docker.ended().await, Ending::Container(7)));
    }
}
