//! Scheduler events, built.

use mesos::v1::scheduler::{Event, event};
use mesos::v1::{self, MasterInfo, TaskStatus};

use crate::ids::{AgentId, ExecutorId, FrameworkId};

/// Announced at SUBSCRIBED and kept by the streams.
pub(crate) const HEARTBEAT_INTERVAL: std::time::Duration = std::time::Duration::from_secs(15);

pub(crate) fn subscribed(framework: &FrameworkId, master_info: MasterInfo) -> Event {
    let subscribed = event::Subscribed {
        framework_id: framework.clone(),
        heartbeat_interval_seconds: Some(HEARTBEAT_INTERVAL.as_secs_f64()),
        master_info: Some(master_info),
    };
    Event::subscribed(subscribed)
}

pub(crate) fn update(status: TaskStatus) -> Event {
    Event::update(event::Update { status })
}

pub(crate) fn operation_refused(operation: &v1::OperationId, agent: &AgentId, message: String) -> Event {
    let status = v1::OperationStatus {
        operation_id: Some(operation.clone()),
        state: v1::OperationState::OperationError.into(),
        message: Some(message),
        agent_id: Some(agent.clone()),
        ..v1::OperationStatus::default()
    };
    Event::update_operation_status(event::UpdateOperationStatus { status })
}

pub(crate) fn message(agent: &AgentId, executor_id: v1::ExecutorId, data: Vec<u8>) -> Event {
    Event::message(event::Message { agent_id: agent.clone(), executor_id, data })
}

pub(crate) fn agent_lost(agent: &AgentId) -> Event {
    Event::failure(event::Failure { agent_id: Some(agent.clone()), ..event::Failure::default() })
}

pub(crate) fn executor_exited(agent: &AgentId, executor: &ExecutorId, status: i32) -> Event {
    let failure =
        event::Failure { agent_id: Some(agent.clone()), executor_id: Some(executor.clone()), status: Some(status) };
    Event::failure(failure)
}

pub(crate) fn error(message: impl Into<String>) -> Event {
    Event::error(event::Error { message: message.into() })
}
