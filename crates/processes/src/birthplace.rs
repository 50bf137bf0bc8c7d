//! The cgroup that a program is born in.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The cgroup of a program, for the process that starts it.
///
/// In version 2 the kernel makes the child there. In version 1 the child, still of one thread and before it is its
/// program, goes there itself. That is as good: nothing of the program runs or is charged elsewhere. It is better than to
/// move the thread that makes the child there and back: a thread that is away is frozen and killed with that cgroup, its
/// whole process with it, and each move costs as much again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Birthplace {
    /// Version 1: the file `tasks` of the cgroup in every hierarchy.
    Tasks(Vec<PathBuf>),
    /// Version 2: a directory that has processes, and none below it.
    Directory(PathBuf),
}

impl Birthplace {
    /// The directory of version 2.
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Birthplace::Tasks(_) => None,
            Birthplace::Directory(directory) => Some(directory),
        }
    }

    /// True if whoever is born here does nothing until somebody lets the cgroup, or one above it, go on.
    pub fn is_frozen(&self) -> bool {
        let says = |file: PathBuf, words: &[&str]| {
            fs::read_to_string(file).is_ok_and(|text| words.iter().any(|word| text.contains(word)))
        };
        let freezes = |tasks: &PathBuf| says(tasks.with_file_name("freezer.state"), &["FREEZING", "FROZEN"]);
        match self {
            Birthplace::Tasks(files) => files.iter().any(freezes),
            Birthplace::Directory(directory) => says(directory.join("cgroup.events"), &["frozen 1"]),
        }
    }
}
