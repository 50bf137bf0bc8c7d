//! The log of a cluster: the lines of its parts and of its executors.

use std::fs;
use std::path::{Path, PathBuf};

/// The lines up to a moment.
pub(crate) struct Log(Vec<String>);

impl Log {
    /// Reads the parts' log, and those of the executors in this directory.
    pub(crate) fn read(parts: &Path, pools: &Path) -> Log {
        let pools = fs::read_dir(pools).into_iter().flatten().flatten().map(|entry| entry.path());
        let text = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        Log(pools
            .chain([parts.to_owned()])
            .flat_map(|path| text(path).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect())
    }

    /// The number of complaints about this file.
    pub(crate) fn complaints(&self, file: &Path) -> usize {
        let name = file.display().to_string();
        let is_complaint = |line: &&String| [" WARN ", " ERROR ", "cygnet: "].iter().any(|level| line.contains(level));
        self.0.iter().filter(is_complaint).filter(|line| line.contains(&name)).count()
    }

    pub(crate) fn text(&self) -> String {
        self.0.join("\n")
    }
}
