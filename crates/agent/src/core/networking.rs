//! The network of a run, from what its container asks for and what its tasks have. Pure.
//!
//! A command task's container is its executor's; the tasks of a group are in the network of theirs. A container of type
//! DOCKER is put into its network by Docker.

use std::ops::RangeInclusive;

use containers::network::plan::{Join, Plan, PlanError, check_offered};
use mesos::resources::Resources;
use mesos::v1::container_info::Type;
use mesos::v1::{ContainerInfo, Resource};

use super::frameworks::Executor;

/// The networks that a run asks for, and its name in them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NetworkNeeds {
    pub(crate) joins: Vec<Join>,
    pub(crate) hostname: Option<String>,
}

/// Why a run cannot have the network that it asks for; its framework is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetworkRefusal {
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The agent's API is not reached from there.
    #[error(
        "An executor with a process of its own cannot join the network '{0}': this agent supports that for its own"
    )]
    OwnProcess(String),
}

impl NetworkNeeds {
    /// The needs of a run with the tasks it has now; none if it is in the host's network.
    pub(super) fn of(executor: &Executor, bridge: &str) -> Result<Option<NetworkNeeds>, NetworkRefusal> {
        executor
            .tasks()
            .unfinished()
            .filter(|_| executor.hosts_groups())
            .try_for_each(|task| Plan::of_nested(task.info().container.as_ref()))?;
        let Some(container) = executor.info().container.as_ref().filter(|it| it.r#type() != Type::Docker) else {
            return Ok(None);
        };
        let plan = Plan::of(Some(container), bridge)?;
        check_offered(&plan.host_ports(), &ports(&executor.resources()))?;
        match plan {
            Plan::Host => on_host(container).map(|()| None),
            Plan::Own(joins) if executor.is_pooled() => {
                Ok(Some(NetworkNeeds { joins, hostname: container.hostname.clone() }))
            }
            Plan::Own(joins) => {
                let first = joins.first().map(|join| join.info.name().to_owned());
                Err(NetworkRefusal::OwnProcess(first.unwrap_or_default()))
            }
        }
    }
}

/// Ports of the host lead to networks of containers' own only.
fn on_host(container: &ContainerInfo) -> Result<(), NetworkRefusal> {
    let maps = container.network_infos.iter().any(|network| !network.port_mappings.is_empty());
    if maps { Err(PlanError::NoMappings.into()) } else { Ok(()) }
}

fn ports(resources: &[Resource]) -> Vec<RangeInclusive<u64>> {
    // Those that make no sense were refused by the master.
    let ports = Resources::from_wire(resources).map(|resources| resources.ports()).unwrap_or_default();
    ports.as_slice().iter().map(|(begin, end)| *begin..=*end).collect()
}
