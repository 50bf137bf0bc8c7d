//! The place of a cluster, which takes everything with it that was started there.

use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::{cgroups, process};

/// A directory that everything of a cluster is in, also the mark of every process started from there. Whatever still
/// runs is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Ground(tempfile::TempDir);

impl Ground {
    pub(crate) fn new() -> Ground {
        Ground(tempfile::Builder::new().prefix("cygnet-").tempdir().expect("a directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    /// The output of the processes so far.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- output of the cluster ---\n{}", self.output());
        }
        for _ in 0..20 {
            for pid in process::marked(self.path()) {
                process::signal(pid, Signal::KILL);
            }
        }
        cgroups::remove(self.path());
    }
}
