//! The books as others may see them: the old endpoints, the operator API, metrics, containers. Pure functions from a
//! [`Snapshot`] to an answer.

pub(crate) mod containers;
pub(crate) mod legacy;
pub(crate) mod metrics;
pub(crate) mod operator;

use mesos::resources::Resources;
use mesos::v1::Resource;

use crate::core::Snapshot;

/// The resources that executors and tasks hold.
fn used(snapshot: &Snapshot) -> Resources {
    snapshot.live_executors().map(|(_, executor)| bag(&executor.resources())).sum()
}

/// The resources; what cannot be understood is not counted.
fn bag(resources: &[Resource]) -> Resources {
    let one = |resource| Resources::from_wire([resource]).unwrap_or_default();
    resources.iter().map(one).sum()
}
