//! A container is made and started: the record first, then the container.

use std::io;
use std::time::Duration;

use containers::docker::{Container, Definition, DockerError, Image, Labels, Record, Running, Seen, state_label};
use mesos::v1::TaskInfo;
use processes::Process;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
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

/// Makes the container and starts it.
pub(crate) async fn start(
    site: &Site,
    config: &ExecutorConfig,
    task: &TaskInfo,
    image: &Image,
) -> Result<Started, Unmade> {
    let body = definition(site, config, task).await?.body()?;
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
            let record = Record { running: Some(running.clone()), ..record };
            record.write(&site.state)?;
            let told = json!([told]).to_string().into_bytes();
            Ok(Started::Runs(Box::new(site.watch(running, record, Some(told)))))
        }
        None => Ok(Started::Ended(site.finish(record).await)),
    }
}

/// Secrets are files of the operator's, which may be on disks that take their time.
async fn definition<'a>(site: &'a Site, config: &ExecutorConfig, task: &'a TaskInfo) -> Result<Definition<'a>, Unmade> {
    let (secrets, of) = (site.secrets.clone(), task.clone());
    let variables = spawn_blocking(move || secrets.variables(&of)).await.map_err(io::Error::from)??;
    let cfs = config.cgroup.as_ref().is_some_and(|cgroup| cgroup.policy.cfs);
    let labels = labels(site, config, task);
    Ok(Definition { task, variables, name: &site.name, labels, sandbox: &site.sandbox, cfs })
}

fn labels(site: &Site, config: &ExecutorConfig, task: &TaskInfo) -> Labels {
    let (state, directory) = state_label(&site.state);
    let own = [
        (state, directory),
        ("cygnet.framework", config.framework_id.clone()),
        ("cygnet.executor", config.executor_id.clone()),
        ("cygnet.task", task.task_id.value.clone()),
    ];
    // An executor that was started by hand has none.
    let agent = config.task_environment.get("MESOS_SLAVE_ID").map(|agent| ("cygnet.agent", agent.clone()));
    own.into_iter().chain(agent).map(|(name, value)| (name.to_owned(), value)).collect()
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
    let container = site.container().await.ok().flatten();
    match container.map(|container| container.state.exit_code).filter(|status| CANNOT_START.contains(status)) {
        Some(status) => Unmade::NotStarted { status, source },
        None => Unmade::Daemon(source),
    }
}

/// The container once it has a process, or had one.
async fn see(site: &Site) -> Result<(Container, Value), Unmade> {
    for _ in 0..GLANCES {
        let Some(told) = site.inspect().await? else { break };
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
