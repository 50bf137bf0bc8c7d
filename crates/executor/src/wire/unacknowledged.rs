//! The agent's missing acknowledgements: updates in the order they were made, and the tasks none of whose updates
//! were. Pure; the subscription owns one and says all of it with every SUBSCRIBE.

use mesos::v1::{TaskInfo, TaskStatus};

/// Updates and tasks without an acknowledgement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unacknowledged {
    updates: Vec<TaskStatus>,
    tasks: Vec<TaskInfo>,
}

impl Unacknowledged {
    /// The legacy of an earlier executor process.
    pub(crate) fn new(updates: Vec<TaskStatus>, tasks: Vec<TaskInfo>) -> Unacknowledged {
        Unacknowledged { updates, tasks }
    }

    /// Takes in what is missing of another task.
    pub(crate) fn extend(&mut self, other: Unacknowledged) {
        self.updates.extend(other.updates);
        self.tasks.extend(other.tasks);
    }

    /// A task was given to this executor.
    pub(crate) fn launched(&mut self, task: TaskInfo) {
        self.tasks.push(task);
    }

    /// An update was made, and is to be remembered whether or not it could be sent.
    pub(crate) fn made(&mut self, status: TaskStatus) {
        self.updates.push(status);
    }

    /// The agent has the update with this number. Its task counts as known to the agent from now on.
    pub(crate) fn acknowledged(&mut self, uuid: &[u8]) {
        let Some(at) = self.updates.iter().position(|status| status.uuid() == uuid) else { return };
        let status = self.updates.remove(at);
        self.tasks.retain(|task| task.task_id != status.task_id);
    }

    /// The updates, oldest first.
    pub(crate) fn updates(&self) -> &[TaskStatus] {
        &self.updates
    }

    pub(crate) fn tasks(&self) -> &[TaskInfo] {
        &self.tasks
    }
}

#[cfg(test)]
mod tests {
    use mesos::v1::TaskId;
    use proptest::prelude::*;

    use super::*;

    fn task_id(name: &str) -> TaskId {
        TaskId { value: name.to_owned() }
    }

    fn status(task: &str, number: u8) -> TaskStatus {
        TaskStatus { task_id: task_id(task), uuid: Some(vec![number; 16]), ..TaskStatus::default() }
    }

    #[test]
    fn a_task_is_known_once_any_of_its_updates_is_acknowledged() {
        let mut left = Unacknowledged::default();
        left.launched(TaskInfo { task_id: task_id("a"), ..TaskInfo::default() });
        left.made(status("a", 1));
        left.made(status("a", 2));
        left.acknowledged(&[2; 16]);
        assert!(left.tasks().is_empty());
        assert_eq!(left.updates(), [status("a", 1)]);
    }

    proptest! {
        #[test]
        fn updates_stay_in_order_and_leave_only_by_acknowledgement(acknowledged in prop::collection::vec(0u8..20, 0..40)) {
            let mut left = Unacknowledged::default();
            (0..20).for_each(|number| left.made(status("a", number)));
            acknowledged.iter().for_each(|number| left.acknowledged(&[*number; 16]));
            let expected: Vec<_> =
                (0..20).filter(|number| !acknowledged.contains(number)).map(|number| status("a", number)).collect();
            prop_assert_eq!(left.updates(), expected);
        }
    }
}
