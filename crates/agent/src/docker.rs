//! Docker's daemon beside the agent: whether there is one, and the containers of executors that left some.
//!
//! Comes in: runs that are over. Goes out: containers that are gone. Executors own their containers, and
//! remove them; those of an executor that could not are removed here, by the record that it left or by their labels, as
//! soon as the daemon answers. Owns: a tokio task for each removal that is under way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use containers::docker::{DockerError, Engine, Record, run_of, state_label};
use tokio::time::timeout;

use crate::error::AgentError;
use crate::options::Options;
use crate::tries::{doubling, persistently};

/// The pause before a daemon that did not answer is asked again; each is twice as long, up to the longest.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The time after which a sweep is left to the next one.
const UNTIL_NEXT_SWEEP: Duration = Duration::from_secs(300);

/// Mesos' names for who makes containers.
const DOCKER: &str = "docker";
const MESOS: &str = "mesos";

/// The daemon, which may come and go at any time.
#[derive(Debug, Clone)]
pub(crate) struct Docker {
    engine: Engine,
    kill_orphans: bool,
    /// It was asked for, or answered when the agent started.
    is_expected: bool,
}

impl Docker {
    /// The daemon that the options name, unless they refuse it. One that does not answer now may later.
    pub(crate) async fn find(options: &Options) -> Result<Option<Docker>, AgentError> {
        let wanted = options.containerizers.as_deref().map(asks_for_docker).transpose()?;
        if wanted == Some(false) {
            return Ok(None);
        }
        let (engine, kill_orphans) = (Engine::new(&options.docker_socket), options.docker_kill_orphans);
        let is_expected = preflight(&engine).await || wanted == Some(true);
        Ok(Some(Docker { engine, kill_orphans, is_expected }))
    }

    /// The daemon's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.engine.socket().to_owned()
    }

    /// Removes the containers of this agent's runs of which there is no state any more: nobody knows of them.
    pub(crate) fn sweep(&self, executor_states: &Path) {
        if !self.kill_orphans {
            return;
        }
        let (engine, states) = (self.engine.clone(), executor_states.to_owned());
        tokio::spawn(async move {
            let goes_on = |error: &DockerError| {
                tracing::debug!(%error, "containers are removed once the daemon answers");
                true
            };
            let sweeping = persistently(doubling(PAUSE, LONGEST_PAUSE), || sweep(&engine, &states), goes_on);
            timeout(UNTIL_NEXT_SWEEP, sweeping).await
        });
    }
}

/// True if it answers. What an operator should know of it is said.
async fn preflight(engine: &Engine) -> bool {
    match engine.daemon().await {
        Ok(daemon) => {
            let (socket, version) = (engine.socket().display(), &daemon.server_version);
            tracing::info!(%socket, version, "containers of type DOCKER are made by this daemon");
            if !daemon.is_outlived() {
                tracing::warn!(%socket, "containers of type DOCKER end with their daemon: it has no 'live-restore'");
            }
            true
        }
        Err(error) => {
            tracing::info!(%error, "there is no daemon for containers of type DOCKER yet");
            false
        }
    }
}

/// Removes the container of a run that is over, or to be killed, if its executor had one and has not done so itself. Its
/// record names its daemon, whatever this agent was told of any.
pub(crate) fn end_run(executor_state: &Path) {
    let record = Record::read(executor_state);
    let record = record.inspect_err(|error| tracing::warn!(%error, "which container was it?")).ok().flatten();
    let Some(record) = record else { return };
    let engine = Engine::new(record.socket);
    // An agent that ends meanwhile leaves it to the next one.
    tokio::spawn(async move {
        let goes_on = |error: &DockerError| {
            tracing::info!(%error, container = record.name, "a container is removed once the daemon answers");
            true
        };
        persistently(doubling(PAUSE, LONGEST_PAUSE), || engine.remove(&record.name), goes_on).await
    });
}

async fn sweep(engine: &Engine, executor_states: &Path) -> Result<(), DockerError> {
    let (label, _) = state_label(executor_states);
    for (id, labels) in engine.list(label).await? {
        let run = run_of(&labels, executor_states);
        if let Some(run) = run.filter(|run| !executor_states.join(run).exists()) {
            tracing::warn!(container = run, "a container that is in no book is removed");
            engine.remove(&id).await?;
        }
    }
    Ok(())
}

/// Reads `--containerizers`.
fn asks_for_docker(text: &str) -> Result<bool, AgentError> {
    let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    let wrong = |reason: String| AgentError::Option { name: "containerizers", reason };
    if let Some(other) = words.iter().find(|word| ![DOCKER, MESOS].contains(word)) {
        return Err(wrong(format!("there is no '{other}'; there are {DOCKER} and {MESOS}")));
    }
    match words.contains(&MESOS) {
        true => Ok(words.contains(&DOCKER)),
        false => Err(wrong(format!("'{MESOS}' is always there"))),
    }
}

/// `--docker_config` for executors, who are in other directories.
pub(crate) fn logins(flag: &str) -> String {
    let path = flag.strip_prefix("file://").unwrap_or(flag);
    let is_text = flag.trim_start().starts_with('{');
    let absolute = std::path::absolute(path).ok().filter(|_| !is_text).map(|path| path.display().to_string());
    absolute.unwrap_or_else(|| flag.to_owned())
}

/// `--containerizers` as it is in force.
pub(crate) fn containerizers(docker: Option<&Docker>) -> &'static str {
    if docker.is_some_and(|docker| docker.is_expected) { "docker,mesos" } else { "mesos" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containerizers_have_the_names_of_mesos() {
        assert!(asks_for_docker("docker, mesos").unwrap() && !asks_for_docker("mesos").unwrap());
        for (text, named) in [("docker", "'mesos'"), ("mesos,rkt", "'rkt'"), ("", "'mesos'")] {
            let error = asks_for_docker(text).unwrap_err().to_string();
            assert!(error.starts_with("option 'containerizers'") && error.contains(named), "{error}");
        }
    }

    #[tokio::test]
    async fn a_daemon_that_does_not_answer_is_asked_again_unless_it_is_refused() {
        let options = Options { docker_socket: "/nowhere/docker.sock".into(), ..Options::new("", "", "") };
        let later = Docker::find(&options).await.unwrap().unwrap();
        assert_eq!((later.socket(), containerizers(Some(&later))), (options.docker_socket.clone(), "mesos"));
        let asked = Options { containerizers: Some("docker,mesos".to_owned()), ..options };
        assert_eq!(containerizers(Docker::find(&asked).await.unwrap().as_ref()), "docker,mesos");
        let refused = Options { containerizers: Some("mesos".to_owned()), ..asked };
        assert!(Docker::find(&refused).await.unwrap().is_none());
    }
}
