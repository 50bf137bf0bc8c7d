//! Processes of executors and pools: starting them, and finding those that belong together.
//!
//! Comes in: what to start, and directories. Goes out: a [`Process`], what belongs to a run, and its end. Owns nothing.

mod run;
mod start;
mod strangers;

pub(crate) use ::processes::{
    Process, Table, Usage, WaitStatus, ended, group_ended, kill_marked, kill_tree, reap_orphans as bury, watched,
};

pub(crate) use self::run::{kill_run, main_process, usage_of_run};
pub(crate) use self::start::{Program, start};
pub(crate) use self::strangers::{Known, Strangers};
