//! Events for operators, built from what changed.

use mesos::v1::master::response::{get_agents, get_frameworks};
use mesos::v1::master::{Event, event};
use mesos::v1::{self, TaskStatus};

use crate::ids::{AgentId, FrameworkId};

pub(crate) fn heartbeat() -> Event {
    Event::heartbeat()
}

pub(crate) fn task_added(task: v1::Task) -> Event {
    Event::task_added(event::TaskAdded { task })
}

/// `status` is the update's; `state` the newest the master knows.
pub(crate) fn task_updated(framework: &FrameworkId, status: TaskStatus, state: v1::TaskState) -> Event {
    Event::task_updated(event::TaskUpdated { framework_id: framework.clone(), status, state: state.into() })
}

pub(crate) fn agent_added(agent: get_agents::Agent) -> Event {
    Event::agent_added(event::AgentAdded { agent })
}

pub(crate) fn agent_removed(agent: &AgentId) -> Event {
    Event::agent_removed(event::AgentRemoved { agent_id: agent.clone() })
}

pub(crate) fn framework_added(framework: get_frameworks::Framework) -> Event {
    Event::framework_added(event::FrameworkAdded { framework })
}

pub(crate) fn framework_updated(framework: get_frameworks::Framework) -> Event {
    Event::framework_updated(event::FrameworkUpdated { framework })
}

pub(crate) fn framework_removed(framework_info: v1::FrameworkInfo) -> Event {
    Event::framework_removed(event::FrameworkRemoved { framework_info })
}
