//! What others may see of the books: the old endpoints, the operator API, metrics, containers. Reads only.

mod containers;
mod legacy;
mod metrics;
mod operator;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mesos::resources::Resources;
use mesos::v1::Resource;

pub(crate) use self::containers::{Container, Root};
use super::Core;
use super::executor::Executor;

impl Core {
    fn all_executors(&self) -> impl Iterator<Item = &Executor> {
        self.frameworks.values().flat_map(|framework| framework.executors.values())
    }

    fn live_executors(&self) -> impl Iterator<Item = &Executor> {
        self.all_executors().filter(|executor| executor.is_live())
    }

    /// The sandboxes that must not be removed.
    pub(crate) fn sandboxes_in_use(&self) -> BTreeSet<PathBuf> {
        self.live_executors().map(|executor| executor.directory.clone()).collect()
    }

    /// The paths under which sandboxes may be read, and where they are.
    pub(crate) fn attached_paths(&self) -> BTreeMap<String, PathBuf> {
        let executors = self
            .frameworks
            .values()
            .flat_map(|framework| framework.executors.values().map(move |executor| (framework.id.clone(), executor)));
        let paths = executors.flat_map(|(framework, executor)| {
            let directory = executor.directory.clone();
            let name = format!("/frameworks/{framework}/executors/{}/runs/latest", executor.info.executor_id);
            [(name, directory.clone()), (directory.display().to_string(), directory)]
        });
        paths.collect()
    }

    /// What executors and tasks hold.
    fn used(&self) -> Resources {
        self.live_executors().map(|executor| bag(&executor.resources())).sum()
    }
}

/// What cannot be understood is not counted.
fn bag(resources: &[Resource]) -> Resources {
    let one = |resource| Resources::from_wire([resource]).unwrap_or_default();
    resources.iter().map(one).sum()
}
