//! The ids the core keeps its books by. Mesos' own are ordered and printable; one for streams is added.

use std::fmt;

pub(crate) use mesos::v1::{AgentId, ExecutorId, FrameworkId, OfferId, TaskId};

/// One event stream: the text a client sees as `Mesos-Stream-Id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(String);

impl StreamId {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        StreamId(text.into())
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
