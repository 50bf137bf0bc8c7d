//! The record of a task's container, in the state directory of its executor.
//!
//! It is there before the container is, so that whoever comes later knows whom to ask about it, and is written again once
//! the container runs: from then on a successor needs no daemon to go on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use processes::{Boot, CapabilitySet, Process};
use serde::{Deserialize, Serialize};

use super::confinement::Seen;
use super::container::Container;
use crate::image::HealthCheck;

const FILE: &str = "docker.json";

/// A container that was to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// The socket of its daemon.
    pub socket: PathBuf,
    /// The check of its image that the task has taken for its own.
    #[serde(default)]
    pub adopted: Option<HealthCheck>,
    /// The container when it was seen to run.
    #[serde(default)]
    pub running: Option<Running>,
    /// The daemon's word about its end.
    #[serde(default)]
    pub ended: Option<Ended>,
}

/// The end of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The exit status, or 128 and the signal.
    pub status: i32,
    /// The kernel killed in it for want of memory.
    pub out_of_memory: bool,
    /// The most memory that it could have.
    pub memory_bytes: Option<u64>,
}

/// A container that was seen to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    process: Process,
    /// The machine's life in which that is so.
    boot: Option<Boot>,
    /// The daemon's word.
    pub container: Container,
    /// The bounding set of its first process, before that could change it.
    pub capabilities: CapabilitySet,
    /// True if the kernel filtered its calls.
    pub filtered: bool,
    /// True if it gained nothing by what it executed.
    #[serde(default)]
    pub no_new_privileges: bool,
}

impl Record {
    /// Reads it, if there is one.
    pub fn read(executor_state: &Path) -> io::Result<Option<Record>> {
        match fs::read(executor_state.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            content => Ok(Some(serde_json::from_slice(&content?)?)),
        }
    }

    /// Replaces it.
    pub fn write(&self, executor_state: &Path) -> io::Result<()> {
        store::replace_file(&executor_state.join(FILE), &serde_json::to_vec(self)?, 0o600)
    }
}

impl Running {
    /// The container whose first process this is, in this life of the machine.
    pub fn new(process: Process, container: Container, seen: Seen) -> Running {
        let Seen { capabilities, filtered, no_new_privileges } = seen;
        Running { process, boot: Boot::this(), container, capabilities, filtered, no_new_privileges }
    }

    /// Its first process, if it is alive: it may have ended since, with the machine or without.
    pub fn process(&self) -> Option<Process> {
        let is_present = self.boot.is_none() || self.boot == Boot::this();
        Some(self.process).filter(|process| is_present && process.is_alive())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_counts_while_it_lives_and_in_its_own_life_of_the_machine() {
        let own = Process::this().unwrap();
        let running = Running::new(own, Container::default(), Seen::default());
        assert_eq!(running.process(), Some(own));
        let reused = Process { start: own.start + 1, ..own };
        assert_eq!(Running { process: reused, ..running.clone() }.process(), None);
        let elsewhere: Boot = serde_json::from_str(r#""another""#).unwrap();
        assert_eq!(Running { boot: Some(elsewhere), ..running }.process(), None);
    }
}
