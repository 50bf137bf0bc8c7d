//! The place of a file: its path with every id replaced, and the part of the cluster that keeps it.

use std::path::{Path, PathBuf};

/// A process that can be killed and comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Master,
    Scheduler,
    Agent,
    /// The executors of a framework, which the agent starts again.
    Executors,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Master => "master",
            Part::Scheduler => "scheduler",
            Part::Agent => "agent",
            Part::Executors => "executors",
        }
    }
}

/// One kind of file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(String);

impl Place {
    /// The place of a file below the cluster's directory. Sandboxes belong to tasks, programs are no state, and links are
    /// made anew at every start. What is in images belongs to their makers, and what containers change to them.
    pub(crate) fn of(file: &Path) -> Option<Place> {
        let components = file.iter().map(|component| component.to_string_lossy());
        let kinds: Vec<String> = components.map(|name| kind(&name)).collect();
        let is_sandbox = kinds.starts_with(&["agent".to_owned(), "containers".to_owned()]);
        let others = ["slaves", "bin", "rootfs", "changes"];
        let is_state = kinds.len() > 1 && !is_sandbox && !kinds.iter().any(|name| others.contains(&name.as_str()));
        is_state.then(|| Place(kinds.join("/")))
    }

    pub(crate) fn kind(&self) -> &str {
        &self.0
    }

    pub(crate) fn part(&self) -> Part {
        match self.0.split('/').next() {
            Some("master") => Part::Master,
            Some("scheduler") => Part::Scheduler,
            _ if self.0.starts_with("agent/meta/executors") => Part::Executors,
            _ => Part::Agent,
        }
    }
}

/// A name, or `*` with its ending for one that has an id in it.
fn kind(name: &str) -> String {
    if !name.contains(|letter: char| letter.is_ascii_digit()) {
        return name.to_owned();
    }
    let ending = PathBuf::from(name).extension().map(|ending| ending.to_string_lossy().into_owned());
    let ending = ending.filter(|ending| !ending.contains(|letter: char| letter.is_ascii_digit()));
    ending.map_or_else(|| "*".to_owned(), |ending| format!("*.{ending}"))
}
