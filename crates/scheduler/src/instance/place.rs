//! The place of an instance's task. Pure, and stored with the instance.

use serde::Serialize;

use crate::spread::Site;

/// See the module; nothing before a launch.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Place {
    /// The agent's host.
    pub host: Option<String>,
    /// The properties of the agent that constraints can ask for.
    pub site: Site,
    pub agent_id: Option<String>,
    /// The host ports of the task.
    pub ports: Vec<u16>,
    /// The address of the task, as the agent told it.
    pub ip: Option<String>,
}
