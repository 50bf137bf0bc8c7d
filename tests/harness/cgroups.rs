//! The control groups of agents in tests: below a root of their own, so that a test that kills its agent can remove what
//! that could not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::wait;

const MOUNTS: &str = "/sys/fs/cgroup";

/// The longest that killed processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The cgroup above those of all tests.
const ABOVE: &str = "cygnet-test";

/// The root for the agents of a test that has this directory.
pub fn root(directory: &Path) -> PathBuf {
    Path::new(ABOVE).join(directory.file_name().unwrap_or_default())
}

/// The cgroups that are left below the root of a test, in whichever hierarchy.
pub fn left(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in roots(directory) {
        collect(&root, &mut found);
    }
    found
}

/// Removes them, once everything of the test has been killed.
pub fn remove(directory: &Path) {
    // Killed processes are gone soon, not yet.
    let _removed = wait::until_or(PATIENCE, || {
        left(directory).iter().chain(&roots(directory)).for_each(|cgroup| drop(fs::remove_dir(cgroup)));
        roots(directory).is_empty().then_some(())
    });
    // Those of other tests may be below.
    hierarchies().for_each(|hierarchy| drop(fs::remove_dir(hierarchy.join(ABOVE))));
}

fn hierarchies() -> impl Iterator<Item = PathBuf> {
    let mounted = fs::read_dir(MOUNTS).into_iter().flatten().flatten().map(|entry| entry.path());
    mounted.chain([PathBuf::from(MOUNTS)])
}

fn roots(directory: &Path) -> Vec<PathBuf> {
    hierarchies().map(|hierarchy| hierarchy.join(root(directory))).filter(|root| root.is_dir()).collect()
}

/// The cgroups below one, those furthest down first.
fn collect(cgroup: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), found);
            found.push(entry.path());
        }
    }
}
