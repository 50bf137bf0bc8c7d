//! The state directory of one logical executor: what the next process needs to go on.
//!
//! ```text
//! task.info   the task, written before anything is started
//! journal     updates, acknowledgements, the kill          (see `journal`)
//! health      how the checks stand                         (see `monitor`)
//! framework   what the agent said of the framework
//! spec.json, lock, pid, grace, exit, clear                 (see `shim`)
//! changes/        what a task changes of its image: upper, work
//! provisions/     what the agent made ready for each task (see `containers::provision`)
//! groups      the groups of a default executor             (see `group`)
//! tasks/<T>/<C>/  all of the above, for each of their tasks and its container
//! ```

mod groups;
mod journal;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use mesos::v1::{FrameworkInfo, TaskId, TaskInfo};
use processes::ShimFiles;
use prost::Message;
use tokio::task::{JoinHandle, spawn_blocking};

pub(crate) use self::groups::{Groups, Planned};
pub(crate) use self::journal::Journal;
use crate::clock::{Moment, now};
use crate::config::ExecutorConfig;
use crate::error::ExecutorError;
use crate::lock;

/// The directory for what a task changes of its image.
pub(crate) const CHANGES: &str = "changes";

#[derive(Debug)]
pub(crate) struct StateDirectory {
    path: PathBuf,
    _lock: Option<fs::File>,
    /// The removal of what the task changed of its image.
    clearing: Option<JoinHandle<()>>,
}

/// The way others are kept away from a state directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// A lock in the directory.
    Lock,
    /// A lock of the host of all executors, which saves a descriptor for each.
    Host,
}

/// The task, and since when.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Launched {
    #[prost(message, optional, tag = "1")]
    task: Option<TaskInfo>,
    #[prost(uint64, tag = "2")]
    boot_nanoseconds: u64,
}

impl StateDirectory {
    /// Opens the directory for this process alone. One that the agent made and that is not there is lost, with whatever
    /// was known of the task.
    pub(crate) async fn open(config: &ExecutorConfig, exclusion: Exclusion) -> Result<StateDirectory, ExecutorError> {
        let path = &config.state_directory;
        if config.agent_makes_state && !path.exists() {
            return Err(ExecutorError::Damaged { path: path.clone(), problem: "it is missing".to_owned() });
        }
        StateDirectory::create(path)?;
        let lock = match exclusion {
            Exclusion::Lock => Some(lock::hold(&path.join("executor.lock")).await?),
            Exclusion::Host => None,
        };
        Ok(StateDirectory { path: path.to_path_buf(), _lock: lock, clearing: None })
    }

    fn create(path: &Path) -> Result<(), ExecutorError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(ExecutorError::file("create", path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of one task of a group, which is in `path`, below this one.
    pub(crate) fn of_member(&self, path: &Path) -> Result<StateDirectory, ExecutorError> {
        StateDirectory::create(path)?;
        Ok(StateDirectory { path: path.to_path_buf(), _lock: None, clearing: None })
    }

    /// The directories of all tasks of groups.
    pub(crate) fn members(&self) -> Vec<StateDirectory> {
        let entries = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        let containers = entries(self.path.join("tasks")).flat_map(entries);
        containers.map(|path| StateDirectory { path, _lock: None, clearing: None }).collect()
    }

    /// Removes the directory of a task of a group that is over.
    pub(crate) fn forget_member(&self, task: &TaskId) {
        remove(&self.path.join("tasks").join(&task.value));
    }

    /// Removes the directory of a task that is gone.
    pub(crate) fn forget(self) {
        remove(&self.path);
    }

    pub(crate) fn groups(&self) -> Result<Option<Groups>, ExecutorError> {
        let groups = self.read("groups")?;
        if groups.is_none() && self.members().iter().any(StateDirectory::has_started) {
            return Err(self.damaged("groups", "it is missing"));
        }
        Ok(groups)
    }

    pub(crate) fn write_groups(&self, groups: &Groups) -> Result<(), ExecutorError> {
        self.write("groups", groups)
    }

    pub(crate) fn shim(&self) -> ShimFiles {
        ShimFiles::new(&self.path)
    }

    /// Makes the directories for what a task changes of its image.
    pub(crate) fn make_changes(&self) -> io::Result<()> {
        containers::rootfs::make_changes(&self.path.join(CHANGES))
    }

    /// Removes what a task that has ended changed of its image, beside the runtime: it may be much. Whoever removes the
    /// whole directory removes what is left of it.
    pub(crate) fn forget_changes(&mut self) {
        let changes = self.path.join(CHANGES);
        if changes.exists() {
            self.clearing = Some(spawn_blocking(move || remove(&changes)));
        }
    }

    /// Waits for that removal, which the end of this process would cut off.
    pub(crate) async fn cleared(&mut self) {
        if let Some(clearing) = self.clearing.take() {
            // One that broke off has said so.
            let _done = clearing.await;
        }
    }

    /// The file for the state of the checks.
    pub(crate) fn health(&self) -> PathBuf {
        self.path.join("health")
    }

    pub(crate) fn journal(&self) -> Result<Journal, ExecutorError> {
        let path = self.path.join("journal");
        let is_empty = fs::metadata(&path).map_or(true, |metadata| metadata.len() == 0);
        if is_empty && self.has_started() {
            tracing::warn!(path = %path.display(), "the journal of a task is lost; its updates are made again");
        }
        Journal::open(&path).map_err(ExecutorError::file("open", path))
    }

    /// The task and when it was launched, if it was.
    pub(crate) fn launched(&self) -> Result<Option<(TaskInfo, Moment)>, ExecutorError> {
        let Some(launched) = self.read::<Launched>("task.info")? else {
            return if self.has_started() { Err(self.damaged("task.info", "it is missing")) } else { Ok(None) };
        };
        let at = Moment::after_boot(std::time::Duration::from_nanos(launched.boot_nanoseconds));
        let task = launched.task.ok_or_else(|| self.damaged("task.info", "it names no task"))?;
        Ok(Some((task, at)))
    }

    /// True if a shim was to start the task, whatever else is on file.
    fn has_started(&self) -> bool {
        self.shim().has_started()
    }

    /// Names in the log what is missing beside the shim's files of a task that was started, be it needed or not.
    pub(crate) fn tell_of_damage(&self, task: &TaskInfo) {
        let is_checked = task.check.is_some() || task.health_check.is_some();
        if is_checked && self.has_started() && !self.health().exists() {
            tracing::warn!(path = %self.health().display(), "a file of a task's state is missing");
        }
    }

    fn damaged(&self, name: &str, problem: &str) -> ExecutorError {
        ExecutorError::Damaged { path: self.path.join(name), problem: problem.to_owned() }
    }

    pub(crate) fn write_launched(&self, task: &TaskInfo) -> Result<(), ExecutorError> {
        let boot_nanoseconds = u64::try_from(now().since_boot().as_nanos()).unwrap_or(u64::MAX);
        self.write("task.info", &Launched { task: Some(task.clone()), boot_nanoseconds })
    }

    /// The framework as the agent described it, if it ever did. It does so again, so damage is no reason to end.
    pub(crate) fn framework(&self) -> Result<Option<FrameworkInfo>, ExecutorError> {
        match self.read("framework") {
            Err(ExecutorError::Damaged { path, problem }) => {
                tracing::warn!(path = %path.display(), problem, "what the agent said of the framework is lost");
                Ok(None)
            }
            Ok(None) if self.has_started() || self.path.join("groups").exists() => {
                let path = self.path.join("framework");
                tracing::warn!(path = %path.display(), "what the agent said of the framework is missing");
                Ok(None)
            }
            framework => framework,
        }
    }

    /// Lets a successor know what the agent says of the framework.
    pub(crate) fn remember_framework(&self, framework: &FrameworkInfo) {
        if let Err(error) = self.write("framework", framework) {
            tracing::error!(%error, "a successor would not know the framework");
        }
    }

    fn read<M: Message + Default>(&self, name: &str) -> Result<Option<M>, ExecutorError> {
        let path = self.path.join(name);
        let content = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            content => content.map_err(ExecutorError::file("read", &path))?,
        };
        if content.is_empty() {
            return Err(self.damaged(name, "it is empty"));
        }
        M::decode_length_delimited(content.as_slice())
            .map(Some)
            .map_err(|error| ExecutorError::Damaged { path, problem: error.to_string() })
    }

    /// With its length in front: many a message that is cut off is another whole message.
    fn write(&self, name: &str, message: &impl Message) -> Result<(), ExecutorError> {
        let path = self.path.join(name);
        store::replace_file(&path, &message.encode_length_delimited_to_vec(), 0o600)
            .map_err(ExecutorError::file("write", path))
    }
}

fn remove(path: &Path) {
    match processes::remove_tree(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot remove the state of a task that is gone");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(path: &Path) -> StateDirectory {
        StateDirectory { path: path.to_path_buf(), _lock: None, clearing: None }
    }

    #[test]
    fn an_empty_file_of_the_state_is_damage_and_never_an_answer() {
        let place = tempfile::tempdir().unwrap();
        for name in ["task.info", "groups", "framework"] {
            fs::write(place.path().join(name), "").unwrap();
        }
        let state = directory(place.path());
        assert!(matches!(state.launched(), Err(ExecutorError::Damaged { path, .. }) if path.ends_with("task.info")));
        assert!(matches!(state.groups(), Err(ExecutorError::Damaged { path, .. }) if path.ends_with("groups")));
        assert!(state.framework().unwrap().is_none(), "the agent says it again");
    }

    #[test]
    fn a_missing_file_is_damage_if_what_came_after_it_is_there() {
        let place = tempfile::tempdir().unwrap();
        let state = directory(place.path());
        assert!(state.launched().unwrap().is_none() && state.groups().unwrap().is_none());
        fs::write(place.path().join("pid"), "{}").unwrap();
        assert!(matches!(state.launched(), Err(ExecutorError::Damaged { .. })));
        fs::create_dir_all(place.path().join("tasks/a/b")).unwrap();
        assert!(state.groups().unwrap().is_none(), "it was about to be launched");
        fs::write(place.path().join("tasks/a/b/pid"), "{}").unwrap();
        assert!(matches!(state.groups(), Err(ExecutorError::Damaged { .. })));
    }
}
