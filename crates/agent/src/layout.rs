//! The places of things below the work directory. The sandboxes' paths are those of Mesos, down to the `latest` links.
//!
//! ```text
//! slaves/<S>/frameworks/<F>/executors/<E>/runs/<C>/   sandboxes; `runs/latest` is the newest
//! meta/agent.redb                                     the durable records
//! meta/slaves/latest                                  the agent's id, as a link
//! meta/executors/<C>/                                 what an executor keeps of its task
//! meta/containers/<C>/                                the same for containers of the operator API
//! containers/<C>/                                     sandboxes of standalone containers
//! meta/pools/                                         locks and logs of pool processes
//! meta/endpoint                                       where the agent listens now
//! store/docker/                                       images
//! fetch/                                              the fetcher's cache
//! meta/bin/cygnet                                     the executor's program, under the name tasks know
//! ```

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use mesos::v1::{AgentId, ContainerId, FrameworkId, TaskId};
use store::replace_file;

use crate::error::AgentError;
use crate::ids::ExecutorKey;

/// The directories that always exist, and their modes. Executors that run as somebody else find their own state, the
/// agent's endpoint and its program below `meta`; they cannot see what else there is.
const DIRECTORIES: [(&str, u32); 7] = [
    ("slaves", 0o755),
    ("meta", 0o711),
    ("meta/executors", 0o711),
    ("meta/containers", 0o711),
    ("meta/pools", 0o700),
    ("meta/slaves", 0o755),
    ("meta/bin", 0o755),
];

/// The paths of one work directory.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes the directories that always exist. The root becomes absolute: it goes into environments of other processes.
    pub(crate) fn create(root: &Path) -> Result<Layout, AgentError> {
        fs::create_dir_all(root).map_err(AgentError::file("create", root))?;
        let root = root.canonicalize().map_err(AgentError::file("resolve", root))?;
        let layout = Layout { root };
        for (directory, mode) in DIRECTORIES {
            let path = layout.root.join(directory);
            fs::create_dir_all(&path).map_err(AgentError::file("create", &path))?;
            fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(AgentError::file("protect", &path))?;
        }
        Ok(layout)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.root.join("meta/agent.redb")
    }

    pub(crate) fn endpoint(&self) -> PathBuf {
        self.root.join("meta/endpoint")
    }

    pub(crate) fn images(&self) -> PathBuf {
        self.root.join("store/docker")
    }

    pub(crate) fn fetcher_cache(&self) -> PathBuf {
        self.root.join("fetch")
    }

    /// The directory that tasks get on their PATH.
    pub(crate) fn binaries(&self) -> PathBuf {
        self.root.join("meta/bin")
    }

    /// The parent of pools' locks and logs.
    pub(crate) fn pools(&self) -> PathBuf {
        self.root.join("meta/pools")
    }

    pub(crate) fn pool_lock(&self, framework: &FrameworkId) -> PathBuf {
        self.root.join(format!("meta/pools/{framework}.lock"))
    }

    pub(crate) fn pool_log(&self, framework: &FrameworkId) -> PathBuf {
        self.root.join(format!("meta/pools/{framework}.log"))
    }

    /// The parent of what executors keep.
    pub(crate) fn executor_states(&self) -> PathBuf {
        self.root.join("meta/executors")
    }

    /// The state that the executor in this container keeps across its own restarts.
    pub(crate) fn executor_state(&self, container: &ContainerId) -> PathBuf {
        self.executor_states().join(container.to_string())
    }

    /// The parent of what is kept of containers that were launched through the operator API.
    pub(crate) fn containers(&self) -> PathBuf {
        self.root.join("meta/containers")
    }

    pub(crate) fn container(&self, container: &ContainerId) -> PathBuf {
        self.containers().join(container.to_string())
    }

    /// The parent of standalone containers' sandboxes.
    pub(crate) fn standalone(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// The state that the default executor keeps of the task in this container, which is nested in its own.
    pub(crate) fn task_state(&self, task: &TaskId, container: &ContainerId) -> PathBuf {
        self.executor_state(container.root()).join("tasks").join(&task.value).join(&container.value)
    }

    /// Everything the agent lets others read, but the above.
    pub(crate) fn sandboxes(&self) -> PathBuf {
        self.root.join("slaves")
    }

    pub(crate) fn agent_sandboxes(&self, agent: &AgentId) -> PathBuf {
        self.sandboxes().join(&agent.value)
    }

    pub(crate) fn sandbox(&self, agent: &AgentId, key: &ExecutorKey, container: &ContainerId) -> PathBuf {
        let ExecutorKey { framework, executor } = key;
        self.agent_sandboxes(agent).join(format!("frameworks/{framework}/executors/{executor}/runs/{container}"))
    }

    /// Writes down where the agent listens, for every executor to read. An agent that comes back to where it was needs no
    /// room for that on a full disk.
    pub(crate) fn write_endpoint(&self, address: &str) -> Result<(), AgentError> {
        let path = self.endpoint();
        if fs::read(&path).is_ok_and(|written| written == address.as_bytes()) {
            return Ok(());
        }
        replace_file(&path, address.as_bytes(), 0o644).map_err(AgentError::file("write", &path))
    }

    /// Makes the executor's program known to tasks as `cygnet`.
    pub(crate) fn link_binary(&self, program: &Path) -> Result<(), AgentError> {
        let link = self.binaries().join("cygnet");
        relink(program, &link).map_err(AgentError::file("link", &link))
    }

    /// Links the agent's id the way Mesos does, for people and tools that look around.
    pub(crate) fn link_agent(&self, agent: &AgentId) -> io::Result<()> {
        let slaves = self.root.join("meta/slaves");
        fs::create_dir_all(slaves.join(&agent.value))?;
        relink(Path::new(&agent.value), &slaves.join("latest"))
    }
}

/// A directory that only its owner may look into.
pub(crate) fn private_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Points a link somewhere else without a moment in which it is not there.
pub(crate) fn relink(target: &Path, link: &Path) -> io::Result<()> {
    if fs::read_link(link).is_ok_and(|current| current == target) {
        return Ok(());
    }
    let new = link.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(target, &new)?;
    fs::rename(&new, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sandboxes_lie_where_mesos_puts_them() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(directory.path()).unwrap();
        let key = ExecutorKey { framework: "F-0000".into(), executor: "web.1".into() };
        let sandbox = layout.sandbox(&"A-S0".into(), &key, &"c1".into());
        let below = sandbox.strip_prefix(layout.root()).unwrap();
        assert_eq!(below, Path::new("slaves/A-S0/frameworks/F-0000/executors/web.1/runs/c1"));
    }

    #[test]
    fn links_are_replaced_as_often_as_it_takes() {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(directory.path()).unwrap();
        for program in ["/bin/true", "/bin/false", "/bin/false"] {
            layout.link_binary(Path::new(program)).unwrap();
            assert_eq!(fs::read_link(layout.binaries().join("cygnet")).unwrap(), Path::new(program));
        }
        layout.write_endpoint("127.0.0.1:1").unwrap();
        layout.write_endpoint("127.0.0.1:2").unwrap();
        assert_eq!(fs::read_to_string(layout.endpoint()).unwrap(), "127.0.0.1:2");
    }
}
