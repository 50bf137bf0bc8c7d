//! The image of a container: pulled by the daemon if it must be, and told on the way.

use std::fs;
use std::future::ready;

use containers::docker::{DefinitionError, DockerError, Image};
use containers::image::Reference;
use containers::registry::{DockerConfig, Login, Progress, told};
use mesos::v1::TaskInfo;
use tokio::sync::watch;

use super::{Site, Unmade};
use crate::config::ExecutorConfig;

/// Has the daemon pull the task's image, if it must, and says from time to time how far that is. Returns what the
/// image says of itself.
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
    let words = || format!("Pulling {name}: {}", *seen.borrow());
    let say = |words| {
        say(words);
        ready(())
    };
    told(pulling, words, say).await.map_err(failed)?;
    let vanished = || Unmade::Daemon(site.engine.nonsense(format!("it has pulled '{name}', and does not have it")));
    site.engine.image(name).await.map_err(failed)?.ok_or_else(vanished)
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
