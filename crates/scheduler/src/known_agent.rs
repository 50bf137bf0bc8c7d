//! Agents, as the master's `/state-summary` tells of them, as far as anybody here wants to know. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};

/// An agent, as the master tells of it in `/state-summary`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KnownAgent {
    pub id: String,
    pub hostname: String,
    pub active: bool,
    #[serde(default)]
    pub deactivated: bool,
    /// Seconds since the UNIX epoch, as all times of it.
    pub registered_time: f64,
    /// Masters of Apache Mesos do not tell.
    pub last_heard_time: Option<f64>,
    #[serde(default)]
    pub attributes: Map<String, Value>,
    pub resources: Map<String, Value>,
    pub used_resources: Map<String, Value>,
    pub offered_resources: Map<String, Value>,
    pub drain_info: Option<DrainInfo>,
    pub estimated_drain_start_time_seconds: Option<f64>,
    /// Among others the numbers of its tasks, by state.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Its drain, as the master tells of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DrainInfo {
    /// `DRAINING` or `DRAINED`.
    pub state: String,
    #[serde(default)]
    pub config: DrainConfig,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct DrainConfig {
    pub max_grace_period: Option<Nanoseconds>,
    #[serde(default)]
    pub mark_gone: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Nanoseconds {
    pub nanoseconds: i64,
}
