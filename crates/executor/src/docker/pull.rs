//! The image of a container: pulled by the daemon if it must be, and told on the way.

use std::fs;
use std::time::Duration;

use containers::docker::{DefinitionError, DockerError, Image};
use containers::image::Reference;
use containers::registry::{DockerConfig, Login, Progress};
use mesos::v1::TaskInfo;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Site, Unmade};
use crate::config::ExecutorConfig;

/// The shortest time between two words about a pull, as of the agent's own.
const PACE: Duration = Duration::from_secs(5);

/// Has the daemon pull the task's image, if it must, and says from time to time how far that is. What the image says of
/// itself.
pub(crate) async fn pull(
    site: &Site,
    config: &ExecutorConfig,
    task: &TaskInfo,
    say: impl Fn(String),
) -> Result<Image, Unmade> {
    let docker = task.container.as_ref().and_then(|container| container.docker.as_ref());
    let docker = docker.ok_or(DefinitionError::NoDocker)?;
    let name = docker.image.as_str();
    let failed = |source: DockerError| Unmade::Image { image: name.to_owned(), source };
    if !docker.force_pull_image()
        && let Some(image) = site.engine.image(name).await?
    {
        return Ok(image);
    }
    let (progress, seen) = watch::channel(Progress::default());
    let login = login(site, config, name);
    let pulling = site.engine.pull(name, login.as_ref(), &progress);
    watched(pulling, name, &seen, PACE, say).await.map_err(failed)?;
    let vanished = || Unmade::Daemon(site.engine.nonsense(format!("it has pulled '{name}', and does not have it")));
    site.engine.image(name).await.map_err(failed)?.ok_or_else(vanished)
}

/// Waits for a pull, and tells what changes on the way.
async fn watched<T>(
    pulling: impl Future<Output = T>,
    name: &str,
    progress: &watch::Receiver<Progress>,
    pace: Duration,
    say: impl Fn(String),
) -> T {
    tokio::pin!(pulling);
    let mut ticks = interval_at(Instant::now() + pace, pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = String::new();
    loop {
        tokio::select! {
            biased;
            done = &mut pulling => return done,
            _ = ticks.tick() => {
                let words = format!("Pulling {name}: {}", *progress.borrow());
                if words != said {
                    say(words.clone());
                    said = words;
                }
            }
        }
    }
}

/// The login for an image: the one that the task brought along, where Docker's own client would look for it, as `HOME` is
/// the sandbox, or else the agent's.
fn login(site: &Site, config: &ExecutorConfig, image: &str) -> Option<Login> {
    let image: Reference = image.parse().ok()?;
    let own = [".docker/config.json", ".dockercfg"].map(|name| site.sandbox.join(name)).into_iter();
    // A link might lead to what is somebody else's.
    let own = own.filter(|path| path.is_file() && fs::canonicalize(path).is_ok_and(|real| real == *path));
    let all = own.map(|path| path.display().to_string()).chain(config.docker_config.clone());
    let read = |value: String| DockerConfig::of_flag(&value).inspect_err(|error| tracing::warn!(%error, "no logins"));
    all.filter_map(|value| read(value).ok()).find_map(|config| config.login(&image).cloned())
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_pull_is_told_whenever_it_has_changed() {
        let (progress, seen) = watch::channel(Progress::default());
        let (say, mut said) = mpsc::unbounded_channel();
        let pulling = async {
            let first = said.recv().await;
            progress.send_replace(Progress { layers: 2, bytes: 3_000_000, total: 4_000_000, ..Progress::default() });
            [first, said.recv().await].map(Option::unwrap)
        };
        let told = watched(pulling, "web:1", &seen, Duration::from_millis(1), |words| say.send(words).unwrap()).await;
        let expected =
            ["Pulling web:1: the registry is asked for the manifest", "Pulling web:1: layer 1 of 2, 3.0 of 4.0 MB"];
        assert_eq!(told, expected);
    }
}
