//! One agent at one moment.

use std::sync::Arc;
use std::time::Duration;

use mesos::resources::Resources;
use mesos::v1::master::response::{get_agents, get_executors};
use mesos::v1::{self, Confidential};

use super::super::Core;
use super::super::agents::{Agent, Program};
use crate::ids::{AgentId, FrameworkId};
use crate::memory::Standing;

#[derive(Debug, Clone)]
pub(crate) struct AgentView {
    pub(crate) id: AgentId,
    pub(crate) info: Arc<v1::AgentInfo>,
    pub(crate) program: Arc<Program>,
    pub(crate) active: bool,
    pub(crate) standing: Standing,
    /// Moments since the UNIX epoch.
    pub(crate) registered: Duration,
    pub(crate) reregistered: Option<Duration>,
    pub(crate) last_heard: Duration,
    pub(crate) total: Resources,
    pub(crate) used: Resources,
    pub(crate) offered: Resources,
    pub(crate) executors: Vec<(FrameworkId, Arc<v1::ExecutorInfo>)>,
}

impl Core {
    /// `offered` is what is offered of it to anybody.
    pub(in crate::core) fn agent_view(&self, agent: &Agent, offered: Option<&Resources>) -> AgentView {
        let executors = agent.work().executors().map(|(framework, info)| (framework.clone(), info.clone()));
        AgentView {
            id: agent.id().clone(),
            info: agent.info().clone(),
            program: agent.program().clone(),
            active: self.agents.is_active(agent),
            standing: self.agents.standing(agent.id()).cloned().unwrap_or_default(),
            registered: agent.registered(),
            reregistered: agent.reregistered(),
            last_heard: agent.last_heard(),
            total: agent.total().clone(),
            used: agent.work().used_total(),
            offered: offered.cloned().unwrap_or_default(),
            executors: executors.collect(),
        }
    }
}

impl AgentView {
    /// As the operator API has it.
    pub(crate) fn wire(&self) -> get_agents::Agent {
        get_agents::Agent {
            // As every agent of ours does; Mesos' masters say it, too.
            agent_info: v1::AgentInfo { checkpoint: Some(true), ..(*self.info).clone() },
            active: self.active,
            deactivated: Some(self.standing.deactivated),
            version: mesos::build::MESOS_VERSION.to_owned(),
            pid: Some(self.program.pid.clone()),
            registered_time: Some(v1::TimeInfo::since_epoch(self.registered)),
            reregistered_time: self.reregistered.map(v1::TimeInfo::since_epoch),
            total_resources: self.total.to_wire_with_roles(),
            allocated_resources: self.used.to_wire_with_roles(),
            offered_resources: self.offered.to_wire_with_roles(),
            capabilities: self.program.capabilities.clone(),
            drain_info: self.standing.drain_info(),
            estimated_drain_start_time: self.standing.drain.as_ref().map(|of| v1::TimeInfo::since_epoch(of.since)),
        }
    }

    /// Its executors, as the operator API has them.
    pub(crate) fn executors_wire(&self) -> impl Iterator<Item = get_executors::Executor> {
        self.executors
            .iter()
            .map(|(_, info)| get_executors::Executor { executor_info: info.shown(), agent_id: self.id.clone() })
    }
}
