//! The messages that are written. Unknown fields are skipped, so later versions may add some.

use containers::provision::ProvisionedNetwork;
use mesos::v1::{AgentId, AgentInfo, ContainerId, ExecutorInfo, FrameworkId, Task, TaskId, TaskInfo};
use processes::Process;

use crate::ids::TaskKey;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AgentRecord {
    #[prost(message, optional, tag = "1")]
    pub(crate) id: Option<AgentId>,
    #[prost(message, optional, tag = "2")]
    pub(crate) info: Option<AgentInfo>,
    /// Seconds since the epoch of the first registration.
    #[prost(double, tag = "3")]
    pub(crate) registered_time: f64,
}

/// A process, in a form that outlives the pid's next owner.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct ProcessRecord {
    #[prost(int32, tag = "1")]
    pub(crate) pid: i32,
    #[prost(uint64, tag = "2")]
    pub(crate) start: u64,
}

impl From<Process> for ProcessRecord {
    fn from(process: Process) -> Self {
        ProcessRecord { pid: process.pid, start: process.start }
    }
}

impl From<ProcessRecord> for Process {
    fn from(record: ProcessRecord) -> Self {
        Process { pid: record.pid, start: record.start }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutorRecord {
    #[prost(message, optional, tag = "1")]
    pub(crate) framework_id: Option<FrameworkId>,
    #[prost(message, optional, tag = "2")]
    pub(crate) info: Option<ExecutorInfo>,
    #[prost(string, tag = "3")]
    pub(crate) container: String,
    #[prost(string, tag = "4")]
    pub(crate) directory: String,
    /// Made for one command task; it lives in its framework's pool.
    #[prost(bool, tag = "5")]
    pub(crate) generated: bool,
    /// Its own process, if it has one and that was started.
    #[prost(message, optional, tag = "6")]
    pub(crate) process: Option<ProcessRecord>,
    /// It is over; only its last updates are still under way.
    #[prost(bool, tag = "7")]
    pub(crate) terminated: bool,
    /// It was told to shut down.
    #[prost(bool, tag = "8")]
    pub(crate) terminating: bool,
    /// Its sandbox was not filled yet, and nothing of it had been started.
    #[prost(bool, tag = "9")]
    pub(crate) preparing: bool,
    /// The network it has joined, as the executors of its tasks read it.
    #[prost(string, optional, tag = "10")]
    pub(crate) network: Option<String>,
}

impl ExecutorRecord {
    pub(crate) fn framework(&self) -> FrameworkId {
        self.framework_id.clone().unwrap_or_default()
    }

    pub(crate) fn container(&self) -> ContainerId {
        self.container.as_str().into()
    }

    /// A network that cannot be read is as none: its run was of another version.
    pub(crate) fn joined(&self) -> Option<ProvisionedNetwork> {
        self.network.as_deref().and_then(|text| serde_json::from_str(text).ok())
    }
}

/// A task as its framework defined it, and as it is.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TaskRecord {
    /// The run of the executor it belongs to.
    #[prost(string, tag = "1")]
    pub(crate) container: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) info: Option<TaskInfo>,
    #[prost(message, optional, tag = "3")]
    pub(crate) task: Option<Task>,
    /// The executor was sent it.
    #[prost(bool, tag = "4")]
    pub(crate) launched: bool,
    /// The first task of its group.
    #[prost(message, optional, tag = "5")]
    pub(crate) group: Option<TaskId>,
}

impl TaskRecord {
    pub(crate) fn container(&self) -> ContainerId {
        self.container.as_str().into()
    }

    pub(crate) fn key(&self) -> TaskKey {
        TaskKey {
            framework: self.task.as_ref().map(|task| task.framework_id.clone()).unwrap_or_default(),
            task: self.info.as_ref().map(|info| info.task_id.clone()).unwrap_or_default(),
        }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PoolRecord {
    #[prost(message, optional, tag = "1")]
    pub(crate) framework_id: Option<FrameworkId>,
    #[prost(message, optional, tag = "2")]
    pub(crate) process: Option<ProcessRecord>,
    /// The name it subscribes with, which no pool of another agent has.
    #[prost(string, tag = "3")]
    pub(crate) id: String,
}

impl PoolRecord {
    pub(crate) fn framework(&self) -> FrameworkId {
        self.framework_id.clone().unwrap_or_default()
    }

    /// Records of earlier versions have none: pools were called like their framework.
    pub(crate) fn name(&self) -> String {
        if self.id.is_empty() { self.framework().value } else { self.id.clone() }
    }
}
