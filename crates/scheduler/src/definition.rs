//! Definitions of apps and of pods. From the inside out:
//!
//! - [`seconds`], [`port`], [`strategy`], [`constraint`], [`health_check`], [`readiness`], [`brake`], [`exec_command`],
//!   [`env`], [`secret`], [`network`], [`linux_info`], [`resource_limits`]: the parts that both have, and `rules`, what has to
//!   hold for several of them;
//! - [`container`], [`volume`], [`port_mapping`]: the container of an app; [`ports`]: the ports of either, whatever it has;
//! - [`app`], [`pod`]: what runs in an instance of each, and [`run_spec`], what both have in common, with all defaults
//!   filled in;
//! - [`update`], [`group`]: what a client sends, and what it makes of what is there;
//! - [`shape`]: what is wrong with JSON of another shape; [`validate`]: with values that make no sense; `runnable`: with
//!   what no task could have.

pub(crate) mod app;
pub(crate) mod brake;
pub(crate) mod constraint;
pub(crate) mod container;
#[cfg(test)]
mod container_rows;
pub(crate) mod env;
pub(crate) mod exec_command;
pub(crate) mod group;
pub(crate) mod grpc_options;
pub(crate) mod health_check;
pub(crate) mod http_options;
pub(crate) mod linux_info;
mod literals;
pub(crate) mod network;
pub(crate) mod pod;
pub(crate) mod port;
pub(crate) mod port_mapping;
pub(crate) mod ports;
pub(crate) mod readiness;
pub(crate) mod resource_limits;
#[cfg(test)]
mod rows;
mod rules;
pub(crate) mod run_spec;
pub(crate) mod runnable;
pub(crate) mod schedule;
pub(crate) mod seconds;
pub(crate) mod secret;
pub(crate) mod shape;
pub(crate) mod single_check;
pub(crate) mod strategy;
mod strict;
mod switch;
pub(crate) mod tls_options;
pub(crate) mod update;
pub(crate) mod validate;
pub(crate) mod volume;

pub(crate) use app::App;
pub(crate) use brake::AppBrake;
pub(crate) use group::GroupUpdate;
pub(crate) use health_check::{HealthCheck, Protocol};
pub(crate) use pod::Pod;
pub(crate) use readiness::ReadinessCheck;
pub(crate) use run_spec::{Kind, RunSpec};
pub(crate) use seconds::Seconds;
pub(crate) use shape::ShapeError;
pub(crate) use update::AppUpdate;
pub(crate) use validate::Faults;
