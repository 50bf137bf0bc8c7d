//! Events for operators, built.

use mesos::v1::master::response::{get_agents, get_frameworks};
use mesos::v1::master::{Event, event};
use mesos::v1::{self, TaskStatus};

use crate::ids::{AgentId, FrameworkId};

fn news(kind: event::Type) -> Event {
    Event { r#type: Some(kind.into()), ..Event::default() }
}

pub(crate) fn heartbeat() -> Event {
    news(event::Type::Heartbeat)
}

pub(crate) fn task_added(task: v1::Task) -> Event {
    Event { task_added: Some(event::TaskAdded { task }), ..news(event::Type::TaskAdded) }
}

/// `status` is the update's; `state` the newest the master knows.
pub(crate) fn task_updated(framework: &FrameworkId, status: TaskStatus, state: v1::TaskState) -> Event {
    let updated = event::TaskUpdated { framework_id: framework.clone(), status, state: state.into() };
    Event { task_updated: Some(updated), ..news(event::Type::TaskUpdated) }
}

pub(crate) fn agent_added(agent: get_agents::Agent) -> Event {
    Event { agent_added: Some(event::AgentAdded { agent }), ..news(event::Type::AgentAdded) }
}

pub(crate) fn agent_removed(agent: &AgentId) -> Event {
    Event { agent_removed: Some(event::AgentRemoved { agent_id: agent.clone() }), ..news(event::Type::AgentRemoved) }
}

pub(crate) fn framework_added(framework: get_frameworks::Framework) -> Event {
    Event { framework_added: Some(event::FrameworkAdded { framework }), ..news(event::Type::FrameworkAdded) }
}

pub(crate) fn framework_updated(framework: get_frameworks::Framework) -> Event {
    Event { framework_updated: Some(event::FrameworkUpdated { framework }), ..news(event::Type::FrameworkUpdated) }
}

pub(crate) fn framework_removed(framework_info: v1::FrameworkInfo) -> Event {
    let removed = event::FrameworkRemoved { framework_info };
    Event { framework_removed: Some(removed), ..news(event::Type::FrameworkRemoved) }
}
