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

#[cfg(test)]
mod tests {
    use mesos::v1::{ContainerId, ExecutorInfo};
    use serde_json::{Value, json};

    use super::*;

    /// The needs of a run whose executor has this container and port 31000.
    fn needs(kind: &str, container: &Value) -> Result<Option<NetworkNeeds>, String> {
        let ports = json!({"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 31000, "end": 31000}]}});
        let info = json!({"type": kind, "executor_id": {"value": "e"}, "resources": [ports], "container": container});
        let info: ExecutorInfo = mesos::json::from_value(info).unwrap();
        let container = ContainerId { value: "c".to_owned(), parent: None };
        let executor = Executor::new(info, false, container, "/sandbox".into());
        NetworkNeeds::of(&executor, "mesos-bridge").map_err(|error| error.to_string())
    }

    fn on_bridge(port: u16) -> Value {
        let mapping = json!({"host_port": port, "container_port": 80});
        json!({"type": "MESOS", "hostname": "web", "network_infos": [{"name": "mesos-bridge", "port_mappings": [mapping]}]})
    }

    #[test]
    fn a_container_says_what_its_run_joins() {
        let plain = json!({"type": "MESOS", "hostname": "web", "network_infos": [{"groups": ["a"]}]});
        let dockers = json!({"type": "DOCKER", "network_infos": [{"name": "blue"}]});
        for of_host in [plain, dockers] {
            assert_eq!(needs("DEFAULT", &of_host), Ok(None), "{of_host}");
        }
        let wanted = needs("DEFAULT", &on_bridge(31000)).unwrap().unwrap();
        assert_eq!((wanted.joins.len(), wanted.hostname.as_deref()), (1, Some("web")));
        assert!(wanted.joins[0].is_on_bridge());
    }

    #[test]
    fn what_a_run_cannot_have_is_named() {
        let maps =
            json!({"type": "MESOS", "network_infos": [{"port_mappings": [{"host_port": 1, "container_port": 1}]}]});
        let mut by_name = on_bridge(31001);
        by_name["network_infos"][0]["name"] = json!("blue");
        for (kind, container, why) in [
            ("DEFAULT", on_bridge(31001), "Port [31001] not included in resources"),
            ("DEFAULT", by_name, "Port [31001] not included in resources"),
            ("DEFAULT", maps, "Port mappings are only supported for bridge and user-defined networks"),
            (
                "CUSTOM",
                on_bridge(31000),
                "An executor with a process of its own cannot join the network 'mesos-bridge'",
            ),
        ] {
            let error = needs(kind, &container).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
