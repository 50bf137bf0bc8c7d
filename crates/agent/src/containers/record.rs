//! The facts about a task container that outlive the agent, as a file in its shim's directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mesos::Codec;
use mesos::v1::{ContainerId, agent};
use serde::{Deserialize, Serialize};
use store::replace_file;

/// The first letter of directories that are about to be removed; no container's name begins like this.
pub(super) const DISCARDED: &str = ".";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ContainerRecord {
    /// From the outermost to its own, as it is printed.
    id: String,
    pub(super) sandbox: PathBuf,
    /// The resources, as LAUNCH_CONTAINER has them in JSON.
    resources: String,
}

impl ContainerRecord {
    pub(super) fn new(id: &ContainerId, sandbox: PathBuf, resources: &[mesos::v1::Resource]) -> ContainerRecord {
        let order = agent::call::LaunchContainer { resources: resources.to_vec(), ..Default::default() };
        let resources = String::from_utf8_lossy(&Codec::Json.encode(&order)).into_owned();
        ContainerRecord { id: id.to_string(), sandbox, resources }
    }

    pub(super) fn id(&self) -> ContainerId {
        let mut parts = self.id.split('.');
        let root = ContainerId::from(parts.next().unwrap_or_default());
        parts.fold(root, |parent, part| parent.child(part))
    }

    pub(super) fn resources(&self) -> Vec<mesos::v1::Resource> {
        let order: Option<agent::call::LaunchContainer> = Codec::Json.decode(self.resources.as_bytes()).ok();
        order.unwrap_or_default().resources
    }

    /// Written before anything is started.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        replace_file(&file(directory), &serde_json::to_vec(self)?, 0o600)
    }

    pub(super) fn read(directory: &Path) -> io::Result<ContainerRecord> {
        Ok(serde_json::from_slice(&fs::read(file(directory))?)?)
    }
}

/// The path of a container's record.
pub(super) fn file(directory: &Path) -> PathBuf {
    directory.join("container.json")
}

#[cfg(test)]
mod tests {
    use mesos::v1::Resource;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let cpus = Resource::scalar("cpus", 0.5);
        let id = ContainerId::from("root").child("a").child("b");
        ContainerRecord::new(&id, "/sandbox".into(), std::slice::from_ref(&cpus)).write(directory.path()).unwrap();
        let record = ContainerRecord::read(directory.path()).unwrap();
        assert_eq!((record.id(), record.resources()), (id, vec![cpus]));
    }
}
