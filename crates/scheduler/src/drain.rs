//! An agent that is emptied: what was asked for, and until when its instances may move by themselves. Pure, and stored as it
//! is.

use std::time::Duration;

use mesos::v1::master::{Call, call};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The manner of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// The longest that a task may take to end once the master ends it; as long as it wants if absent.
    pub max_grace_seconds: Option<u32>,
    /// True if the agent is to be gone for good once nothing runs there.
    pub mark_gone: bool,
    /// For how long instances may move by themselves before the master ends what is left.
    pub move_seconds: u32,
}

/// An agent that is being emptied, as long as the master does not do it, and until somebody takes it back if it refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drain {
    pub agent_id: String,
    #[serde(flatten)]
    pub terms: Terms,
    pub begun: Timestamp,
    /// The reason why the master does not do the rest: it was asked, and is not asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// The outcome of telling the master to do the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HandOver {
    /// It empties the agent from now on, or knows it no more.
    Taken,
    /// It does not want to, for this reason.
    Refused(String),
    /// It may not have heard it.
    Unanswered,
}

impl Drain {
    /// The time at which whatever is left is ended.
    pub(crate) fn until(&self) -> Timestamp {
        self.begun.plus(Duration::from_secs(self.terms.move_seconds.into()))
    }

    /// The call by which the master does the rest.
    pub(crate) fn call(&self) -> Call {
        let grace = self.terms.max_grace_seconds;
        let grace = grace.map(|grace| call::drain_agent::Duration { seconds: Some(grace.into()), nanos: None });
        Call::drain_agent(call::DrainAgent {
            agent_id: self.agent_id.as_str().into(),
            max_grace_period: grace,
            mark_gone: Some(self.terms.mark_gone),
        })
    }
}
