//! What an executor in a pool has started, found by the executor's state directory: the shims it and the directories below
//! it name, with their trees, and whatever was given the mark of one of them.

use std::fs;
use std::path::{Path, PathBuf};

use processes::{Process, Table, Usage, kill_while_found};
use serde::Deserialize;

/// How far below an executor's state directory its tasks keep theirs.
const DEPTH: usize = 3;

/// What it uses; nothing if it has not started anything.
pub(crate) fn usage_of_run(table: &Table, state: &Path) -> Option<Usage> {
    Usage::of(&run(table, state))
}

/// SIGKILL for all of it.
pub(crate) fn kill_run(state: &Path) {
    kill_while_found(|table| run(table, state));
}

fn run(table: &Table, state: &Path) -> Vec<Process> {
    let started = pid_files(state, DEPTH).into_iter().filter_map(|file| started(&file));
    let trees = started.flat_map(|started| [started.task, started.shim]).flat_map(|root| table.tree(root));
    let mark = state.display().to_string();
    let is_mark = |value: &[u8]| {
        value.strip_prefix(mark.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    let mut found = table.marked(is_mark);
    for process in trees {
        if !found.contains(&process) {
            found.push(process);
        }
    }
    found
}

/// The main process a shim wrote down in its directory, if it lives.
pub(crate) fn main_process(directory: &Path) -> Option<Process> {
    started(&directory.join("pid")).map(|started| started.task).filter(|task| task.is_alive())
}

/// What a shim writes down.
#[derive(Deserialize)]
struct Started {
    shim: Process,
    task: Process,
}

fn started(file: &Path) -> Option<Started> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// The files in which shims wrote whom they started.
fn pid_files(directory: &Path, depth: usize) -> Vec<PathBuf> {
    let below = fs::read_dir(directory).into_iter().flatten().flatten().filter(|_| depth > 0);
    let below = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let deeper = below.flat_map(|entry| pid_files(&entry.path(), depth - 1));
    std::iter::once(directory.join("pid")).chain(deeper).collect()
}
