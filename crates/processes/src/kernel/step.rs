//! The steps of a child between its birth and its program, and the errors that say at which of them it failed.

use std::fmt;
use std::io;

use rustix::io::Errno;

/// The step at which a child failed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {errno}")]
pub struct SpawnError {
    /// The step that failed.
    pub step: Step,
    /// The kernel's word.
    pub errno: Errno,
}

/// The steps of a child, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// In the parent, before there is a child.
    Prepare,
    /// Its cgroup is entered.
    Cgroup,
    /// The kernel is told how readily to kill it for want of memory.
    OomScore,
    /// A security module is asked for its label.
    Label,
    /// Its resource limits are set.
    Limits,
    /// Namespaces are entered.
    Namespaces,
    /// The child leads a session.
    Session,
    /// Standard input, output and error are put in place.
    Streams,
    /// Its capabilities are narrowed, before the user is taken and after.
    Capabilities,
    /// The user is taken.
    Credentials,
    /// The working directory is entered.
    Directory,
    /// The filter of system calls is set.
    Seccomp,
    /// The program is executed.
    Program,
    /// Any of these: somebody stopped the child in the midst of it, and so it was killed.
    Stopped,
}

impl Step {
    const ALL: [Step; 14] = [
        Step::Prepare,
        Step::Cgroup,
        Step::OomScore,
        Step::Label,
        Step::Limits,
        Step::Namespaces,
        Step::Session,
        Step::Streams,
        Step::Capabilities,
        Step::Credentials,
        Step::Directory,
        Step::Seccomp,
        Step::Program,
        Step::Stopped,
    ];

    pub(super) fn from_raw(raw: u8) -> Step {
        Step::ALL.into_iter().find(|step| *step as u8 == raw).unwrap_or(Step::Prepare)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Prepare => "preparation",
            Step::Cgroup => "control group",
            Step::OomScore => "OOM score",
            Step::Label => "label of a security module",
            Step::Limits => "resource limits",
            Step::Namespaces => "namespaces",
            Step::Session => "session",
            Step::Streams => "standard streams",
            Step::Capabilities => "capabilities",
            Step::Credentials => "user",
            Step::Directory => "working directory",
            Step::Seccomp => "filter of system calls",
            Step::Program => "program",
            Step::Stopped => "stopped by somebody before it was the program",
        })
    }
}

impl From<SpawnError> for io::Error {
    fn from(error: SpawnError) -> io::Error {
        match error.step {
            Step::Cgroup
            | Step::OomScore
            | Step::Label
            | Step::Limits
            | Step::Capabilities
            | Step::Seccomp
            | Step::Stopped => io::Error::new(io::Error::from(error.errno).kind(), error),
            Step::Prepare
            | Step::Namespaces
            | Step::Session
            | Step::Streams
            | Step::Credentials
            | Step::Directory
            | Step::Program => error.errno.into(),
        }
    }
}
