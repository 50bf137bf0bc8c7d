//! Volumes that nobody here can have, each with who asked for it wrongly.

use crate::spec::secrets::SecretError;

/// A volume that nobody here can have.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// None or several of those.
    #[error("Invalid volume: Only one of them should be set: 'host_path', 'image' and 'source'")]
    NotOne,
    /// A source without what it names.
    #[error("Invalid volume: 'source.{0}' is not set for {1} volume")]
    Unset(&'static str, &'static str),
    /// A source of no kind.
    #[error("Invalid volume: 'source.type' is unknown")]
    Unknown,
    /// A volume of CSI.
    #[error("CSI volumes are not supported by this executor")]
    Csi,
    /// An image that is to be written to.
    #[error("Volumes of images with the mode RW are not supported by this executor")]
    WritableImage,
    /// A driver of Docker's that there is not.
    #[error("Docker volumes of the driver '{0}' are not supported by this executor")]
    Driver(String),
    /// An image that was not made ready.
    #[error("The image '{0}' of a volume was not made ready by the agent")]
    NoImage(String),
    /// A path in a sandbox that says where it begins.
    #[error("Path '{0}' in SANDBOX_PATH volume is absolute")]
    Absolute(String),
    /// The same directory of a sandbox at another place in it.
    #[error("'container_path' is relative for SANDBOX_PATH volume SELF type")]
    SelfRelative,
    /// A task that is alone in its executor.
    #[error("SANDBOX_PATH volume PARENT type only works for nested container")]
    NoParent,
    /// A path that leads out of the sandbox.
    #[error("Path '{0}' of a volume leads out of the sandbox")]
    Outside(String),
    /// An option of a directory in memory.
    #[error("The option '{key}' of a tmpfs volume cannot be '{value}'")]
    Option {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
    },
    /// A secret that cannot be found.
    #[error(transparent)]
    Secret(#[from] SecretError),
}
