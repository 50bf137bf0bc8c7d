//! The one road from a check's definition to the engine, and the one from a verdict to the API. Pure.
//!
//! In: `CheckInfo` and `HealthCheck` as Mesos has them, with Cygnet's own fields, and what the engine found. Out: specs,
//! or an error that names the field; statuses and verdicts as they are on the wire and on file.

mod error;
mod network;
mod seconds;
mod specs;
mod status;
pub mod verdict;

pub use error::{InvalidCheck, Problem};
pub use specs::{Commands, Kind, health_checks, health_spec, specs};
pub use status::check_status;
