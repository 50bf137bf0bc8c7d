//! Events for agents, built.

use std::time::Duration;

use mesos::v1::cygnet::{AgentEvent, agent_event};
use mesos::v1::{self, FrameworkInfo, MasterInfo};

use crate::ids::{AgentId, FrameworkId, TaskId};

fn order(kind: agent_event::Type) -> AgentEvent {
    AgentEvent { r#type: Some(kind.into()), ..AgentEvent::default() }
}

pub(crate) fn subscribed(agent: &AgentId, ping_timeout: Duration, master_info: MasterInfo) -> AgentEvent {
    let subscribed = agent_event::Subscribed {
        agent_id: agent.clone(),
        total_ping_timeout_seconds: Some(ping_timeout.as_secs_f64()),
        master_info: Some(master_info),
    };
    AgentEvent { subscribed: Some(subscribed), ..order(agent_event::Type::Subscribed) }
}

pub(crate) fn ping() -> AgentEvent {
    order(agent_event::Type::Ping)
}

pub(crate) fn launch(framework: FrameworkInfo, task: v1::TaskInfo) -> AgentEvent {
    let launch = agent_event::Launch { framework, task, executor: None };
    AgentEvent { launch: Some(launch), ..order(agent_event::Type::Launch) }
}

pub(crate) fn launch_group(
    framework: FrameworkInfo,
    executor: v1::ExecutorInfo,
    task_group: v1::TaskGroupInfo,
) -> AgentEvent {
    let launch_group = agent_event::LaunchGroup { framework, executor, task_group };
    AgentEvent { launch_group: Some(launch_group), ..order(agent_event::Type::LaunchGroup) }
}

pub(crate) fn kill(framework: &FrameworkId, task: &TaskId, kill_policy: Option<v1::KillPolicy>) -> AgentEvent {
    let kill = agent_event::Kill { framework_id: framework.clone(), task_id: task.clone(), kill_policy };
    AgentEvent { kill: Some(kill), ..order(agent_event::Type::Kill) }
}

pub(crate) fn acknowledge(framework: &FrameworkId, task_id: v1::TaskId, uuid: Vec<u8>) -> AgentEvent {
    let acknowledge = agent_event::Acknowledge { framework_id: framework.clone(), task_id, uuid };
    AgentEvent { acknowledge: Some(acknowledge), ..order(agent_event::Type::Acknowledge) }
}

pub(crate) fn shutdown_executor(framework: &FrameworkId, executor_id: v1::ExecutorId) -> AgentEvent {
    let shutdown = agent_event::ShutdownExecutor { framework_id: framework.clone(), executor_id };
    AgentEvent { shutdown_executor: Some(shutdown), ..order(agent_event::Type::ShutdownExecutor) }
}

pub(crate) fn shutdown_framework(framework: &FrameworkId) -> AgentEvent {
    let shutdown = agent_event::ShutdownFramework { framework_id: framework.clone() };
    AgentEvent { shutdown_framework: Some(shutdown), ..order(agent_event::Type::ShutdownFramework) }
}

pub(crate) fn update_framework(framework: FrameworkInfo) -> AgentEvent {
    let update = agent_event::UpdateFramework { framework };
    AgentEvent { update_framework: Some(update), ..order(agent_event::Type::UpdateFramework) }
}

pub(crate) fn message(framework: &FrameworkId, executor_id: v1::ExecutorId, data: Vec<u8>) -> AgentEvent {
    let message = agent_event::Message { framework_id: framework.clone(), executor_id, data };
    AgentEvent { message: Some(message), ..order(agent_event::Type::Message) }
}

pub(crate) fn reconcile(framework: &FrameworkId, task_ids: Vec<TaskId>) -> AgentEvent {
    let reconcile = agent_event::Reconcile { framework_id: framework.clone(), task_ids };
    AgentEvent { reconcile: Some(reconcile), ..order(agent_event::Type::Reconcile) }
}

pub(crate) fn shutdown(message: impl Into<String>) -> AgentEvent {
    let shutdown = agent_event::Shutdown { message: Some(message.into()) };
    AgentEvent { shutdown: Some(shutdown), ..order(agent_event::Type::Shutdown) }
}
