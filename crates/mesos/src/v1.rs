//! The messages of the Mesos v1 API and of Cygnet's own protocols, generated from `proto/`.
//!
//! Enumerations are `i32` inside messages; read them through the getter of the same name (`status.state()`),
//! name them with `as_str_name()`. The modules own no tasks and no channels.
#![allow(missing_docs, clippy::all, reason = "generated; the protocol is documented where the messages are used")]

mod checks;
mod ids;
mod shorthands;
mod shown;

pub use self::shown::Confidential;

include!(concat!(env!("OUT_DIR"), "/mesos.v1.rs"));

/// The scheduler API: a framework talks to the master.
pub mod scheduler {
    include!(concat!(env!("OUT_DIR"), "/mesos.v1.scheduler.rs"));
}

/// The executor API: an executor talks to its agent.
pub mod executor {
    include!(concat!(env!("OUT_DIR"), "/mesos.v1.executor.rs"));
}

/// The operator API of the master.
pub mod master {
    include!(concat!(env!("OUT_DIR"), "/mesos.v1.master.rs"));
}

/// The operator API of the agent.
pub mod agent {
    include!(concat!(env!("OUT_DIR"), "/mesos.v1.agent.rs"));
}

/// Cygnet's own protocols: agents and their master, executor pools and their agent.
pub mod cygnet {
    include!(concat!(env!("OUT_DIR"), "/own/cygnet.v1.rs"));
}
