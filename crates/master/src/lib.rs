//! The master: knows every agent and every framework, offers the agents' resources to the frameworks, passes launches
//! one way and status updates the other, and answers anybody's questions about it all.
//!
//! From the inside out:
//! - `allocator`: which framework is offered what. Pure.
//! - `core`: everything else there is to decide. Pure: inputs with the time, actions out.
//! - `settings`: what decisions depend on.
//! - `memory`: what survives the master; `registry`: how it is stored.
//! - `timings`: how long the shell's work takes, for the metrics. Pure.
//! - `books`, `request`: what others may look at, and ask for.
//! - `actor`: the part that the shell runs: it owns the core and carries its actions out.
//! - `view`: answers to whoever reads, written piece by piece from snapshots of the core.
//! - `http`: the scheduler, agent and operator APIs and the old read endpoints, all talking to the actor.
//! - [`Master`]: binds the port and runs the two together.
//!
//! Frameworks and tasks are not stored: after a restart they are learnt again from agents and schedulers.

mod actor;
mod allocator;
mod books;
mod core;
mod error;
mod http;
mod ids;
mod master;
mod memory;
mod options;
mod registry;
mod request;
mod settings;
mod stock;
mod timings;
mod view;

pub use error::MasterError;
pub use master::Master;
pub use options::{Authentication, Options};
pub use settings::{Patience, Retention, Settings};
