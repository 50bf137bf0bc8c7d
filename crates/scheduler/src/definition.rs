//! Definitions of apps and of pods. From the inside out:
//!
//! - [`seconds`], [`port`], [`strategy`], [`constraint`], [`health_check`], [`readiness`], [`brake`], [`exec_command`]: the parts that both have;
//! - [`app`], [`pod`]: what runs in an instance of each, and [`run_spec`], what both have in common, with all defaults
//!   filled in;
//! - [`update`], [`group`]: what a client sends, and what it makes of what is there;
//! - [`shape`]: what is wrong with JSON of another shape; [`validate`]: with values that make no sense; `runnable`: with
//!   what no task could have.

pub mod app;
pub mod brake;
pub mod constraint;
pub mod env;
pub mod exec_command;
pub mod group;
pub mod grpc_options;
pub mod health_check;
pub mod http_options;
mod literals;
pub(crate) mod pod;
pub mod port;
pub mod readiness;
mod rules;
pub mod run_spec;
pub(crate) mod runnable;
pub(crate) mod schedule;
pub mod seconds;
pub mod shape;
pub mod single_check;
pub mod strategy;
mod strict;
pub mod update;
pub mod validate;

pub use app::App;
pub use brake::AppBrake;
pub use constraint::{Constraint, Operator};
pub use group::GroupUpdate;
pub use health_check::{HealthCheck, Protocol};
pub use pod::Pod;
pub use readiness::ReadinessCheck;
pub use run_spec::{Kind, RunSpec};
pub use seconds::Seconds;
pub use shape::ShapeError;
pub use update::AppUpdate;
pub use validate::{Fault, Faults};
