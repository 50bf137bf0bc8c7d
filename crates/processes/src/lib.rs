//! Processes of Linux: how programs are started, as whom, and in which namespaces.
//!
//! [`Spawn`] starts a program, [`Credentials`] say as whom, [`namespace`] and [`Enter`] say where; [`reap`] takes the
//! exit status. All `unsafe` of the workspace is in the module `kernel`.

mod credentials;
mod kernel;

pub use credentials::Credentials;
pub use kernel::{
    Child, Ended, Enter, Reaped, Spawn, SpawnError, Step, defer_acknowledgement, namespace, null, raise_file_limit,
    reap, signals,
};
