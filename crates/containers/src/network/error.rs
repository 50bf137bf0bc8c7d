//! The ways in which networks fail.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::bridge::BridgeOwner;
use super::ports::PortMapping;
use super::program::ProgramError;
use super::subnet::Subnet;

/// Why a container cannot be joined to a network, or parted from one.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The id of a container could be no name of a directory.
    #[error("the container id '{container}' cannot be the name of a directory")]
    Container {
        /// The id.
        container: String,
    },
    /// A namespace cannot be made or let go.
    #[error("cannot make or release the network namespace of container {container}: {source}")]
    Namespace {
        /// The container.
        container: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A file of the agent's own cannot be read or written.
    #[error("cannot use {path}: {source}", path = path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The name of a bridge is none that a link could have.
    #[error("'{0}' is no name for a bridge: up to 15 letters, digits, '-', '_' and '.'")]
    BridgeName(String),
    /// The machine has another way to the addresses of the bridge.
    #[error("the network {subnet} of the bridge '{bridge}' overlaps with the machine's own route to {route}")]
    Overlap {
        /// The bridge's network.
        subnet: Subnet,
        /// The bridge.
        bridge: String,
        /// The network that the machine reaches elsewhere, and by which link.
        route: String,
    },
    /// The bridge cannot be set up.
    #[error("cannot set up the bridge '{bridge}': {source}")]
    Bridge {
        /// Its name.
        bridge: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The bridge is another agent's.
    #[error("the bridge '{bridge}' belongs to the agent with the work directory {owner}")]
    Owned {
        /// Its name.
        bridge: String,
        /// The other's work directory.
        owner: String,
    },
    /// A container cannot be joined to the bridge, or parted from it.
    #[error("cannot {what} container {container} on the bridge '{bridge}': {source}")]
    Member {
        /// The verb: join or remove.
        what: &'static str,
        /// The container.
        container: String,
        /// The bridge.
        bridge: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// All addresses are leased.
    #[error("the bridge '{bridge}' has no free address in {subnet}")]
    NoAddress {
        /// The bridge.
        bridge: String,
        /// Its network.
        subnet: Subnet,
    },
    /// Another container has the port.
    #[error("{mapping} of the host is mapped to container {container} already")]
    PortMapped {
        /// The port.
        mapping: PortMapping,
        /// The other container.
        container: String,
    },
    /// A container of another agent has the port.
    #[error("{mapping} of the host is mapped on the bridge '{bridge}' already, {owner}")]
    PortElsewhere {
        /// The port.
        mapping: PortMapping,
        /// The other bridge.
        bridge: String,
        /// The agent that it belongs to.
        owner: BridgeOwner,
    },
    /// A process of the host has the port.
    #[error("{mapping} of the host is in use by a process of the host: end that, or ask for another port")]
    PortInUse {
        /// The port.
        mapping: PortMapping,
    },
    /// The container is on the bridge already.
    #[error("container {container} has the address {address} already")]
    Twice {
        /// The container.
        container: String,
        /// Its address.
        address: Ipv4Addr,
    },
    /// The thread that owns the bridge has ended.
    #[error("the bridge's thread has ended")]
    Thread,
    /// A program that is needed for it failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl NetworkError {
    pub(super) fn file(path: &Path, source: io::Error) -> NetworkError {
        NetworkError::File { path: path.to_owned(), source }
    }
}
