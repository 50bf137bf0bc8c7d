//! The cgroup that an executor is told by its agent, as text for a variable of its environment.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Cgroup, CgroupError, NESTED, Policy, find};

/// The cgroup of a container, for another process than the one that made it, and the limits for those nested in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The place where the hierarchies are mounted.
    pub mounts: PathBuf,
    /// The path from the root of a hierarchy.
    pub name: PathBuf,
    /// The limits that the agent sets.
    pub policy: Policy,
}

impl Assignment {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// It was written by something else.
    pub fn parse(text: &str) -> Result<Assignment, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text that [`Assignment::parse`] reads.
    pub fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// The same for a cgroup below this one.
    pub fn below(&self, name: impl AsRef<Path>) -> Assignment {
        Assignment { name: self.name.join(name), ..self.clone() }
    }

    /// The same for the cgroup of a container nested in this one.
    pub fn nested(&self, container: &str) -> Assignment {
        self.below(Path::new(NESTED).join(container))
    }

    /// The cgroup, whether it is there or not.
    pub fn cgroup(&self) -> Result<Cgroup, CgroupError> {
        let Assignment { mounts, name, .. } = self;
        Ok(Cgroup { driver: find::driver(mounts)?, name: name.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let policy = Policy { cpu: true, pids: Some(7), ..Policy::default() };
        let assignment =
            Assignment { mounts: "/sys/fs/cgroup".into(), name: "mesos/agent-0/executors/c".into(), policy };
        assert_eq!(Assignment::parse(&assignment.to_text()).unwrap(), assignment);
        assert!(Assignment::parse("mesos/c").is_err());
    }
}
