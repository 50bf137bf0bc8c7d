//! The updates of one task, in order: what waits, and what was acknowledged and may be sent again by mistake.

use std::collections::VecDeque;
use std::time::Duration;

use mesos::states::is_terminal;
use mesos::v1::{TaskState, TaskStatus};

use super::UpdateChange;
use crate::ids::TaskKey;

/// Acknowledged updates remembered: far more than an executor can have on the way when the agent dies.
const REMEMBERED: usize = 256;

/// One durable record of a stream.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UpdateRecord {
    /// The update, until its framework acknowledges it.
    #[prost(message, optional, tag = "1")]
    pub(crate) waiting: Option<TaskStatus>,
    /// Its uuid, once it did.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) acknowledged: Vec<u8>,
}

/// The time at which the oldest update is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retry {
    pub(super) at: Duration,
    pub(super) after: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    waiting: VecDeque<(u64, TaskStatus)>,
    acknowledged: VecDeque<(u64, Vec<u8>)>,
    next_number: u64,
    pub(super) retry: Option<Retry>,
}

impl Stream {
    pub(super) fn oldest(&self) -> Option<&TaskStatus> {
        self.waiting.front().map(|(_, status)| status)
    }

    /// The state of the task, as far as anything of it waits.
    pub(super) fn latest(&self) -> TaskState {
        self.waiting.back().map_or(TaskState::TaskStaging, |(_, status)| status.state())
    }

    pub(super) fn knows(&self, uuid: &[u8]) -> bool {
        self.waiting.iter().any(|(_, status)| status.uuid() == uuid)
            || self.acknowledged.iter().any(|(_, acknowledged)| acknowledged == uuid)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.waiting.back().is_some_and(|(_, status)| is_terminal(status.state()))
    }

    pub(super) fn push(&mut self, key: &TaskKey, status: TaskStatus) -> UpdateChange {
        let number = self.next_number;
        self.next_number += 1;
        let record = UpdateRecord { waiting: Some(status.clone()), acknowledged: Vec::new() };
        self.waiting.push_back((number, status));
        UpdateChange::Put { key: key.clone(), number, record: Box::new(record) }
    }

    /// The oldest update is acknowledged.
    pub(super) fn pop(&mut self, key: &TaskKey) -> Vec<UpdateChange> {
        let Some((number, status)) = self.waiting.pop_front() else { return Vec::new() };
        let uuid = status.uuid().to_vec();
        self.acknowledged.push_back((number, uuid.clone()));
        let record = Box::new(UpdateRecord { waiting: None, acknowledged: uuid });
        let mut changes = vec![UpdateChange::Put { key: key.clone(), number, record }];
        if self.acknowledged.len() > REMEMBERED {
            let numbers = self.acknowledged.pop_front().map(|(number, _)| number).into_iter().collect();
            changes.push(UpdateChange::Delete { key: key.clone(), numbers });
        }
        changes
    }

    pub(super) fn recover(&mut self, number: u64, record: UpdateRecord) {
        self.next_number = self.next_number.max(number + 1);
        match record.waiting {
            Some(status) => self.waiting.push_back((number, status)),
            None => self.acknowledged.push_back((number, record.acknowledged)),
        }
    }

    /// Every record it has on disk.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let waiting = self.waiting.iter().map(|(number, _)| *number);
        self.acknowledged.iter().map(|(number, _)| *number).chain(waiting).collect()
    }
}
