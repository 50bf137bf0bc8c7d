//! The operator API's view.

use std::collections::{BTreeMap, BTreeSet};

use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::master::response::{
    GetAgents, GetExecutors, GetFrameworks, GetMaster, GetRoles, GetState, GetTasks, get_agents, get_executors,
    get_frameworks,
};

use super::super::agent::Agent;
use super::super::framework::{Framework, Link};
use super::super::task::Task;
use super::super::{Core, status};
use crate::stock;
use crate::version;

impl Core {
    pub(crate) fn get_state(&self) -> GetState {
        GetState {
            get_tasks: Some(self.get_tasks()),
            get_executors: Some(self.get_executors()),
            get_frameworks: Some(self.get_frameworks()),
            get_agents: Some(self.get_agents()),
        }
    }

    pub(crate) fn get_tasks(&self) -> GetTasks {
        let live = |framework: &Framework| framework.tasks.values().map(wire_of).collect::<Vec<_>>();
        GetTasks {
            tasks: self.all_frameworks().flat_map(live).collect(),
            unreachable_tasks: self.all_frameworks().flat_map(|of| of.unreachable.iter().cloned()).collect(),
            completed_tasks: self.all_frameworks().flat_map(|of| of.completed.iter().cloned()).collect(),
            ..GetTasks::default()
        }
    }

    pub(crate) fn get_executors(&self) -> GetExecutors {
        let of_agent = |agent: &Agent| {
            let executors = agent.executors.values().flat_map(BTreeMap::values);
            let agent_id = agent.id.clone();
            let entry = move |info: &v1::ExecutorInfo| get_executors::Executor {
                executor_info: info.clone(),
                agent_id: agent_id.clone(),
            };
            executors.map(entry).collect::<Vec<_>>()
        };
        GetExecutors { executors: self.agents.values().flat_map(of_agent).collect(), ..GetExecutors::default() }
    }

    pub(crate) fn get_frameworks(&self) -> GetFrameworks {
        GetFrameworks {
            frameworks: self.frameworks.values().map(|framework| self.framework_view(framework)).collect(),
            completed_frameworks: self.completed_frameworks.iter().map(|of| self.framework_view(of)).collect(),
            ..GetFrameworks::default()
        }
    }

    pub(crate) fn get_agents(&self) -> GetAgents {
        GetAgents {
            agents: self.agents.values().map(|agent| self.agent_view(agent)).collect(),
            recovered_agents: self.absent.recovered.values().cloned().collect(),
        }
    }

    pub(crate) fn get_master(&self) -> GetMaster {
        let started = status::seconds(self.identity.started);
        GetMaster { master_info: Some(self.master_info()), start_time: Some(started), elected_time: Some(started) }
    }

    pub(crate) fn get_roles(&self) -> GetRoles {
        let role = |name: String| {
            let members = self.frameworks.values().filter(|framework| framework.roles().contains(&name));
            v1::Role {
                weight: self.allocator.weight(&name),
                frameworks: members.map(|framework| framework.id.clone()).collect(),
                resources: self.held_in(&name).to_wire(),
                name,
            }
        };
        GetRoles { roles: self.known_roles().into_iter().map(role).collect() }
    }

    /// Roles somebody is in, holds something in, or has a weight for.
    pub(crate) fn known_roles(&self) -> BTreeSet<String> {
        let asked = self.frameworks.values().flat_map(Framework::roles);
        let weighted = self.settings.weights.keys().cloned();
        let everyone = std::iter::once(stock::EVERYONE.to_owned());
        asked.chain(weighted).chain(everyone).collect()
    }

    /// What is offered to or used by frameworks in a role.
    pub(crate) fn held_in(&self, role: &str) -> Resources {
        self.used_in(role) + &self.offered_in(role)
    }

    pub(crate) fn used_in(&self, role: &str) -> Resources {
        let used = self.agents.values().flat_map(|agent| agent.used.values());
        used.map(|used| stock::allocated_to(used, role)).sum()
    }

    pub(crate) fn offered_in(&self, role: &str) -> Resources {
        self.offers.iter().filter(|offer| offer.role == role).map(|offer| &offer.resources).sum()
    }

    pub(crate) fn framework_view(&self, framework: &Framework) -> get_frameworks::Framework {
        let offers = self.offers_of(&framework.id).filter_map(|offer| self.offer_wire(offer));
        get_frameworks::Framework {
            framework_info: framework.info.clone(),
            active: framework.is_connected(),
            connected: framework.is_connected(),
            recovered: framework.link == Link::Recovered,
            registered_time: Some(v1::TimeInfo::since_epoch(framework.registered)),
            reregistered_time: Some(v1::TimeInfo::since_epoch(framework.reregistered.unwrap_or(framework.registered))),
            unregistered_time: Some(v1::TimeInfo::since_epoch(framework.unregistered.unwrap_or_default())),
            offers: offers.collect(),
            allocated_resources: self.used_by(&framework.id).to_wire(),
            offered_resources: self.offered_to(&framework.id).to_wire(),
            ..get_frameworks::Framework::default()
        }
    }

    pub(crate) fn agent_view(&self, agent: &Agent) -> get_agents::Agent {
        get_agents::Agent {
            agent_info: agent.info.clone(),
            active: agent.is_connected(),
            deactivated: Some(false),
            version: version::MESOS_VERSION.to_owned(),
            pid: Some(agent.pid.clone()),
            registered_time: Some(v1::TimeInfo::since_epoch(agent.registered)),
            reregistered_time: agent.reregistered.map(v1::TimeInfo::since_epoch),
            total_resources: agent.total.to_wire_with_roles(),
            allocated_resources: agent.used_total().to_wire(),
            offered_resources: self.offered_on(&agent.id).to_wire(),
            capabilities: agent.capabilities.clone(),
            ..get_agents::Agent::default()
        }
    }
}

fn wire_of(task: &Task) -> v1::Task {
    task.wire.clone()
}
