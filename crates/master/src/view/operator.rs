//! The operator API's long answers, in both codecs. In JSON, empty lists are there, as Mesos has it for these calls.

use std::sync::Arc;

use mesos::Codec;
use mesos::json::to_vec as to_json;
use mesos::resources::Resources;
use mesos::v1::master::Response;
use mesos::v1::master::call::Type;
use mesos::v1::master::response::{self, GetAgents, GetExecutors, GetFrameworks, GetRoles};
use mesos::v1::{self, master::event};
use prost::Message;

use super::pieces::{Object, Pieces};
use super::protobuf::{self, Part, double, enumeration, message, whole};
use crate::core::snapshot::{AgentView, FrameworkView, RoleView};
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
}

/// The answer to a call.
pub(crate) fn answer(look: Look, snapshot: Snapshot, codec: Codec) -> Pieces {
    let (kind, name) = look.member();
    match codec {
        Codec::Json => {
            Object::new().member("type", &kind.as_str_name()).object(name, in_json(look, snapshot)).into_pieces()
        }
        Codec::Protobuf => {
            let number = mesos::field_number::<Response>(name);
            let parts = enumeration(1, kind.into()).into_iter();
            protobuf::pieces(parts.chain(message(number, in_protobuf(look, &snapshot))).collect())
        }
    }
}

/// The event an operator's stream begins with.
pub(crate) fn subscribed(snapshot: Snapshot, codec: Codec) -> Vec<u8> {
    let (kind, heartbeat) = (event::Type::Subscribed, HEARTBEAT_INTERVAL.as_secs_f64());
    let pieces = match codec {
        Codec::Json => {
            let state = in_json(Look::State, snapshot);
            let subscribed = Object::new().object("get_state", state).member("heartbeat_interval_seconds", &heartbeat);
            Object::new().member("type", &kind.as_str_name()).object("subscribed", subscribed).into_pieces()
        }
        Codec::Protobuf => {
            let state = message(1, in_protobuf(Look::State, &snapshot)).into_iter();
            let subscribed = message(2, state.chain(double(2, heartbeat)).collect());
            protobuf::pieces(enumeration(1, kind.into()).into_iter().chain(subscribed).collect())
        }
    };
    pieces.flatten().collect()
}

fn in_json(look: Look, snapshot: Snapshot) -> Object {
    match look {
        Look::Agents => agents(snapshot.agents, snapshot.recovered),
        Look::Frameworks => frameworks(snapshot.frameworks, snapshot.completed_frameworks),
        Look::Executors => executors(&snapshot.agents),
        Look::Roles => Object::new().list("roles", snapshot.roles.into_iter().map(|role| to_json(&role.wire()))),
        Look::Tasks => Tasks::of(&snapshot).json(),
        Look::State => Object::new()
            .object("get_tasks", Tasks::of(&snapshot).json())
            .object("get_executors", executors(&snapshot.agents))
            .object("get_frameworks", frameworks(snapshot.frameworks, snapshot.completed_frameworks))
            .object("get_agents", agents(snapshot.agents, snapshot.recovered)),
    }
}

fn agents(agents: Vec<AgentView>, recovered: Vec<Arc<v1::AgentInfo>>) -> Object {
    Object::new()
        .list("agents", agents.into_iter().map(|agent| to_json(&agent.wire())))
        .list("recovered_agents", recovered.into_iter().map(|info| to_json(info.as_ref())))
}

fn frameworks(live: Vec<FrameworkView>, completed: Vec<FrameworkView>) -> Object {
    Object::new()
        .list("frameworks", live.into_iter().map(|framework| to_json(&framework.wire())))
        .list("completed_frameworks", completed.into_iter().map(|framework| to_json(&framework.wire())))
}

fn executors(agents: &[AgentView]) -> Object {
    let executors: Vec<_> = agents.iter().flat_map(AgentView::executors_wire).collect();
    Object::new().list("executors", executors.into_iter().map(|executor| to_json(&executor)))
}

fn in_protobuf(look: Look, snapshot: &Snapshot) -> Vec<Part> {
    let parts = |message: Vec<u8>| vec![Part::Fields(message)];
    match look {
        Look::Agents => parts(snapshot.get_agents().encode_to_vec()),
        Look::Frameworks => parts(snapshot.get_frameworks().encode_to_vec()),
        Look::Executors => parts(snapshot.get_executors().encode_to_vec()),
        Look::Roles => parts(snapshot.get_roles().encode_to_vec()),
        Look::Tasks => Tasks::of(snapshot).parts(),
        Look::State => message(1, Tasks::of(snapshot).parts())
            .into_iter()
            .chain(whole(2, &snapshot.get_executors()))
            .chain(whole(3, &snapshot.get_frameworks()))
            .chain(whole(4, &snapshot.get_agents()))
            .collect(),
    }
}

/// All tasks of all frameworks.
struct Tasks {
    live: Vec<Arc<Task>>,
    unreachable: Vec<Arc<Task>>,
    completed: Vec<Arc<Task>>,
}

impl Tasks {
    fn of(snapshot: &Snapshot) -> Self {
        let all = || snapshot.all_frameworks();
        Tasks {
            live: all().flat_map(|of| &of.tasks).cloned().collect(),
            unreachable: all().flat_map(|of| &of.unreachable).cloned().collect(),
            completed: all().flat_map(|of| &of.completed).cloned().collect(),
        }
    }

    fn json(self) -> Object {
        Object::new()
            .list("tasks", self.live.into_iter().map(|task| task_json(&task)))
            .list("unreachable_tasks", self.unreachable.into_iter().map(|task| task_json(&task)))
            .list("completed_tasks", self.completed.into_iter().map(|task| task_json(&task)))
    }

    fn parts(self) -> Vec<Part> {
        let numbered = |field, tasks: Vec<Arc<Task>>| tasks.into_iter().map(move |task| Part::Task(field, task));
        numbered(2, self.live).chain(numbered(3, self.completed)).chain(numbered(5, self.unreachable)).collect()
    }
}

fn task_json(task: &Task) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(task.encoded_len());
    task.encode(&mut bytes);
    mesos::json::encoded_to_vec::<v1::Task>(&bytes)
}

impl Snapshot {
    pub(crate) fn get_agents(&self) -> GetAgents {
        GetAgents {
            agents: self.agents.iter().map(AgentView::wire).collect(),
            recovered_agents: self.recovered.iter().map(|info| v1::AgentInfo::clone(info)).collect(),
        }
    }

    pub(crate) fn get_frameworks(&self) -> GetFrameworks {
        GetFrameworks {
            frameworks: self.frameworks.iter().map(FrameworkView::wire).collect(),
            completed_frameworks: self.completed_frameworks.iter().map(FrameworkView::wire).collect(),
            ..GetFrameworks::default()
        }
    }

    fn get_executors(&self) -> GetExecutors {
        let executors = self.agents.iter().flat_map(AgentView::executors_wire).collect();
        GetExecutors { executors, ..GetExecutors::default() }
    }

    fn get_roles(&self) -> GetRoles {
        GetRoles { roles: self.roles.iter().map(RoleView::wire).collect() }
    }
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
