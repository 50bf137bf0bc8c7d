//! A Mesos agent: the resources, sandboxes, executors and status updates of one machine, and their recovery.
//!
//! From the inside out:
//!
//! * [`status_updates`] and [`core`] decide. Both are pure: they are told what happened and when, and say what to do;
//! * [`log`] is what must survive `kill -9`, [`layout`] is where it and the sandboxes lie;
//! * [`handle`] is how to reach the core, [`actor`] owns it, makes its changes durable and carries out the rest, with
//!   [`jobs`] for what takes a while, [`sandbox`] for where tasks live, [`late`] for what pools owe an answer;
//! * [`machine`] is what it offers, [`inheritance`] the variables it hands on, [`strangers`] processes that nobody owns,
//!   [`supported`] what a task may ask for;
//! * [`isolation`] is what containers are held to, by [`cgroups`], by [`disk`] and by [`log_watch`]; [`networks`] are what
//!   they are in;
//! * [`view`] is how the books are looked at, from snapshots of them;
//! * [`containers`] are those that others launch through the operator API, nested or standalone;
//! * [`registration`] keeps up the subscription at the master, [`http`] answers executors, pools and operators, and
//!   [`files`] lets them look into sandboxes, until [`gc`] removes those.
//!
//! An [`Agent`] is bound, which takes its port and its work directory, and then run. It ends when it is told to, and
//! what happens to its tasks then, [`Shutdown`] says.

mod actor;
mod agent;
mod cgroups;
mod containers;
mod core;
mod disk;
mod docker;
mod error;
mod files;
mod gc;
mod handle;
mod http;
mod ids;
mod inheritance;
mod isolation;
mod jobs;
mod late;
mod layout;
mod log;
mod log_watch;
mod machine;
mod memory;
mod networks;
mod options;
mod provisioner;
mod registration;
mod sandbox;
mod status_updates;
mod strangers;
mod supported;
mod tries;
mod view;

pub use crate::agent::Agent;
pub use crate::error::AgentError;
pub use crate::handle::Shutdown;
pub use crate::http::Authentication;
pub use crate::networks::NetworkOptions;
pub use crate::options::{ContainerOptions, ImageCollection, Options};
