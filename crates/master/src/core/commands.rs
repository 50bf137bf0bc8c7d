//! Events for agents, built, where that takes more than a line or is done in several places.

use std::time::Duration;

use mesos::v1::cygnet::{AgentEvent, agent_event};
use mesos::v1::{self, FrameworkInfo, MasterInfo};

use crate::ids::{AgentId, FrameworkId, TaskId};

pub(crate) fn subscribed(agent: &AgentId, ping_timeout: Duration, master_info: MasterInfo) -> AgentEvent {
    let subscribed = agent_event::Subscribed {
        agent_id: agent.clone(),
        total_ping_timeout_seconds: Some(ping_timeout.as_secs_f64()),
        master_info: Some(master_info),
    };
    AgentEvent::subscribed(subscribed)
}

pub(crate) fn kill(framework: &FrameworkId, task: &TaskId, kill_policy: Option<v1::KillPolicy>) -> AgentEvent {
    AgentEvent::kill(agent_event::Kill { framework_id: framework.clone(), task_id: task.clone(), kill_policy })
}

pub(crate) fn acknowledge(framework: &FrameworkId, task_id: v1::TaskId, uuid: Vec<u8>) -> AgentEvent {
    AgentEvent::acknowledge(agent_event::Acknowledge { framework_id: framework.clone(), task_id, uuid })
}

pub(crate) fn shutdown_framework(framework: &FrameworkId) -> AgentEvent {
    AgentEvent::shutdown_framework(agent_event::ShutdownFramework { framework_id: framework.clone() })
}

pub(crate) fn update_framework(framework: FrameworkInfo) -> AgentEvent {
    AgentEvent::update_framework(agent_event::UpdateFramework { framework })
}

pub(crate) fn shutdown(message: impl Into<String>) -> AgentEvent {
    AgentEvent::shutdown(Some(agent_event::Shutdown { message: Some(message.into()) }))
}
