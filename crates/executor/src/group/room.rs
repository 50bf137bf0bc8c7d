//! Where a task of a group lives: a directory of its own in the executor's sandbox, as Mesos lays it out.
//!
//! ```text
//! containers/<container>/    its sandbox: its working directory, stdout, stderr
//! tasks/<task>               a link to that
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::{lchown, symlink};
use std::path::{Component, Path, PathBuf};

use mesos::v1::container_info::Type as Containerizer;
use mesos::v1::volume::Mode;
use mesos::v1::volume::source::{SandboxPath, Type as Source, sandbox_path::Type as Whose};
use mesos::v1::{ContainerId, ContainerInfo, ContainerStatus, TaskId, TaskInfo, Volume};

use crate::environment::{ExecutorConfig, Variables};
use crate::user::User;

/// The place of one task.
#[derive(Debug)]
pub(crate) struct Room {
    executor_sandbox: PathBuf,
    sandbox: PathBuf,
    container: ContainerId,
}

impl Room {
    /// The room of the task in this container.
    pub(super) fn new(executor_sandbox: &Path, parent: Option<&ContainerId>, container: &str) -> Room {
        let parent = parent.cloned().map(Box::new);
        Room {
            executor_sandbox: executor_sandbox.to_path_buf(),
            sandbox: executor_sandbox.join("containers").join(container),
            container: ContainerId { value: container.to_owned(), parent },
        }
    }

    /// What the executor's configuration is for this task alone.
    pub(super) fn config(&self, executor: &ExecutorConfig, task: &TaskId) -> ExecutorConfig {
        let mut environment = executor.task_environment.clone();
        environment.insert("MESOS_SANDBOX".to_owned(), self.sandbox.display().to_string());
        if let Some(ip) = container_ip(&environment) {
            environment.insert("MESOS_CONTAINER_IP".to_owned(), ip);
        }
        ExecutorConfig {
            sandbox: self.sandbox.clone(),
            // Whoever knows the container finds its processes by its name.
            state_directory: executor.state_directory.join("tasks").join(&task.value).join(&self.container.value),
            task_environment: environment,
            ..executor.clone()
        }
    }

    /// What statuses say of the container.
    pub(crate) fn status(&self) -> ContainerStatus {
        ContainerStatus { container_id: Some(self.container.clone()), ..ContainerStatus::default() }
    }

    /// Makes the room. Going over it again changes nothing.
    pub(crate) fn lay_out(&self, task: &TaskInfo, user: Option<&User>) -> Result<(), String> {
        if let Some(what) = task.container.as_ref().and_then(unsupported) {
            return Err(format!("{what} are not supported for tasks of a group by this executor"));
        }
        self.link(task, user).map_err(|error| format!("Cannot make the task's sandbox: {error}"))
    }

    fn link(&self, task: &TaskInfo, user: Option<&User>) -> io::Result<()> {
        let tasks = self.executor_sandbox.join("tasks");
        fs::create_dir_all(&self.sandbox)?;
        fs::create_dir_all(&tasks)?;
        let home = Path::new("..").join("containers").join(&self.container.value);
        replace_link(&home, &tasks.join(&task.task_id.value))?;
        let volumes = task.container.iter().flat_map(|container| &container.volumes);
        for (from, to) in volumes.filter_map(shared_directory) {
            let source = self.executor_sandbox.join(from);
            share(&source, user)?;
            let target = self.sandbox.join(to);
            fs::create_dir_all(target.parent().unwrap_or(&self.sandbox))?;
            replace_link(&source, &target)?;
        }
        Ok(())
    }
}

/// Makes a directory for several tasks. One that is there is left as it is: somebody else's task may have made it.
fn share(directory: &Path, user: Option<&User>) -> io::Result<()> {
    fs::create_dir_all(directory.parent().unwrap_or(directory))?;
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => user.map_or(Ok(()), |user| lchown(directory, Some(user.uid), Some(user.gid))),
    }
}

/// The address of the network that all tasks of an executor share.
fn container_ip(environment: &Variables) -> Option<String> {
    let own = ["LIBPROCESS_IP", "MESOS_CONTAINER_IP"].iter().find_map(|name| environment.get(*name).cloned());
    let agent = || environment.get("MESOS_SLAVE_PID")?.split_once('@')?.1.rsplit_once(':').map(|(ip, _)| ip.to_owned());
    own.filter(|ip| !ip.is_empty()).or_else(agent)
}

fn replace_link(to: &Path, at: &Path) -> io::Result<()> {
    match symlink(to, at) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && at.is_symlink() => {
            fs::remove_file(at)?;
            symlink(to, at)
        }
        made => made,
    }
}

/// What of a container nobody here can do.
fn unsupported(container: &ContainerInfo) -> Option<&'static str> {
    let has_image = container.mesos.as_ref().is_some_and(|mesos| mesos.image.is_some());
    [
        (container.r#type() == Containerizer::Docker, "Docker containers"),
        (has_image, "Container images"),
        (!container.network_infos.is_empty(), "Networks of their own"),
        (
            container.volumes.iter().any(|volume| shared_directory(volume).is_none()),
            "Volumes other than writable ones of the executor",
        ),
    ]
    .into_iter()
    .find_map(|(is_so, what)| is_so.then_some(what))
}

/// A volume that is a directory of the executor's sandbox, shared by the tasks that name it: its path there, and in the
/// task's own. Both are relative and lead nowhere else.
fn shared_directory(volume: &Volume) -> Option<(&Path, &Path)> {
    // A link cannot be read-only.
    let source = volume.source.as_ref().filter(|source| source.r#type() == Source::SandboxPath)?;
    if volume.mode() != Mode::Rw {
        return None;
    }
    let SandboxPath { path, .. } =
        source.sandbox_path.as_ref().filter(|sandbox_path| sandbox_path.r#type() == Whose::Parent)?;
    let (from, to) = (Path::new(path), Path::new(&volume.container_path));
    let inside = |path: &Path| {
        path.components().next().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
    };
    (inside(from) && inside(to)).then_some((from, to))
}
