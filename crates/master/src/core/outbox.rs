//! The actions decided and not yet fetched, in the order of the decisions. Comes in: actions, and events for operators,
//! which are not even made while none listens. Goes out: everything at once, to the shell.

use mesos::v1::master::{self, event};
use mesos::v1::{TaskState, TaskStatus};

use super::{Action, Snapshot};
use crate::ids::{FrameworkId, StreamId};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    actions: Vec<Action>,
    /// Operators that listen to the events.
    listeners: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(super) fn extend(&mut self, actions: impl IntoIterator<Item = Action>) {
        self.actions.extend(actions);
    }

    /// Tells operators, if any listen.
    pub(super) fn announce(&mut self, event: impl FnOnce() -> master::Event) {
        if self.listeners > 0 {
            self.push(Action::Announce(Box::new(event())));
        }
    }

    /// Tells operators of a status of a task, and of the newest state that the master knows.
    pub(super) fn announce_status(&mut self, framework: &FrameworkId, status: &TaskStatus, state: TaskState) {
        self.announce(|| {
            let (framework_id, status) = (framework.clone(), status.clone());
            master::Event::task_updated(event::TaskUpdated { framework_id, status, state: state.into() })
        });
    }

    /// Lets one more operator listen, from this snapshot on.
    pub(super) fn admit(&mut self, stream: StreamId, snapshot: Snapshot) {
        self.push(Action::AdmitOperator(stream, Box::new(snapshot)));
        self.listeners += 1;
    }

    pub(super) fn set_listeners(&mut self, listeners: usize) {
        self.listeners = listeners;
    }

    pub(super) fn listeners(&self) -> usize {
        self.listeners
    }

    pub(super) fn take(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }
}
