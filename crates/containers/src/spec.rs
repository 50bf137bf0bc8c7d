//! The things that a task in a container runs with. Pure, but for the files of the host that [`host_names`] reads.
//!
//! In: the container and the command as Mesos has them, what the agent made ready, the sandbox. Out: the parts of a
//! [`processes::Program`], or the [`SpecError`] that names what is wrong.
//!
//! ```text
//!   command       the file to execute and its arguments       environment   its variables
//!   confinement   what it may do at most                      room          its namespaces and its file system
//!   volumes       the things put into it, some in `memory`    secrets       by value or by name
//!   copies        trees to be copied where layers cannot be laid over each other
//! ```

mod command;
mod confinement;
mod copies;
mod environment;
mod memory;
mod names;
mod room;
mod secrets;
mod volumes;

use std::path::PathBuf;

pub use self::command::program;
pub use self::confinement::confinement;
pub use self::copies::copies;
pub use self::environment::{Inside, environment};
pub use self::names::host_names;
pub use self::room::{Room, cgroups};
pub use self::secrets::{SecretError, secret, secret_values, variables};
pub use self::volumes::{Sandboxes, VolumeError, Volumes};
use crate::capabilities::CapabilityError;
use crate::rlimits::RLimitError;
use crate::rootfs::PlanError;
use crate::seccomp::SeccompError;

/// A container that cannot be made as it is wanted.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Neither the task nor its image says what to run.
    #[error("No executable is found")]
    NoExecutable,
    /// A shell without a script.
    #[error("Shell specified but no command value provided")]
    NoScript,
    /// The one byte that the kernel cannot take.
    #[error("The command of the task or of its image contains a NUL byte")]
    Nul,
    /// Something that containers of this kind cannot have.
    #[error("{0} are not supported")]
    Unsupported(&'static str),
    /// Capabilities that it does not get.
    #[error(transparent)]
    Capabilities(#[from] CapabilityError),
    /// A filter of system calls that it does not get.
    #[error(transparent)]
    Seccomp(#[from] SeccompError),
    /// A limit that makes no sense.
    #[error(transparent)]
    Limit(#[from] RLimitError),
    /// A file system that makes no sense.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// The directory a program with an image runs in: the image's, or that of the sandbox.
pub fn working_directory(image: &crate::image::ImageConfig, sandbox_at: &std::path::Path) -> PathBuf {
    match image.working_directory.as_str() {
        "" => sandbox_at.to_owned(),
        directory => PathBuf::from("/").join(directory),
    }
}
