//! Networks of containers: namespaces that are held, a bridge of our own, plugins of CNI, and the files that go with them.
//!
//! ```text
//!   networks     all of them together, for the agent
//!   plan         pure: which networks a container joins       files       pure: /etc/hosts, hostname, resolv.conf
//!   namespaces   held by a mount until all is undone          subnet      addresses with a prefix
//!   bridge       members, leases, links                       ports       ports of the host that lead to members
//!   cni          networks by name, by other people's plugins
//!   traffic      what went in and out of a namespace
//!   netlink, links, program   how the kernel and programs are asked
//! ```
//!
//! The agent owns all of it, as it outlives executors. Everything blocks, for as long as its bounds allow. It happens in
//! the network namespace of the calling thread.

mod bridge;
pub mod cni;
mod error;
pub mod files;
mod links;
mod namespaces;
mod netlink;
mod networks;
pub mod plan;
pub mod ports;
mod program;
mod subnet;
mod traffic;

pub use self::bridge::{Bridge, BridgeOwner, BridgeSettings};
pub use self::error::NetworkError;
pub use self::namespaces::{Made, Namespaces};
pub use self::networks::{Attached, JoinError, NetworkSettings, Networks};
pub use self::program::ProgramError;
pub use self::subnet::{Subnet, SubnetError};
pub use self::traffic::{traffic, traffic_of};
