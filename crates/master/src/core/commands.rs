//! Events for agents, built: what the master commands.

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

pub(crate) fn launch(framework: FrameworkInfo, task: v1::TaskInfo) -> AgentEvent {
    AgentEvent::launch(agent_event::Launch { framework, task, executor: None })
}

pub(crate) fn launch_group(
    framework: FrameworkInfo,
    executor: v1::ExecutorInfo,
    task_group: v1::TaskGroupInfo,
) -> AgentEvent {
    AgentEvent::launch_group(agent_event::LaunchGroup { framework, executor, task_group })
}

pub(crate) fn kill(framework: &FrameworkId, task: &TaskId, kill_policy: Option<v1::KillPolicy>) -> AgentEvent {
    AgentEvent::kill(agent_event::Kill { framework_id: framework.clone(), task_id: task.clone(), kill_policy })
}

pub(crate) fn acknowledge(framework: &FrameworkId, task_id: v1::TaskId, uuid: Vec<u8>) -> AgentEvent {
    AgentEvent::acknowledge(agent_event::Acknowledge { framework_id: framework.clone(), task_id, uuid })
}

pub(crate) fn shutdown_executor(framework: &FrameworkId, executor_id: v1::ExecutorId) -> AgentEvent {
    AgentEvent::shutdown_executor(agent_event::ShutdownExecutor { framework_id: framework.clone(), executor_id })
}

pub(crate) fn shutdown_framework(framework: &FrameworkId) -> AgentEvent {
    AgentEvent::shutdown_framework(agent_event::ShutdownFramework { framework_id: framework.clone() })
}

pub(crate) fn update_framework(framework: FrameworkInfo) -> AgentEvent {
    AgentEvent::update_framework(agent_event::UpdateFramework { framework })
}

pub(crate) fn message(framework: &FrameworkId, executor_id: v1::ExecutorId, data: Vec<u8>) -> AgentEvent {
    AgentEvent::message(agent_event::Message { framework_id: framework.clone(), executor_id, data })
}

pub(crate) fn reconcile(framework: &FrameworkId, task_ids: Vec<TaskId>) -> AgentEvent {
    AgentEvent::reconcile(agent_event::Reconcile { framework_id: framework.clone(), task_ids })
}

pub(crate) fn shutdown(message: impl Into<String>) -> AgentEvent {
    AgentEvent::shutdown(Some(agent_event::Shutdown { message: Some(message.into()) }))
}
