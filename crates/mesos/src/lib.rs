//! The Mesos v1 wire.

pub mod v1;
