//! Everything that was started under shims below one directory, such as an executor's state: found by what shims wrote
//! there, with their trees, and by marks.
//!
//! All of it looks at each process there is: it is for threads that may wait.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::Process;
use crate::shim::{ShimFiles, Started};
use crate::table::{Table, kill_while_found};
use crate::usage::Usage;

/// The levels below a directory at which those of its shims are looked for.
const DEPTH: usize = 3;

/// The usage of all of it; nothing if nothing was started.
pub fn usage_of_run(table: &Table, directory: &Path) -> Option<Usage> {
    Usage::of(&run(table, directory))
}

/// SIGKILL for all of it.
pub fn kill_run(directory: &Path) {
    kill_while_found(|table| run(table, directory));
}

/// The main process of the program whose shim has this directory, if it lives.
pub fn main_process(directory: &Path) -> Option<Process> {
    started(directory).map(|started| started.task).filter(|task| task.is_alive())
}

fn run(table: &Table, directory: &Path) -> Vec<Process> {
    let started = directories(directory, DEPTH).into_iter().filter_map(|directory| started(&directory));
    let trees = started.flat_map(|started| [started.task, started.shim]).flat_map(|root| table.tree(root));
    let mark = directory.display().to_string();
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

fn started(directory: &Path) -> Option<Started> {
    ShimFiles::new(directory).started().ok().flatten()
}

/// The directory and those below.
fn directories(directory: &Path, depth: usize) -> Vec<PathBuf> {
    let below = fs::read_dir(directory).into_iter().flatten().flatten().filter(|_| depth > 0);
    let below = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let deeper = below.flat_map(|entry| directories(&entry.path(), depth - 1));
    std::iter::once(directory.to_owned()).chain(deeper).collect()
}
