//! The sandbox of a task of a group: a directory of its own in the executor's sandbox, as Mesos lays it out.
//!
//! ```text
//! containers/<container>/    its sandbox: its working directory, stdout, stderr
//! tasks/<task>               a link to that
//! ```

use std::io;
use std::path::{Path, PathBuf};

use containers::cgroup::Assignment;
use fetcher::{Link, Space};
use mesos::v1::{ContainerId, ContainerInfo, ContainerStatus, TaskInfo, Volume};
use processes::Credentials;

use crate::config::{ExecutorConfig, Variables};
use crate::task::Unrunnable;

/// The place of one task.
#[derive(Debug)]
pub(crate) struct GroupSandbox {
    executor_sandbox: PathBuf,
    sandbox: PathBuf,
    container: ContainerId,
}

impl GroupSandbox {
    /// The sandbox of the task in this container.
    pub(crate) fn new(executor_sandbox: &Path, parent: Option<&ContainerId>, container: &str) -> GroupSandbox {
        let parent = parent.cloned().map(Box::new);
        GroupSandbox {
            executor_sandbox: executor_sandbox.to_path_buf(),
            sandbox: executor_sandbox.join("containers").join(container),
            container: ContainerId { value: container.to_owned(), parent },
        }
    }

    /// The executor's configuration for this task alone.
    pub(crate) fn config(&self, executor: &ExecutorConfig, task: &TaskInfo) -> ExecutorConfig {
        let mut environment = executor.task_environment.clone();
        environment.insert("MESOS_SANDBOX".to_owned(), self.sandbox.display().to_string());
        if let Some(ip) = container_ip(&environment) {
            environment.insert("MESOS_CONTAINER_IP".to_owned(), ip);
        }
        let linux = task.container.as_ref().and_then(|container| container.linux_info.as_ref());
        let own_cgroup = linux.is_some_and(|linux| linux.share_cgroups == Some(false));
        let nested = |cgroup: &Assignment| cgroup.nested(&self.container.value);
        ExecutorConfig {
            own_cgroup,
            cgroup: if own_cgroup { executor.cgroup.as_ref().map(nested) } else { executor.cgroup.clone() },
            sandbox: self.sandbox.clone(),
            outer_sandbox: Some(self.executor_sandbox.clone()),
            // Whoever knows the container finds its processes by its name.
            state_directory: executor
                .state_directory
                .join("tasks")
                .join(&task.task_id.value)
                .join(&self.container.value),
            task_environment: environment,
            ..executor.clone()
        }
    }

    /// The container in statuses, with the process that runs in it, if one does.
    pub(crate) fn status(&self, pid: Option<i32>) -> ContainerStatus {
        let executor_pid = pid.and_then(|pid| u32::try_from(pid).ok());
        ContainerStatus { container_id: Some(self.container.clone()), executor_pid, ..ContainerStatus::default() }
    }

    /// Makes the sandbox. Going over it again changes nothing.
    pub(crate) fn lay_out(&self, task: &TaskInfo, user: Option<&Credentials>) -> Result<(), Unrunnable> {
        self.link(task, user).map_err(Unrunnable::Sandbox)
    }

    fn link(&self, task: &TaskInfo, user: Option<&Credentials>) -> io::Result<()> {
        let outer = Space::open(&self.executor_sandbox)?;
        let containers = Path::new("containers");
        let own = outer.inner(&containers.join(&self.container.value))?;
        let home = Path::new("..").join(containers).join(&self.container.value);
        outer.link(&home, &Path::new("tasks").join(&task.task_id.value))?;
        let volumes = task.container.iter().filter(|container| container.image().is_none());
        let volumes = volumes.flat_map(|container| &container.volumes);
        let (parent, own) = ((&outer, self.executor_sandbox.as_path()), (&own, self.sandbox.as_path()));
        volumes.filter_map(Link::of).try_for_each(|link| link.make(parent, own, user))
    }
}

/// The address of the network that all tasks of an executor share.
fn container_ip(environment: &Variables) -> Option<String> {
    let own = ["LIBPROCESS_IP", "MESOS_CONTAINER_IP"].iter().find_map(|name| environment.get(*name).cloned());
    let agent = || environment.get("MESOS_SLAVE_PID")?.split_once('@')?.1.rsplit_once(':').map(|(ip, _)| ip.to_owned());
    own.filter(|ip| !ip.is_empty()).or_else(agent)
}

/// The volumes of a task of a group that are no links: all of one with an image, which sees nothing outside of it.
pub(super) fn unlinked(container: &ContainerInfo) -> impl Iterator<Item = &Volume> {
    let has_image = container.image().is_some();
    container.volumes.iter().filter(move |volume| has_image || Link::of(volume).is_none())
}

#[cfg(test)]
mod tests {
    use mesos::v1::container_info::Type as Containerizer;
    use mesos::v1::volume::Mode;
    use mesos::v1::volume::source::sandbox_path::Type as Whose;
    use mesos::v1::volume::source::{SandboxPath, Type as Source};
    use mesos::v1::{ContainerInfo, volume};

    use super::*;

    fn volume(mode: Mode, whose: Whose, path: &str, container_path: &str) -> Volume {
        let source = volume::Source {
            r#type: Some(Source::SandboxPath.into()),
            sandbox_path: Some(SandboxPath { r#type: Some(whose.into()), path: path.to_owned() }),
            ..volume::Source::default()
        };
        let container_path = container_path.to_owned();
        Volume { mode: mode.into(), container_path, source: Some(source), ..Volume::default() }
    }

    #[test]
    fn nothing_is_made_where_a_task_put_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (sandbox, outside) = (directory.path().join("sandbox"), directory.path().join("outside"));
        std::fs::create_dir(&outside).unwrap();
        let volumes = vec![volume(Mode::Rw, Whose::Parent, "data/deep", "own/data")];
        let task = TaskInfo {
            task_id: "t".into(),
            container: Some(ContainerInfo { r#type: Containerizer::Mesos.into(), volumes, ..ContainerInfo::default() }),
            ..TaskInfo::default()
        };
        let own = GroupSandbox::new(&sandbox, None, "c");
        for swapped in ["containers", "containers/c", "tasks", "data", "containers/c/own"] {
            std::fs::create_dir_all(sandbox.join(swapped).parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(&outside, sandbox.join(swapped)).unwrap();
            assert!(own.lay_out(&task, None).is_err(), "{swapped}");
            assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0, "{swapped}");
            std::fs::remove_dir_all(&sandbox).unwrap();
        }
        std::fs::create_dir(&sandbox).unwrap();
        for _ in 0..2 {
            own.lay_out(&task, None).unwrap();
        }
        std::fs::write(sandbox.join("tasks/t/own/data/file"), "x").unwrap();
        assert!(sandbox.join("data/deep/file").is_file());
    }

    #[test]
    fn only_writable_parts_of_sandboxes_can_be_had_and_nothing_outside() {
        let is_link = |mode, whose, path, to| Link::of(&volume(mode, whose, path, to)).is_some();
        assert!(is_link(Mode::Rw, Whose::Parent, "a/b", "c") && is_link(Mode::Rw, Whose::Self_, "a", "c/d"));
        assert!(!is_link(Mode::Ro, Whose::Parent, "a", "c") && !is_link(Mode::Rw, Whose::Unknown, "a", "c"));
        for (path, to) in [("../a", "c"), ("/a", "c"), ("a", "/c"), ("a", "c/../.."), ("", "c"), ("a", "")] {
            assert!(!is_link(Mode::Rw, Whose::Parent, path, to), "{path} {to}");
        }
    }
}
