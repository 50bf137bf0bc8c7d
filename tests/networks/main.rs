//! Containers in networks of their own, by real agents: the bridge and the ports of the host, networks by name, what
//! outlives an agent, and what is left in the end. Each test is on a machine of its own; where none can be made, it says
//! so and is skipped.

mod apps;
mod bridge;
mod lacks;
mod lives;
mod named;
mod secure;
mod world;
