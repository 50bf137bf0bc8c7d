//! The parts that a container is made of. Pure where it can be; the agent owns what outlives executors.
//!
//! ```text
//!   cgroup    limits and figures of the processes of a container
//!   image     names, manifests and configurations of images
//!   network   namespaces, a bridge, plugins of CNI, ports of the host
//! ```

pub mod cgroup;
pub mod image;
pub mod network;
