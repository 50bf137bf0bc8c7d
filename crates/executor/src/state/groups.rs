//! The groups that an executor has, as they are on file.

use mesos::v1::{ContainerId, TaskGroupInfo, TaskInfo};
use prost::Message;

/// All groups that are not over.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Groups {
    #[prost(message, repeated, tag = "1")]
    pub(crate) groups: Vec<Group>,
    /// The executor's own container, which is the parent of those of its tasks.
    #[prost(message, optional, tag = "2")]
    pub(crate) container: Option<ContainerId>,
    /// The number of groups there ever were.
    #[prost(uint64, tag = "3")]
    count: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Group {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) tasks: Vec<Planned>,
}

/// One task of a group.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Planned {
    #[prost(message, required, tag = "1")]
    pub(crate) task: TaskInfo,
    /// The id of its container, without its parent.
    #[prost(string, tag = "2")]
    pub(crate) container: String,
}

impl Groups {
    /// None yet, of an executor in this container.
    pub(crate) fn of(container: Option<ContainerId>) -> Groups {
        Groups { container, ..Groups::default() }
    }

    /// Takes in a group, and gives each of its tasks a container.
    pub(crate) fn plan(&mut self, group: TaskGroupInfo) -> Group {
        self.count += 1;
        let planned = |task| Planned { task, container: uuid::Uuid::new_v4().to_string() };
        let group = Group { number: self.count, tasks: group.tasks.into_iter().map(planned).collect() };
        self.groups.push(group.clone());
        group
    }

    /// Lets go of a group, and says what was in it.
    pub(crate) fn forget(&mut self, number: u64) -> Vec<Planned> {
        let position = self.groups.iter().position(|group| group.number == number);
        position.map(|position| self.groups.remove(position).tasks).unwrap_or_default()
    }
}
