//! One agent as the master knows it.

use std::sync::Arc;
use std::time::Duration;

use mesos::resources::Resources;
use mesos::v1;

use super::Work;
use crate::ids::{AgentId, StreamId};

/// How an agent is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// Over this stream.
    Connected(StreamId),
    /// Not now; it must be back by this moment, on the scale of [`shell::Now::elapsed`].
    Disconnected {
        /// When the master gives up.
        until: Duration,
    },
}

/// Asking an agent whether it still lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pings {
    /// When the next one is due.
    pub(crate) next: Duration,
    /// Whether the last one was answered.
    pub(crate) answered: bool,
    /// How many in a row were not.
    pub(crate) missed: u32,
    /// Too many were not: it is given up as soon as the rate of removals allows.
    pub(crate) given_up: bool,
}

/// See the module's words.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    pub(crate) info: Arc<v1::AgentInfo>,
    pub(crate) pid: String,
    /// Its own version, not the one of the Mesos API.
    pub(crate) version: String,
    pub(crate) capabilities: Vec<v1::agent_info::Capability>,
    pub(crate) total: Resources,
    pub(crate) link: Link,
    pub(crate) pings: Pings,
    /// Moments since the UNIX epoch.
    pub(crate) registered: Duration,
    pub(crate) reregistered: Option<Duration>,
    pub(crate) work: Work,
}

impl Agent {
    pub(crate) fn new(id: AgentId, info: v1::AgentInfo, total: Resources, stream: StreamId, unix: Duration) -> Self {
        Agent {
            total,
            info: Arc::new(v1::AgentInfo { id: Some(id.clone()), ..info }),
            id,
            pid: String::new(),
            version: String::new(),
            capabilities: Vec::new(),
            link: Link::Connected(stream),
            pings: Pings::default(),
            registered: unix,
            reregistered: None,
            work: Work::default(),
        }
    }

    pub(crate) fn stream(&self) -> Option<&StreamId> {
        match &self.link {
            Link::Connected(stream) => Some(stream),
            Link::Disconnected { .. } => None,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.stream().is_some()
    }
}
