//! The ways in which networks by name fail, in Mesos' words where it has some.

use std::io;
use std::path::PathBuf;

use crate::network::ProgramError;

/// Why a container cannot join a network by name, or part from it.
#[derive(Debug, thiserror::Error)]
pub enum CniError {
    /// No configuration has the name.
    #[error(
        "Unknown CNI network '{network}': {}",
        directory.as_ref().map_or_else(
            || "the agent has no 'network_cni_config_dir'".to_owned(),
            |directory| format!("no configuration in {} has this name", directory.display())
        )
    )]
    Unknown {
        /// The name.
        network: String,
        /// The directory of configurations, if there is one.
        directory: Option<PathBuf>,
    },
    /// The directory of configurations cannot be read.
    #[error("Unable to list the CNI network configuration directory '{path}': {source}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A configuration cannot be read.
    #[error("Failed to read CNI network configuration file: '{path}': {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A configuration is not what the specification says.
    #[error("Failed to parse CNI network configuration file '{path}': {why}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// A configuration sets what Mesos sets.
    #[error(
        "'org.apache.mesos' in 'args' should not be set in CNI network configuration file. It is reserved by Mesos"
    )]
    Reserved,
    /// The operator's directories have no such plugin.
    #[error("Unable to find the plugin {plugin} required to {action} {container} to network '{network}'")]
    NoPlugin {
        /// The plugin.
        plugin: String,
        /// attach, detach or check.
        action: &'static str,
        /// The container.
        container: String,
        /// The network.
        network: String,
    },
    /// A plugin could not be run, or not to its end.
    #[error("Failed to execute the CNI plugin '{plugin}' for container {container} and CNI network '{network}': {source}", plugin = plugin.display())]
    Run {
        /// The plugin.
        plugin: PathBuf,
        /// The container.
        container: String,
        /// The network.
        network: String,
        /// The reason.
        source: ProgramError,
    },
    /// A plugin said that it failed.
    #[error("The CNI plugin '{plugin}' failed to {action} network '{network}': stdout='{stdout}', stderr='{stderr}'", plugin = plugin.display())]
    Failed {
        /// The plugin.
        plugin: PathBuf,
        /// Its task, in words up to the name of the network.
        action: String,
        /// The network.
        network: String,
        /// Its words.
        stdout: String,
        /// Its further words.
        stderr: String,
    },
    /// A plugin said that it succeeded, and not what it made.
    #[error("Failed to parse the output of the CNI plugin '{plugin}': {why}", plugin = plugin.display())]
    Output {
        /// The plugin.
        plugin: PathBuf,
        /// The reason.
        why: String,
    },
    /// A result has no addresses that could be understood.
    #[error("The result of the CNI plugins is not understood: {0}")]
    Result(String),
    /// The files about a container cannot be written, read or removed.
    #[error("Failed to checkpoint the CNI network configuration '{path}': {source}", path = path.display())]
    Checkpoint {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}
