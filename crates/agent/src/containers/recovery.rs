//! The containers of the agent's former life: tasks go on, sessions are over, and what is nobody's is ended.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use executor::contained;
use mesos::v1::ContainerId;
use tokio::task::spawn_blocking;

use super::keeper::{Keeper, termination};
use super::launch::{Program, Running};
use super::record::{self, Record};
use crate::processes::{kill_marked, kill_run};

/// What directories are called that are about to be removed; no container's name begins like this.
pub(super) const DISCARDED: &str = ".";

impl Keeper {
    /// Takes up the containers of these executors and those of nobody, with what is nested in them.
    pub(crate) async fn recover(&mut self, is_root: impl Fn(&ContainerId) -> bool) {
        let found = fs::read_dir(self.around.layout.containers()).into_iter().flatten().flatten();
        let found: Vec<(Option<Record>, PathBuf)> = found.map(|entry| (remembered(&entry), entry.path())).collect();
        let ids = found.iter().filter_map(|(record, _)| record.as_ref().map(Record::id));
        let standalone: BTreeSet<String> = ids.filter(|id| id.parent.is_none()).map(|id| id.to_string()).collect();
        for (record, directory) in found {
            let lasting = |id: &ContainerId| is_root(id.root()) || standalone.contains(&id.root().value);
            match record.filter(|record| lasting(&record.id())) {
                Some(record) => self.take_up(&directory, &record).await,
                None => discard(directory).await,
            }
        }
        self.end_sessions().await;
    }

    async fn take_up(&mut self, directory: &Path, record: &Record) {
        let id = record.id();
        self.book.begin(&id);
        match contained::recover(directory).await {
            Ok(Ok(contained)) => {
                let program = Program::Task(contained);
                let running = Running { program, sandbox: record.sandbox.clone(), resources: record.resources() };
                self.started(&id, running);
            }
            Ok(Err(end)) => drop(self.book.ended(&id, termination(end))),
            Err(error) => {
                tracing::warn!(container = %id, %error, "cannot tell what became of a container");
                self.book.failed(&id);
            }
        }
    }

    /// Whatever is marked as a container and was not taken up.
    async fn end_sessions(&self) {
        let kept = self.book.alive().map(|(id, _)| self.around.layout.container(id).display().to_string());
        let kept: BTreeSet<String> = kept.collect();
        let mark = format!("{}/", self.around.layout.containers().display());
        let ours = move |mark_of: &str| mark_of.starts_with(&mark) && !kept.contains(mark_of);
        let _killed = spawn_blocking(move || kill_marked(ours)).await;
    }
}

/// The record of a container that was not removed.
fn remembered(directory: &fs::DirEntry) -> Option<Record> {
    if is_discarded(directory) {
        return None;
    }
    let lost = |error: &io::Error| {
        let file = record::file(&directory.path());
        tracing::warn!(file = %file.display(), %error, "what is known of a container is lost; it is ended");
    };
    Record::read(&directory.path()).inspect_err(lost).ok()
}

fn is_discarded(directory: &fs::DirEntry) -> bool {
    directory.file_name().to_str().is_none_or(|name| name.starts_with(DISCARDED))
}

/// Kills what was started from a directory, and removes it.
async fn discard(directory: PathBuf) {
    let discard = move || {
        kill_run(&directory);
        let _gone = fs::remove_dir_all(&directory);
    };
    let _done = spawn_blocking(discard).await;
}
