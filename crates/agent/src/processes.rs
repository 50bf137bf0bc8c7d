//! Processes of executors and pools: starting, watching, killing whole trees of them, and burying what is adopted.
//!
//! Comes in: what to start or to watch. Goes out: a [`Process`], and its end. Owns: one tokio task that buries adopted
//! orphans for as long as the agent runs.

mod orphans;
mod start;
mod strangers;
mod tree;
mod usage;

pub(crate) use self::orphans::bury;
pub(crate) use self::start::{Program, ended, group_ended, start, watched};
pub(crate) use self::strangers::{Known, Strangers};
pub(crate) use self::tree::{Process, Table, kill_marked, kill_run, kill_tree, main_process};
pub(crate) use self::usage::{Usage, usage_of_run, usage_of_tree};
