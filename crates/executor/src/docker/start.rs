//! A container is made and started: the image first, then the record, then the container.

use std::fs;
use std::time::Duration;

use containers::docker::{Container, Definition, DockerError, Image, Labels, Record, Running, Seen, state_label};
use containers::image::Reference;
use containers::registry::{DockerConfig, Login};
use mesos::v1::TaskInfo;
use processes::Process;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Docker, Site, Unmade, adopt};
use crate::config::ExecutorConfig;
use crate::life::Ending;

/// The exit statuses of what could not be started, as shells have them.
const CANNOT_START: [i32; 2] = [126, 127];

/// The pause between two looks at a container that has no process yet, and the most looks.
const GLANCE: Duration = Duration::from_millis(50);
const GLANCES: u32 = 100;

/// A container that was started.
#[derive(Debug)]
pub(crate) enum Started {
    Runs(Box<Docker>),
    /// It was quicker than we are.
    Ended(Ending),
}

/// Has the daemon pull the task's image, if it must. What the image says of itself.
pub(crate) async fn pull(site: &Site, config: &ExecutorConfig, task: &TaskInfo) -> Result<Image, Unmade> {
    let docker = task.container.as_ref().and_then(|container| container.docker.clone()).unwrap_or_default();
    let image = docker.image.clone();
    let failed = |source: DockerError| Unmade::Image { image: image.clone(), source };
    if !docker.force_pull_image()
        && let Some(image) = site.engine.image(&image).await?
    {
        return Ok(image);
    }
    site.engine.pull(&image, login(site, config, &image).as_ref()).await.map_err(failed)?;
    let vanished = || Unmade::Daemon(site.engine.nonsense(format!("it has pulled '{image}', and does not have it")));
    site.engine.image(&image).await.map_err(failed)?.ok_or_else(vanished)
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

/// Makes the container and starts it.
pub(crate) async fn start(
    site: &Site,
    config: &ExecutorConfig,
    task: &TaskInfo,
    image: &Image,
) -> Result<Started, Unmade> {
    let body = definition(site, config, task).body()?;
    let record = Record { adopted: adopt(task, image), ..site.record() };
    record.write(&site.state)?;
    create(site, body).await?;
    if let Err(error) = site.engine.start(&site.name).await {
        let failed = unstarted(site, error).await;
        site.discard().await;
        return Err(failed);
    }
    let (container, told) = see(site).await?;
    match runs(&container) {
        Some(running) => {
            let running = Record { running: Some(running.clone()), ..record.clone() };
            running.write(&site.state)?;
            let told = json!([told]).to_string().into_bytes();
            Ok(Started::Runs(Box::new(site.watch(running, Some(told)).ok_or_else(vanished)?)))
        }
        None => Ok(Started::Ended(site.finish(record).await)),
    }
}

fn vanished() -> std::io::Error {
    std::io::Error::other("it has no process")
}

fn definition<'a>(site: &'a Site, config: &ExecutorConfig, task: &'a TaskInfo) -> Definition<'a> {
    let agent = config.task_environment.get("MESOS_SLAVE_ID").cloned().unwrap_or_default();
    let (state, directory) = state_label(&site.state);
    let labels = [
        (state, directory),
        ("cygnet.agent", agent),
        ("cygnet.framework", config.framework_id.clone()),
        ("cygnet.executor", config.executor_id.clone()),
        ("cygnet.task", task.task_id.value.clone()),
    ];
    let labels: Labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let cfs = config.cgroup.as_ref().is_some_and(|cgroup| cgroup.policy.cfs);
    Definition { task, name: &site.name, labels, sandbox: &site.sandbox, cfs }
}

/// A container of this name can only be one of this run, of which an earlier call made it and was not heard of again.
async fn create(site: &Site, body: Value) -> Result<(), Unmade> {
    for _ in 0..2 {
        if site.engine.create(&site.name, body.clone()).await?.is_some() {
            return Ok(());
        }
        site.engine.remove(&site.name).await?;
    }
    Err(Unmade::Daemon(site.engine.nonsense(format!("there is always a container '{}'", site.name))))
}

/// Why it did not start: the daemon's word, and the exit status where it is its program's fault.
async fn unstarted(site: &Site, source: DockerError) -> Unmade {
    let container = site.engine.container(&site.name).await.ok().flatten();
    match container.map(|container| container.state.exit_code).filter(|status| CANNOT_START.contains(status)) {
        Some(status) => Unmade::NotStarted { status, source },
        None => Unmade::Daemon(source),
    }
}

/// The container once it has a process, or had one.
async fn see(site: &Site) -> Result<(Container, Value), Unmade> {
    for _ in 0..GLANCES {
        let Some(told) = site.engine.inspect(&site.name).await? else { break };
        let container = site.engine.understood(&told)?;
        if container.state.pid > 0 || container.has_ended() {
            return Ok((container, told));
        }
        sleep(GLANCE).await;
    }
    Err(Unmade::Daemon(site.engine.nonsense(format!("the container '{}' does not start", site.name))))
}

/// A container that runs, with what the kernel says of its first process.
pub(super) fn runs(container: &Container) -> Option<Running> {
    let process = Process::of(container.state.pid).filter(|_| container.state.pid > 0)?;
    Some(Running::new(process, container.clone(), Seen::of(process)?))
}
