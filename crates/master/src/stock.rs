//! Resources as the master keeps them: everything a framework holds is marked with the role it is held in.

use mesos::resources::{ResourceError, Resources};
use mesos::v1;
use v1::resource::AllocationInfo;

use crate::ids::AgentId;

pub(crate) const EVERYONE: &str = mesos::resources::UNRESERVED;

/// Resources that a framework or agent names as held by a task or executor, marked with `role` where it does not say.
pub(crate) fn held(resources: &[v1::Resource], role: &str) -> Result<Resources, ResourceError> {
    let mut marked = resources.to_vec();
    for resource in &mut marked {
        resource.allocation_info.get_or_insert_with(|| AllocationInfo { role: Some(role.to_owned()) });
    }
    Resources::from_wire(&marked)
}

/// Resources that an agent says somebody holds. What makes no sense is not counted: the agent knows what it gave.
pub(crate) fn reported(resources: &[v1::Resource], role: &str) -> Resources {
    held(resources, role).unwrap_or_default()
}

/// Tells of those in an agent's report that make no sense: once, for there may be as many as tasks.
pub(crate) fn tell_of_senseless<'a>(agent: &AgentId, report: impl Iterator<Item = (&'a str, &'a [v1::Resource])>) {
    let senseless = |(holder, resources)| Some((holder, Resources::from_wire(resources).err()?));
    let mut senseless = report.filter_map(senseless);
    if let Some((holder, error)) = senseless.next() {
        let others = senseless.count();
        tracing::warn!(%agent, holder, %error, others, "what an agent reports as held makes no sense, and is not counted");
    }
}

pub(crate) fn allocated_to(resources: &Resources, role: &str) -> Resources {
    if resources.allocation_roles() == [role] {
        return resources.clone();
    }
    let mut part = resources.to_wire();
    part.retain(|resource| allocation_role(resource) == role);
    Resources::from_wire(&part).unwrap_or_default()
}

/// The parts by the role they are allocated to.
pub(crate) fn by_role(resources: &Resources) -> Vec<(String, Resources)> {
    let roles = resources.allocation_roles();
    roles.into_iter().map(|role| (role.to_owned(), allocated_to(resources, role))).collect()
}

pub(crate) fn allocation_role(resource: &v1::Resource) -> &str {
    resource.allocation_info.as_ref().and_then(|info| info.role.as_deref()).unwrap_or(EVERYONE)
}

/// A role and its ancestors, root first: `a/b` gives `a`, `a/b`.
pub(crate) fn lineage(role: &str) -> impl Iterator<Item = &str> {
    role.match_indices('/').map(|(at, _)| &role[..at]).chain(std::iter::once(role))
}

/// The part that a framework of `role` may have: not reserved, or reserved for the role or one above it.
pub(crate) fn allocatable_to(resources: &Resources, role: &str) -> Resources {
    let reserved: Resources = lineage(role).map(|node| resources.reserved_for(node)).sum();
    reserved + &resources.unreserved()
}

/// Resources as a framework sees them: without allocations if it has one role only, and with `role` in place of
/// `reservations` if it does not know refined reservations.
pub(crate) fn for_framework(resources: &Resources, multi_role: bool, refined: bool) -> Vec<v1::Resource> {
    let shown = if multi_role { resources.clone() } else { resources.unallocate() };
    if refined { shown.to_wire() } else { shown.to_wire_with_roles() }
}
