//! The operator API's long answers, in both codecs.

use std::sync::Arc;

use mesos::Codec;
use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::master::call::Type;
use mesos::v1::master::{Event, Response, event, response};

use super::message::Message;
use super::pieces::Pieces;
use crate::core::snapshot::{AgentView, FrameworkView, RoleView, TaskLists};
use crate::core::task::Task;
use crate::core::{Depth, HEARTBEAT_INTERVAL, Snapshot};

/// A call that is answered from a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Agents,
    Frameworks,
    Executors,
    Tasks,
    State,
    Roles,
}

impl Look {
    pub(crate) fn of(kind: Type) -> Option<Look> {
        Some(match kind {
            Type::GetAgents => Look::Agents,
            Type::GetFrameworks => Look::Frameworks,
            Type::GetExecutors => Look::Executors,
            Type::GetTasks => Look::Tasks,
            Type::GetState => Look::State,
            Type::GetRoles => Look::Roles,
            _ => return None,
        })
    }

    pub(crate) fn depth(self) -> Depth {
        match self {
            Look::Tasks | Look::State => Depth::WithTasks,
            Look::Agents | Look::Frameworks | Look::Executors | Look::Roles => Depth::WithoutTasks,
        }
    }

    /// The answer's type, and the name of its one member.
    fn member(self) -> (response::Type, &'static str) {
        match self {
            Look::State => (response::Type::GetState, "get_state"),
            Look::Agents => (response::Type::GetAgents, "get_agents"),
            Look::Frameworks => (response::Type::GetFrameworks, "get_frameworks"),
            Look::Executors => (response::Type::GetExecutors, "get_executors"),
            Look::Tasks => (response::Type::GetTasks, "get_tasks"),
            Look::Roles => (response::Type::GetRoles, "get_roles"),
        }
    }

    fn message(self, snapshot: Snapshot) -> Message {
        match self {
            Look::Agents => agents(snapshot.agents, snapshot.recovered),
            Look::Frameworks => frameworks(snapshot.frameworks, snapshot.completed_frameworks),
            Look::Executors => executors(&snapshot.agents),
            Look::Roles => Message::of::<response::GetRoles>().list("roles", snapshot.roles, RoleView::wire),
            Look::Tasks => tasks(&snapshot),
            Look::State => Message::of::<response::GetState>()
                .message("get_tasks", tasks(&snapshot))
                .message("get_executors", executors(&snapshot.agents))
                .message("get_frameworks", frameworks(snapshot.frameworks, snapshot.completed_frameworks))
                .message("get_agents", agents(snapshot.agents, snapshot.recovered)),
        }
    }
}

/// The answer to a call.
pub(crate) fn answer(look: Look, snapshot: Snapshot, codec: Codec) -> Pieces {
    let (kind, name) = look.member();
    let answer = Message::of::<Response>().enumeration("type", (kind.as_str_name(), kind.into()));
    answer.message(name, look.message(snapshot)).pieces(codec)
}

/// The event an operator's stream begins with.
pub(crate) fn subscribed(snapshot: Snapshot, codec: Codec) -> Vec<u8> {
    let kind = event::Type::Subscribed;
    let subscribed = Message::of::<event::Subscribed>()
        .message("get_state", Look::State.message(snapshot))
        .double("heartbeat_interval_seconds", HEARTBEAT_INTERVAL.as_secs_f64());
    let event = Message::of::<Event>().enumeration("type", (kind.as_str_name(), kind.into()));
    event.message("subscribed", subscribed).pieces(codec).flatten().collect()
}

fn agents(agents: Vec<AgentView>, recovered: Vec<Arc<v1::AgentInfo>>) -> Message {
    Message::of::<response::GetAgents>().list("agents", agents, AgentView::wire).list(
        "recovered_agents",
        recovered,
        |info| v1::AgentInfo::clone(info),
    )
}

fn frameworks(live: Vec<FrameworkView>, completed: Vec<FrameworkView>) -> Message {
    Message::of::<response::GetFrameworks>().list("frameworks", live, FrameworkView::wire).list(
        "completed_frameworks",
        completed,
        FrameworkView::wire,
    )
}

fn executors(agents: &[AgentView]) -> Message {
    let executors = agents.iter().flat_map(AgentView::executors_wire).collect();
    Message::of::<response::GetExecutors>().list("executors", executors, Clone::clone)
}

/// All tasks of all frameworks.
fn tasks(snapshot: &Snapshot) -> Message {
    let all = |of: fn(&TaskLists) -> &Vec<Arc<Task>>| {
        snapshot.all_frameworks().flat_map(|framework| of(&framework.tasks)).cloned().collect()
    };
    Message::of::<response::GetTasks>()
        .tasks("tasks", all(|of| &of.live))
        .tasks("unreachable_tasks", all(|of| &of.unreachable))
        .tasks("completed_tasks", all(|of| &of.completed))
}

impl RoleView {
    fn wire(&self) -> v1::Role {
        v1::Role {
            name: self.name.clone(),
            weight: self.weight,
            frameworks: self.frameworks.clone(),
            resources: amounts(&self.held()),
        }
    }
}

/// How much of what every agent has, whoever it is reserved for and allocated to, by name.
fn amounts(resources: &Resources) -> Vec<v1::Resource> {
    let amount = |name: &str| v1::Resource::scalar(name, resources.scalar(name));
    ["cpus", "disk", "gpus", "mem"].map(amount).into_iter().filter(|held| resources.scalar(&held.name) > 0.0).collect()
}
