//! Agents without machines, for experiments and load tests: many in one process, each with Cygnet's real agent protocol
//! to a real master. Their tasks are numbers that become healthy at once, and change their health on demand.
//!
//! - [`Fleet`] starts them, tells them to flip, counts what they have, and ends them when it is dropped.
//! - `agent` and `task` are pure: the master's events come in, calls to the master go out. A task's updates are sent one
//!   at a time, and again until they are acknowledged, as a real agent's are.
//! - `subscription` is the shell around one agent: its stream, its calls, its clock. One task of the fleet's runtime each.
//!
//! Nothing is written to disk: an agent that loses its master reports what it has when it subscribes again, and all of
//! them are gone with their process.

mod agent;
mod counts;
mod fleet;
mod subscription;
mod task;

pub use counts::Counts;
pub use fleet::{Fleet, FleetError, Options, address};
