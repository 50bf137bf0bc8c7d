//! One task as the master knows it: the newest state, what was last forwarded, and one status per run of equal states.
//!
//! There are many and most are never looked at, so what only operators see is kept as the bytes it came in: the
//! definition and the statuses in protobuf. What decisions need stands beside it.

use std::sync::LazyLock;

use mesos::resources::Resources;
use mesos::v1::{self, Confidential, TaskState, TaskStatus};
use prost::Message;
use prost::encoding::{self, WireType};
use v1::task_status::Reason;

use crate::ids::{AgentId, FrameworkId, TaskId};

/// Statuses kept of a task. No life has as many; an executor that makes them up must not fill the memory.
const MAX_STATUSES: usize = 64;

/// The numbers of those fields of `mesos.v1.Task` that are not part of the definition.
static NUMBERS: LazyLock<[u32; 4]> = LazyLock::new(|| {
    ["state", "statuses", "status_update_state", "status_update_uuid"].map(mesos::field_number::<v1::Task>)
});

/// A task that is not forgotten.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    id: TaskId,
    agent: AgentId,
    state: TaskState,
    /// A `mesos.v1.Task` without the fields above.
    definition: Box<[u8]>,
    statuses: Vec<Status>,
    /// The last update that wants an acknowledgement: its state and its uuid.
    forwarded: Option<(TaskState, Box<[u8]>)>,
    /// The timestamp of the first status there ever was.
    first_heard: f64,
}

/// One status, in protobuf.
#[derive(Debug, Clone)]
struct Status {
    state: TaskState,
    bytes: Box<[u8]>,
}

/// The effect of an update on a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Worth telling operators.
    pub(crate) is_new: bool,
    /// It was alive before and is not any more: what it held is free.
    pub(crate) ended: bool,
}

impl Task {
    /// A task just accepted from its framework; `resources` is what it holds of its agent.
    pub(crate) fn staging(
        framework: &FrameworkId,
        info: &v1::TaskInfo,
        executor: Option<&v1::ExecutorInfo>,
        resources: &Resources,
    ) -> Self {
        Task::of(v1::Task { resources: resources.to_wire(), ..v1::Task::launched(framework, info, executor) })
    }

    /// A task an agent brought back. What of its resources says no role is held in `role`.
    pub(crate) fn reported(mut wire: v1::Task, role: &str) -> Self {
        wire.resources = crate::stock::reported(&wire.resources, role).to_wire();
        // An agent of an earlier version has the values of secrets on its disk.
        wire.hide();
        Task::of(wire)
    }

    fn of(mut wire: v1::Task) -> Self {
        let state = wire.state();
        let known = wire.status_update_state.is_some().then(|| wire.status_update_state());
        let forwarded = known.map(|state| (state, wire.status_update_uuid.take().unwrap_or_default().into()));
        let statuses = std::mem::take(&mut wire.statuses);
        (wire.status_update_state, wire.status_update_uuid) = (None, None);
        Task {
            id: wire.task_id.clone(),
            agent: wire.agent_id.clone(),
            state,
            definition: wire.encode_to_vec().into(),
            first_heard: statuses.first().map_or(0.0, TaskStatus::timestamp),
            statuses: statuses.iter().map(Status::of).collect(),
            forwarded,
        }
    }

    pub(crate) fn id(&self) -> &TaskId {
        &self.id
    }

    pub(crate) fn agent(&self) -> &AgentId {
        &self.agent
    }

    pub(crate) fn state(&self) -> TaskState {
        self.state
    }

    /// The time at which it was first heard of, in seconds since the UNIX epoch.
    pub(crate) fn first_heard(&self) -> f64 {
        self.first_heard
    }

    pub(crate) fn is_terminal(&self) -> bool {
        mesos::states::is_terminal(self.state)
    }

    /// Resources it holds of its agent; nothing once it is terminal.
    pub(crate) fn holds(&self) -> Resources {
        if self.is_terminal() { Resources::default() } else { self.resources() }
    }

    /// Resources it was given, in the role it was given them in.
    pub(crate) fn resources(&self) -> Resources {
        // Written by `to_wire` when it was entered.
        Resources::from_wire(&self.definition().resources).unwrap_or_default()
    }

    /// The part of it that does not change. The rest of the message says nothing.
    pub(crate) fn definition(&self) -> v1::Task {
        v1::Task::decode(&*self.definition).expect("plain data: encoded here")
    }

    pub(crate) fn last_status(&self) -> Option<TaskStatus> {
        self.statuses.last().map(Status::wire)
    }

    /// The state the framework was last told.
    pub(crate) fn forwarded_state(&self) -> TaskState {
        self.forwarded.as_ref().map_or(self.state, |(state, _)| *state)
    }

    /// Takes an update in. `latest` is the newest state the sender knows, when that is not the update's own.
    pub(crate) fn absorb(&mut self, status: &TaskStatus, latest: Option<TaskState>) -> Effect {
        let was_terminal = self.is_terminal();
        let newest = latest.unwrap_or_else(|| status.state());
        let last_state = self.statuses.last().map(|status| status.state);
        let is_new = last_state != Some(status.state()) || is_check_update(status) || self.state != newest;
        if !was_terminal {
            self.state = newest;
        }
        if let Some(uuid) = &status.uuid {
            self.forwarded = Some((status.state(), uuid.as_slice().into()));
        }
        if last_state == Some(status.state()) {
            self.statuses.pop();
        }
        self.push(status);
        Effect { is_new, ended: !was_terminal && self.is_terminal() }
    }

    fn push(&mut self, status: &TaskStatus) {
        if self.statuses.is_empty() && self.first_heard == 0.0 {
            self.first_heard = status.timestamp();
        }
        self.statuses.reserve_exact(1);
        self.statuses.push(Status::of(status));
        if self.statuses.len() > MAX_STATUSES {
            self.statuses.remove(0);
        }
    }

    /// True if the task's life in the master ends with the acknowledgement of this `uuid`: that of its last update.
    pub(crate) fn ends_with(&self, uuid: &[u8]) -> bool {
        self.forwarded.as_ref().is_some_and(|(state, of)| mesos::states::is_terminal(*state) && **of == *uuid)
    }

    /// As operators see it.
    pub(crate) fn wire(&self) -> v1::Task {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        self.encode(&mut bytes);
        v1::Task::decode(bytes.as_slice()).expect("plain data: encoded here")
    }

    /// Appends the protobuf form of what [`Task::wire`] says. Parts of a message written one after the other are the
    /// message, so nothing is decoded for it; what comes later wins.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let [state, statuses, update_state, update_uuid] = *NUMBERS;
        out.extend_from_slice(&self.definition);
        encode_state(state, self.state, out);
        for status in &self.statuses {
            encode_bytes(statuses, &status.bytes, out);
        }
        if let Some((state, uuid)) = &self.forwarded {
            encode_state(update_state, *state, out);
            encode_bytes(update_uuid, uuid, out);
        }
    }

    /// The number of bytes that [`Task::encode`] appends.
    pub(crate) fn encoded_len(&self) -> usize {
        let [state, statuses, update_state, update_uuid] = *NUMBERS;
        let statuses: usize = self.statuses.iter().map(|status| bytes_len(statuses, &status.bytes)).sum();
        let of_update =
            |(state, uuid): &(TaskState, Box<[u8]>)| state_len(update_state, *state) + bytes_len(update_uuid, uuid);
        let forwarded = self.forwarded.as_ref().map_or(0, of_update);
        self.definition.len() + state_len(state, self.state) + statuses + forwarded
    }

    /// The bytes it takes in memory, for the tests that watch over that.
    #[cfg(test)]
    pub(crate) fn footprint(&self) -> (usize, usize) {
        let statuses: usize = self.statuses.iter().map(|status| size_of::<Status>() + status.bytes.len()).sum();
        let ids = self.id.value.capacity() + self.agent.value.capacity();
        let uuid = self.forwarded.as_ref().map_or(0, |(_, uuid)| uuid.len());
        (self.definition.len(), size_of::<Task>() + ids + statuses + uuid)
    }
}

impl Status {
    /// The data is the framework's own business, as is the explanation of an end, and both may be large.
    fn of(status: &TaskStatus) -> Status {
        let kept = match (&status.data, &status.end) {
            (None, None) => status.encode_to_vec(),
            _ => TaskStatus { data: None, end: None, ..status.clone() }.encode_to_vec(),
        };
        Status { state: status.state(), bytes: kept.into() }
    }

    fn wire(&self) -> TaskStatus {
        TaskStatus::decode(&*self.bytes).expect("plain data: encoded here")
    }
}

fn encode_state(field: u32, state: TaskState, out: &mut Vec<u8>) {
    encoding::int32::encode(field, &state.into(), out);
}

fn state_len(field: u32, state: TaskState) -> usize {
    encoding::int32::encoded_len(field, &state.into())
}

fn encode_bytes(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encoding::encode_key(field, WireType::LengthDelimited, out);
    encoding::encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn bytes_len(field: u32, bytes: &[u8]) -> usize {
    encoding::key_len(field) + encoding::encoded_len_varint(bytes.len() as u64) + bytes.len()
}

fn is_check_update(status: &TaskStatus) -> bool {
    let checks = [Reason::TaskCheckStatusUpdated, Reason::TaskHealthCheckStatusUpdated];
    status.reason.is_some() && checks.contains(&status.reason())
}
