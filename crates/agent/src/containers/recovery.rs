//! The containers of the agent's former life: tasks go on, sessions are over, unowned ones are ended.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mesos::v1::ContainerId;
use processes::contained::{self, kill_run};
use processes::{End, kill_marked};
use tokio::task::spawn_blocking;

use super::launch::{Started, StartedProgram};
use super::programs::{Programs, termination};
use super::record::{self, ContainerRecord, DISCARDED};
use crate::sandbox;

impl Programs {
    /// Takes up the containers of these executors and the standalone ones, with the containers nested in them.
    pub(crate) async fn recover(&mut self, is_root: impl Fn(&ContainerId) -> bool) -> io::Result<()> {
        let directory = self.launcher.layout.containers();
        let found = spawn_blocking(move || remembered(&directory)).await??;
        let ids = found.iter().filter_map(|(record, _)| record.as_ref().map(ContainerRecord::id));
        let standalone: BTreeSet<String> = ids.filter(|id| id.parent.is_none()).map(|id| id.to_string()).collect();
        for (record, directory) in found {
            let lasting = |id: &ContainerId| is_root(id.root()) || standalone.contains(&id.root().value);
            match record.filter(|record| lasting(&record.id())) {
                Some(record) => self.take_up(&directory, &record).await,
                None => discard(directory).await,
            }
        }
        self.end_sessions().await;
        self.sweep_cgroups();
        self.carry_out().await;
        Ok(())
    }

    async fn take_up(&mut self, directory: &Path, record: &ContainerRecord) {
        let id = record.id();
        self.containers.begin(&id);
        match contained::recover(directory).await {
            Ok(Ok(contained)) => {
                let program = StartedProgram::Task(contained);
                let started = Started { program, sandbox: record.sandbox.clone(), resources: record.resources() };
                self.started(&id, started).await;
            }
            // Its launch came to no end, and whoever asked for it has not heard of one.
            Ok(Err(End::NotStarted(_))) => {
                self.let_go(&id).await;
                self.containers.failed(&id);
                discard(directory.to_owned()).await;
                sandbox::discard(record.sandbox.clone()).await;
            }
            Ok(Err(end)) => {
                self.let_go(&id).await;
                self.containers.ended(&id, termination(end));
            }
            Err(error) => {
                tracing::warn!(container = %id, %error, "cannot tell what became of a container");
                self.containers.failed(&id);
            }
        }
    }

    /// Removes the cgroups of standalone containers that were not taken up.
    fn sweep_cgroups(&self) {
        let Some(cgroups) = self.launcher.removable.clone() else { return };
        let kept = self.containers.list().into_iter().map(|one| one.id.root().value.clone());
        let kept: BTreeSet<String> = kept.collect();
        let left = cgroups.left_standalone(|name| kept.contains(name));
        tokio::spawn(cgroups.sweep(left));
    }

    /// Ends whatever is marked as a container and was not taken up.
    async fn end_sessions(&self) {
        let layout = &self.launcher.layout;
        let kept = self.containers.list().into_iter().map(|one| layout.container(&one.id).display().to_string());
        let kept: BTreeSet<String> = kept.collect();
        let mark = format!("{}/", layout.containers().display());
        let ours = move |mark_of: &str| mark_of.starts_with(&mark) && !kept.contains(mark_of);
        let _killed = spawn_blocking(move || kill_marked(ours)).await;
    }
}

/// The directories found there, with the record of each container that was not removed.
fn remembered(containers: &Path) -> io::Result<Vec<(Option<ContainerRecord>, PathBuf)>> {
    let lost = |directory: &Path, error: &io::Error| {
        let file = record::file(directory);
        tracing::warn!(file = %file.display(), %error, "what is known of a container is lost; it is ended");
    };
    let record = |entry: fs::DirEntry| {
        let directory = entry.path();
        let kept = entry.file_name().to_str().is_some_and(|name| !name.starts_with(DISCARDED));
        let record = kept.then(|| ContainerRecord::read(&directory).inspect_err(|error| lost(&directory, error)).ok());
        (record.flatten(), directory)
    };
    fs::read_dir(containers)?.map(|entry| entry.map(record)).collect()
}

/// Kills what was started from a directory, and removes it.
async fn discard(directory: PathBuf) {
    let discard = move || {
        kill_run(&directory);
        let _gone = processes::remove_tree(&directory);
    };
    let _done = spawn_blocking(discard).await;
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::launcher;
    use super::*;

    #[tokio::test]
    async fn containers_that_cannot_be_looked_for_are_not_taken_to_be_gone() {
        let directory = tempfile::tempdir().unwrap();
        let mut programs = Programs::new(launcher(directory.path()), shell::inbox("agent"));
        assert!(programs.recover(|_| true).await.is_ok());
        fs::remove_dir(programs.launcher.layout.containers()).unwrap();
        assert!(programs.recover(|_| true).await.is_err());
    }
}
