//! The ways in which a container gets no filter.

use std::io;
use std::path::PathBuf;

/// Why a container gets no filter of system calls.
#[derive(Debug, thiserror::Error)]
pub enum SeccompError {
    /// A profile and no confinement at once.
    #[error("Invalid Seccomp configuration: 'profile_name' given even though 'unconfined' Seccomp setting is enabled")]
    Contradiction,
    /// Neither.
    #[error("Missing Seccomp profile name")]
    NoName,
    /// The operator has no profiles.
    #[error("Seccomp profile '{0}': the agent has no --seccomp_config_dir")]
    NoDirectory(String),
    /// A name that leaves the directory.
    #[error("Seccomp profile '{0}': the name of a profile is that of a file, without '/'")]
    Name(String),
    /// The file cannot be read.
    #[error("cannot read the Seccomp profile {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The file has no profile in it.
    #[error("Seccomp profile {}: {source}", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: ProfileError,
    },
    /// There are no numbers of system calls for this machine's processors.
    #[error("no filter of system calls can be made on {0}")]
    Machine(&'static str),
}

/// The fault in a profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// More bytes than a profile needs.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Not JSON, or not of this form.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
    /// An action that is not known, or has no sense here.
    #[error("unsupported action '{0}'")]
    Action(String),
    /// An operator that is not known.
    #[error("unsupported operator '{0}'")]
    Operator(String),
    /// An argument that system calls do not have.
    #[error("system calls have no argument {0}")]
    Argument(u32),
    /// An error number that no error has.
    #[error("no error has the number {0}")]
    Errno(u32),
    /// A kernel version that is none.
    #[error("'{0}' is no version of a kernel")]
    Kernel(String),
    /// A capability that is not known.
    #[error("unknown capability '{0}'")]
    Capability(String),
    /// Two fields of which a profile may have one.
    #[error("'{0}' and '{1}' are both given; use one of them")]
    Both(&'static str, &'static str),
    /// More instructions than the kernel takes.
    #[error("takes {0} instructions, of which the kernel takes 4096")]
    TooManyInstructions(usize),
    /// More conditions in one rule than a jump can pass.
    #[error("a rule has too many conditions")]
    TooManyConditions,
}
