//! Processes that were started from this work directory and are in none of its agent's books: those of an agent that
//! lost its records. What an executor and its tasks are started with tells where they belong, even when the directory
//! itself is gone.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use processes::contained::kill_run;
use processes::{Environment, MARK, Process, Table, kill_tree};

/// The runs and the pools that are in the books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Containers.
    pub(crate) runs: BTreeSet<String>,
    /// Names of pools.
    pub(crate) pools: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Strangers {
    processes: Vec<Process>,
    /// State directories of runs nobody knows.
    states: Vec<PathBuf>,
}

impl Strangers {
    /// Looks for them; `states` and `pools` are the parents of executors' state directories and of pools' locks.
    pub(crate) fn find(states: &Path, pools: &Path, known: &Known) -> Strangers {
        let table = Table::read();
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        // An agent may have been started from within one of them.
        let holds_us = |process: &Process| table.tree(*process).iter().any(|other| other.pid == own);
        let marked = table.processes().filter(|process| known.is_strange(&process.environment(), states, pools));
        let processes = marked.filter(|process| process.is_alive() && !holds_us(process)).collect();
        let entries = fs::read_dir(states).into_iter().flatten().flatten().map(|entry| entry.path());
        let unknown = |path: &PathBuf| run_of(path, states).is_none_or(|run| !known.runs.contains(&run));
        Strangers { processes, states: entries.filter(unknown).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.processes.is_empty() && self.states.is_empty()
    }

    /// Kills those that are left, with everything below them, and clears their state away.
    pub(crate) fn end(&self) {
        let left: Vec<&Process> = self.processes.iter().filter(|process| process.is_alive()).collect();
        if !left.is_empty() {
            tracing::warn!(count = left.len(), "processes of an earlier agent are killed");
        }
        left.into_iter().for_each(|process| kill_tree(*process));
        for state in &self.states {
            kill_run(state);
            if let Err(error) = processes::remove_tree(state) {
                tracing::warn!(directory = %state.display(), %error, "cannot clear away");
            }
        }
    }
}

impl fmt::Display for Strangers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} processes and {} states of an earlier agent", self.processes.len(), self.states.len())
    }
}

impl Known {
    /// True if an environment is of something started here that is not in the books.
    fn is_strange(&self, environment: &Environment, states: &Path, pools: &Path) -> bool {
        let value = |name: &str| {
            let value = environment.values(name).next()?;
            Some(PathBuf::from(OsStr::from_bytes(value)))
        };
        let runs = [MARK, "CYGNET_STATE_DIRECTORY"];
        let strange_run = |name: &str| {
            let run = value(name).and_then(|state| run_of(&state, states));
            run.is_some_and(|run| !self.runs.contains(&run))
        };
        let of_pool = value("CYGNET_POOL_LOCK").is_some_and(|lock| lock.starts_with(pools));
        let name = value("CYGNET_POOL_ID").map(|id| id.display().to_string());
        let strange_pool = of_pool && name.is_none_or(|name| !self.pools.contains(&name));
        strange_pool || runs.into_iter().any(strange_run)
    }
}

/// The container a state directory, or one below it, is of.
fn run_of(state: &Path, states: &Path) -> Option<String> {
    let below = state.strip_prefix(states).ok()?;
    Some(below.components().next()?.as_os_str().to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_no_book_of_this_directory_is_strange() {
        let known = Known { runs: ["c1".to_owned()].into(), pools: ["p1".to_owned()].into() };
        let is_strange = |environment: &str| {
            let environment = environment.replace(' ', "\0");
            known.is_strange(
                &environment.into_bytes().into(),
                Path::new("/w/meta/executors"),
                Path::new("/w/meta/pools"),
            )
        };
        let strange = [
            "A=b CYGNET_RUN=/w/meta/executors/c2",
            "CYGNET_RUN=/w/meta/executors/c2/tasks/t/x",
            "CYGNET_STATE_DIRECTORY=/w/meta/executors/c2",
            "CYGNET_POOL_LOCK=/w/meta/pools/F.lock CYGNET_POOL_ID=p2",
        ];
        let known_or_elsewhere = [
            "",
            "CYGNET_RUN=/w/meta/executors/c1/tasks/t/x",
            "CYGNET_RUN=/w2/meta/executors/c2",
            "CYGNET_RUN=/w/meta/containers/c2",
            "CYGNET_POOL_LOCK=/w/meta/pools/F.lock CYGNET_POOL_ID=p1",
            "CYGNET_POOL_LOCK=/w2/meta/pools/F.lock CYGNET_POOL_ID=p2",
        ];
        assert!(strange.into_iter().all(is_strange));
        assert!(!known_or_elsewhere.into_iter().any(is_strange));
    }
}
