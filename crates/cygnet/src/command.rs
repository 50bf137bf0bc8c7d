//! The subcommands, one file each. What several of them need: [`change`] makes a change and follows it, [`plan`] only tries
//! it, [`definitions`] reads files, [`credentials`] those with secrets, [`table`], [`page`] and [`age`] show things, with
//! the words of [`why`]; [`ids`] finds what is meant by as little of an id as tells it apart.

pub(crate) mod age;
pub(crate) mod agent;
pub(crate) mod app;
pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod completion;
mod containers;
pub(crate) mod credentials;
pub(crate) mod definitions;
pub(crate) mod deployment;
pub(crate) mod dev;
pub(crate) mod docker;
pub(crate) mod events;
pub(crate) mod executor;
mod exposure;
pub(crate) mod group;
pub(crate) mod ids;
pub(crate) mod kind;
pub(crate) mod limits;
mod logs;
pub(crate) mod master;
pub(crate) mod networks;
pub(crate) mod node;
pub(crate) mod page;
pub(crate) mod plan;
pub(crate) mod pod;
pub(crate) mod queue;
pub(crate) mod scheduler;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod task;
pub(crate) mod why;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Context;
use mesos::resources::{ResourceError, Resources};
use store::{IfLost, Store};

/// Opens the master's store. Agents and frameworks tell again most of what one that is lost knew.
pub(crate) fn open_registry(work_dir: &Path) -> anyhow::Result<Store> {
    open_store(work_dir, "master.redb", IfLost::BeginAnew)
}

/// Opens the scheduler's store. No other part knows its apps, and the tasks of a framework that is not known here would run
/// on unowned.
pub(crate) fn open_definitions(work_dir: &Path) -> anyhow::Result<Store> {
    open_store(work_dir, "scheduler.redb", IfLost::Refuse)
}

/// Opens a store below a work directory, which is made when it is not there.
fn open_store(work_dir: &Path, name: &str, if_lost: IfLost) -> anyhow::Result<Store> {
    // Tasks of other users have to reach their sandboxes below it, and need not see what else is there.
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(work_dir)
        .with_context(|| format!("cannot make the work directory {}", work_dir.display()))?;
    Ok(Store::open(work_dir.join(name), if_lost)?)
}

/// Lets this process open as many files as it may: a listener takes connections by that. Programs that are started get
/// the limit of before.
pub(crate) fn raise_file_limit() -> anyhow::Result<()> {
    processes::raise_file_limit().context("cannot raise the limit of open files")?;
    Ok(())
}

/// Resources as they are written, which have to be some: the agent reads them again, once it knows its machine.
pub(crate) fn resources(text: &str) -> Result<String, ResourceError> {
    text.parse::<Resources>().map(|_| text.to_owned())
}
