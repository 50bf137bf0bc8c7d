//! What others may see of the books: the old endpoints, the operator API, metrics, containers. Reads only.

mod containers;
mod legacy;
mod metrics;
mod operator;

use mesos::resources::Resources;
use mesos::v1::Resource;

pub(crate) use self::containers::Container;
use super::Core;
use super::executor::Executor;

impl Core {
    fn all_executors(&self) -> impl Iterator<Item = &Executor> {
        self.frameworks.values().flat_map(|framework| framework.executors.values())
    }

    fn live_executors(&self) -> impl Iterator<Item = &Executor> {
        self.all_executors().filter(|executor| executor.is_live())
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
