//! The operator API's long answers, in both codecs.

use std::mem::take;
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
#[derive(Clone, Copy)]
pub(crate) struct Look {
    call: Type,
    /// The depth of the snapshot.
    pub(crate) depth: Depth,
    /// The type of the answer, and the name of its one member.
    answer: response::Type,
    member: &'static str,
    /// The content of that member.
    content: fn(&mut Snapshot) -> Message,
}

const LOOKS: [Look; 6] = {
    use Depth::{WithTasks, WithoutTasks};
    use response::Type::{GetAgents, GetExecutors, GetFrameworks, GetRoles, GetState, GetTasks};
    [
        Look { call: Type::GetAgents, depth: WithoutTasks, answer: GetAgents, member: "get_agents", content: agents },
        Look {
            call: Type::GetFrameworks,
            depth: WithoutTasks,
            answer: GetFrameworks,
            member: "get_frameworks",
            content: frameworks,
        },
        Look {
            call: Type::GetExecutors,
            depth: WithoutTasks,
            answer: GetExecutors,
            member: "get_executors",
            content: executors,
        },
        Look { call: Type::GetRoles, depth: WithoutTasks, answer: GetRoles, member: "get_roles", content: roles },
        Look { call: Type::GetTasks, depth: WithTasks, answer: GetTasks, member: "get_tasks", content: tasks },
        Look { call: Type::GetState, depth: WithTasks, answer: GetState, member: "get_state", content: state },
    ]
};

/// The look that a call asks for, if it asks for one.
pub(crate) fn look(kind: Type) -> Option<Look> {
    LOOKS.into_iter().find(|look| look.call == kind)
}

pub(crate) fn answer(look: Look, mut snapshot: Snapshot, codec: Codec) -> Pieces {
    let kind = (look.answer.as_str_name(), look.answer.into());
    let answer = Message::of::<Response>().enumeration("type", kind);
    answer.message(look.member, (look.content)(&mut snapshot)).pieces(codec)
}

/// The event an operator's stream begins with.
pub(crate) fn subscribed(mut snapshot: Snapshot, codec: Codec) -> Vec<u8> {
    let kind = event::Type::Subscribed;
    let subscribed = Message::of::<event::Subscribed>()
        .message("get_state", state(&mut snapshot))
        .double("heartbeat_interval_seconds", HEARTBEAT_INTERVAL.as_secs_f64());
    let event = Message::of::<Event>().enumeration("type", (kind.as_str_name(), kind.into()));
    event.message("subscribed", subscribed).pieces(codec).flatten().collect()
}

fn state(snapshot: &mut Snapshot) -> Message {
    Message::of::<response::GetState>()
        .message("get_tasks", tasks(snapshot))
        .message("get_executors", executors(snapshot))
        .message("get_frameworks", frameworks(snapshot))
        .message("get_agents", agents(snapshot))
}

fn agents(snapshot: &mut Snapshot) -> Message {
    let recovered = take(&mut snapshot.recovered);
    let message = Message::of::<response::GetAgents>().list("agents", take(&mut snapshot.agents), AgentView::wire);
    message.list("recovered_agents", recovered, |info| v1::AgentInfo::clone(info))
}

fn frameworks(snapshot: &mut Snapshot) -> Message {
    let (live, completed) = (take(&mut snapshot.frameworks), take(&mut snapshot.completed_frameworks));
    let message = Message::of::<response::GetFrameworks>().list("frameworks", live, FrameworkView::wire);
    message.list("completed_frameworks", completed, FrameworkView::wire)
}

fn executors(snapshot: &mut Snapshot) -> Message {
    let executors = snapshot.agents.iter().flat_map(AgentView::executors_wire).collect();
    Message::of::<response::GetExecutors>().list("executors", executors, Clone::clone)
}

fn roles(snapshot: &mut Snapshot) -> Message {
    Message::of::<response::GetRoles>().list("roles", take(&mut snapshot.roles), RoleView::wire)
}

/// All tasks of all frameworks.
fn tasks(snapshot: &mut Snapshot) -> Message {
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

/// Amounts of the resources that every agent has, whoever they are reserved for and allocated to, by name.
fn amounts(resources: &Resources) -> Vec<v1::Resource> {
    let amount = |name: &str| v1::Resource::scalar(name, resources.scalar(name));
    ["cpus", "disk", "gpus", "mem"].map(amount).into_iter().filter(|held| resources.scalar(&held.name) > 0.0).collect()
}
