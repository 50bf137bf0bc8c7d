//! App definitions: what a person writes ([`update`]), what it means with every default filled in ([`definition`]), and
//! what is wrong with it ([`shape`] for JSON of another shape, [`validate`] for values that make no sense, `runnable` for
//! those that no task could have).

pub mod brake;
pub mod constraint;
pub mod definition;
pub mod env;
pub mod exec_command;
pub mod group;
pub mod grpc_options;
pub mod health_check;
pub mod http_options;
mod literals;
pub mod readiness;
pub(crate) mod runnable;
pub(crate) mod schedule;
pub mod seconds;
pub mod shape;
pub mod single_check;
pub mod update;
pub mod validate;

pub use brake::AppBrake;
pub use constraint::{Constraint, Operator};
pub use definition::App;
pub use group::GroupUpdate;
pub use health_check::{HealthCheck, Protocol};
pub use readiness::ReadinessCheck;
pub use seconds::Seconds;
pub use shape::ShapeError;
pub use update::AppUpdate;
pub use validate::{Fault, Faults};
