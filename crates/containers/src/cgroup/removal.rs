//! The processes of a cgroup with those of all cgroups below it, and the removal of all of them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::CgroupError;
use super::files;

/// The cgroup and all below it, those furthest down first.
fn tree(directory: &Path) -> Result<Vec<PathBuf>, CgroupError> {
    let mut found = Vec::new();
    for child in files::children(directory)? {
        found.extend(tree(&directory.join(child))?);
    }
    found.push(directory.to_owned());
    Ok(found)
}

/// The processes; none of a cgroup that is not there.
pub(super) fn processes_below(directory: &Path) -> Result<Vec<i32>, CgroupError> {
    lines_below(directory, "cgroup.procs")
}

pub(super) fn threads_below(directory: &Path) -> Result<u32, CgroupError> {
    let file = if directory.join("cgroup.threads").exists() { "cgroup.threads" } else { "tasks" };
    Ok(lines_below(directory, file)?.len() as u32)
}

fn lines_below(directory: &Path, file: &str) -> Result<Vec<i32>, CgroupError> {
    let mut found = Vec::new();
    for cgroup in tree(directory)? {
        match files::lines(&cgroup.join(file)) {
            Err(CgroupError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            numbers => found.extend(numbers?),
        }
    }
    Ok(found)
}

/// SIGKILL; a process that has gone meanwhile is what is wanted.
pub(super) fn kill(pid: i32) {
    let _gone = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
}

pub(super) fn remove(directory: &Path) -> Result<(), CgroupError> {
    tree(directory)?.into_iter().try_for_each(remove_one)
}

fn remove_one(path: PathBuf) -> Result<(), CgroupError> {
    match fs::remove_dir(&path) {
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) if Errno::from_io_error(&source) == Some(Errno::BUSY) => Err(CgroupError::Busy { path }),
        Err(source) => Err(CgroupError::Remove { path, source }),
        Ok(()) => Ok(()),
    }
}
