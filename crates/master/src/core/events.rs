//! Scheduler events, built.

use mesos::v1::scheduler::{Event, event};
use mesos::v1::{self, MasterInfo, TaskStatus};

use crate::ids::{AgentId, ExecutorId, FrameworkId, OfferId};

/// Announced at SUBSCRIBED and kept by the streams.
pub(crate) const HEARTBEAT_INTERVAL: std::time::Duration = std::time::Duration::from_secs(15);

fn event(kind: event::Type) -> Event {
    Event { r#type: Some(kind.into()), ..Event::default() }
}

pub(crate) fn subscribed(framework: &FrameworkId, master_info: MasterInfo) -> Event {
    let subscribed = event::Subscribed {
        framework_id: framework.clone(),
        heartbeat_interval_seconds: Some(HEARTBEAT_INTERVAL.as_secs_f64()),
        master_info: Some(master_info),
    };
    Event { subscribed: Some(subscribed), ..event(event::Type::Subscribed) }
}

pub(crate) fn heartbeat() -> Event {
    event(event::Type::Heartbeat)
}

pub(crate) fn offers(offers: Vec<v1::Offer>) -> Event {
    Event { offers: Some(event::Offers { offers }), ..event(event::Type::Offers) }
}

pub(crate) fn rescind(offer: &OfferId) -> Event {
    Event { rescind: Some(event::Rescind { offer_id: offer.clone() }), ..event(event::Type::Rescind) }
}

pub(crate) fn update(status: TaskStatus) -> Event {
    Event { update: Some(event::Update { status }), ..event(event::Type::Update) }
}

pub(crate) fn operation_refused(operation: &v1::OperationId, agent: &AgentId, message: String) -> Event {
    let status = v1::OperationStatus {
        operation_id: Some(operation.clone()),
        state: v1::OperationState::OperationError.into(),
        message: Some(message),
        agent_id: Some(agent.clone()),
        ..v1::OperationStatus::default()
    };
    let update = event::UpdateOperationStatus { status };
    Event { update_operation_status: Some(update), ..event(event::Type::UpdateOperationStatus) }
}

pub(crate) fn message(agent: &AgentId, executor_id: v1::ExecutorId, data: Vec<u8>) -> Event {
    let message = event::Message { agent_id: agent.clone(), executor_id, data };
    Event { message: Some(message), ..event(event::Type::Message) }
}

pub(crate) fn agent_lost(agent: &AgentId) -> Event {
    let failure = event::Failure { agent_id: Some(agent.clone()), ..event::Failure::default() };
    Event { failure: Some(failure), ..event(event::Type::Failure) }
}

pub(crate) fn executor_exited(agent: &AgentId, executor: &ExecutorId, status: i32) -> Event {
    let failure =
        event::Failure { agent_id: Some(agent.clone()), executor_id: Some(executor.clone()), status: Some(status) };
    Event { failure: Some(failure), ..event(event::Type::Failure) }
}

pub(crate) fn error(message: impl Into<String>) -> Event {
    Event { error: Some(event::Error { message: message.into() }), ..event(event::Type::Error) }
}
