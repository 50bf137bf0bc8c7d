//! One agent as the master knows it.

use std::sync::Arc;
use std::time::Duration;

use mesos::resources::Resources;
use mesos::v1;
use mesos::v1::cygnet::agent_call::Subscribe;
use shell::Now;

use super::Work;
use crate::ids::{AgentId, StreamId};

/// The way to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    /// Over this stream.
    Connected(StreamId),
    /// Not now; it must be back by this moment, on the scale of [`shell::Now::elapsed`].
    Disconnected {
        /// The time at which the master gives up.
        until: Duration,
    },
}

/// Asking an agent whether it still lives.
#[derive(Debug, Clone)]
struct Pings {
    /// The time at which the next one is due.
    next: Duration,
    /// True if the last one was answered.
    answered: bool,
    /// The number of pings in a row that were not answered.
    missed: u32,
    /// True if that is too many: the agent is given up as soon as the rate of removals allows.
    given_up: bool,
}

/// The next ping, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextPing {
    Later,
    Due,
    /// It is due, and with the ping before too many have been left unanswered.
    TooManyMissed,
}

/// The program that an agent says it is.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) pid: String,
    /// Its own version, not the one of the Mesos API.
    pub(crate) version: String,
    pub(crate) capabilities: Vec<v1::agent_info::Capability>,
}

#[derive(Debug, Clone)]
pub(crate) struct Agent {
    id: AgentId,
    info: Arc<v1::AgentInfo>,
    program: Arc<Program>,
    total: Resources,
    link: Link,
    pings: Pings,
    /// The time of its first registration, as it says, since the UNIX epoch.
    registered: Option<Duration>,
    /// The time at which it was first entered in the books.
    entered: Duration,
    reregistered: Option<Duration>,
    /// The last time anything was heard of it, since the UNIX epoch.
    last_heard: Duration,
    work: Work,
}

impl Agent {
    /// The agent as it subscribes, without work. `id` is new if the call names none.
    pub(crate) fn new(
        id: AgentId,
        call: &Subscribe,
        (stream, total): (StreamId, Resources),
        (now, next_ping): (Now, Duration),
    ) -> Self {
        let again = call.agent_info.id.as_ref() == Some(&id);
        Agent {
            total,
            info: Arc::new(v1::AgentInfo { id: Some(id.clone()), ..call.agent_info.clone() }),
            id,
            program: Arc::new(Program {
                pid: call.pid.clone().unwrap_or_default(),
                version: call.version.clone().unwrap_or_default(),
                capabilities: call.capabilities.clone(),
            }),
            link: Link::Connected(stream),
            pings: Pings { next: next_ping, answered: true, missed: 0, given_up: false },
            registered: call.registered_time.filter(|_| again).and_then(mesos::duration::from_seconds),
            entered: now.unix,
            reregistered: again.then_some(now.unix),
            last_heard: now.unix,
            work: Work::default(),
        }
    }

    /// True if it holds tasks to limits that are above what they ask for.
    pub(crate) fn can_limit(&self) -> bool {
        let limits = v1::agent_info::capability::Type::TaskResourceLimits;
        self.program.capabilities.iter().any(|capability| capability.r#type() == limits)
    }

    /// Goes on with what an older self, in the books until now, had.
    pub(super) fn succeed(&mut self, older: Agent) {
        self.entered = older.registered();
        self.work = older.work;
    }

    /// The stream is gone; the agent must be back by this moment.
    pub(crate) fn disconnect(&mut self, until: Duration) {
        self.link = Link::Disconnected { until };
    }

    /// True if it did not come back in time.
    pub(crate) fn is_late(&self, now: Duration) -> bool {
        matches!(self.link, Link::Disconnected { until } if until <= now)
    }

    /// The agent lives at this moment since the UNIX epoch. Returns whether it had left too many pings unanswered.
    pub(crate) fn heard(&mut self, now: Duration) -> bool {
        self.last_heard = now;
        self.pings.answered = true;
        self.pings.missed = 0;
        std::mem::take(&mut self.pings.given_up)
    }

    /// True if it has left too many pings unanswered.
    pub(crate) fn is_silent(&self) -> bool {
        self.pings.given_up
    }

    /// Counts the ping before, if the next one is due.
    pub(crate) fn next_ping(&mut self, now: Duration, interval: Duration, max_missed: u32) -> NextPing {
        let pings = &mut self.pings;
        if pings.next > now {
            return NextPing::Later;
        }
        pings.missed = if pings.answered { 0 } else { pings.missed + 1 };
        pings.answered = false;
        pings.next = now + interval;
        if pings.missed < max_missed || std::mem::replace(&mut pings.given_up, true) {
            return NextPing::Due;
        }
        NextPing::TooManyMissed
    }

    pub(crate) fn id(&self) -> &AgentId {
        &self.id
    }

    pub(crate) fn info(&self) -> &Arc<v1::AgentInfo> {
        &self.info
    }

    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.program
    }

    pub(crate) fn total(&self) -> &Resources {
        &self.total
    }

    /// Since the UNIX epoch, as the next one.
    pub(crate) fn registered(&self) -> Duration {
        self.registered.unwrap_or(self.entered)
    }

    pub(crate) fn reregistered(&self) -> Option<Duration> {
        self.reregistered
    }

    pub(crate) fn last_heard(&self) -> Duration {
        self.last_heard
    }

    pub(crate) fn work(&self) -> &Work {
        &self.work
    }

    pub(crate) fn work_mut(&mut self) -> &mut Work {
        &mut self.work
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
