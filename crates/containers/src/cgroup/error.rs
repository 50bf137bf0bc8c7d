//! The ways in which cgroups fail. All are the machine's, none the container's.

use std::io;
use std::path::PathBuf;

/// Why a cgroup cannot be made, changed, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// The machine mounts no hierarchy for this controller.
    #[error("no hierarchy of control groups has the controller '{0}'")]
    NoController(&'static str),
    /// A file of the kernel's cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A file of the kernel's takes no such value.
    #[error("cannot write '{value}' to {path}: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The text that was written.
        value: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A file of the kernel's says something that is not what its documentation says.
    #[error("{path} has no number '{key}'", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The number that was looked for.
        key: &'static str,
    },
    /// A cgroup cannot be made.
    #[error("cannot make the control group {path}: {source}", path = path.display())]
    Create {
        /// Its directory.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A cgroup still has processes.
    #[error("the control group {path} still has processes", path = path.display())]
    Busy {
        /// Its directory.
        path: PathBuf,
    },
    /// A cgroup cannot be removed for another reason.
    #[error("cannot remove the control group {path}: {source}", path = path.display())]
    Remove {
        /// Its directory.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
}

impl CgroupError {
    /// True if this is the kernel's reason.
    pub(super) fn is(&self, kind: io::ErrorKind) -> bool {
        match self {
            CgroupError::Read { source, .. }
            | CgroupError::Write { source, .. }
            | CgroupError::Create { source, .. }
            | CgroupError::Remove { source, .. } => source.kind() == kind,
            CgroupError::NoController(_) | CgroupError::Malformed { .. } | CgroupError::Busy { .. } => false,
        }
    }
}
