//! The parts that a container is made of. Pure where it can be; the agent owns what outlives executors.
//!
//! ```text
//!   capabilities   what a container gets of what it asks for
//!   cgroup    limits and figures of the processes of a container
//!   copy      layers as one tree, where the kernel cannot lay them over each other
//!   docker    containers that Docker's daemon makes
//!   identity  the program of a container with an image, and its user
//!   image     names, manifests and configurations of images
//!   logs      how long the logs of a container grow
//!   network   namespaces, a bridge, plugins of CNI, ports of the host
//!   provision what an agent made ready for the executor of a container
//!   registry  images as they come from registries
//!   rlimits   limits of setrlimit(2)
//!   rootfs    the plan of a container's file system
//!   seccomp   the system calls they may make
//!   unpack    a layer's archive becomes a directory, by a child that is locked into it
//!   spec      what a task in a container runs with
//!   store     images on this machine: layers, names, who needs them, collection
//!   archive   images from files that the operator has put into a directory
//!   users     users and groups as an image has them
//! ```

pub mod archive;
pub mod capabilities;
pub mod cgroup;
pub mod copy;
pub mod docker;
pub mod identity;
pub mod image;
pub mod logs;
pub mod network;
pub mod places;
pub mod provision;
pub mod registry;
pub mod rlimits;
pub mod rootfs;
pub mod seccomp;
pub mod spec;
pub mod store;
pub mod unpack;
pub mod users;
