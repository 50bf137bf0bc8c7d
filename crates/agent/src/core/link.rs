//! The link to the master, and who the agent is to it.
//!
//! Invariants: the agent has a registration time exactly when it has an id; it is connected only with an id, because a
//! master that takes it gives it one.

use mesos::v1::cygnet::{AgentCall, agent_event};
use mesos::v1::{AgentId, AgentInfo};

use crate::log::AgentRecord;

#[derive(Debug, Clone)]
pub(crate) struct Link {
    info: AgentInfo,
    registration: Option<Registration>,
    /// The master's host name, once it has said so.
    master_hostname: Option<String>,
    connected: bool,
}

#[derive(Debug, Clone)]
struct Registration {
    id: AgentId,
    /// Seconds since the epoch of the first registration, as they go over the wire.
    time: f64,
}

impl Link {
    pub(super) fn new(info: AgentInfo) -> Link {
        Link { info, registration: None, master_hostname: None, connected: false }
    }

    /// Takes in who the agent was in its former life.
    pub(super) fn recover(&mut self, record: AgentRecord) {
        self.registration = record.id.map(|id| Registration { id, time: record.registered_time });
    }

    /// The master has taken the agent, `unix` seconds after the epoch. An id that is new is to be written down.
    pub(super) fn subscribed(&mut self, subscribed: agent_event::Subscribed, unix: f64) -> Option<AgentRecord> {
        self.connected = true;
        self.master_hostname = subscribed.master_info.and_then(|master| master.hostname);
        let id = subscribed.agent_id;
        if self.id() == Some(&id) {
            return None;
        }
        if let Some(former) = self.id() {
            tracing::warn!(%former, %id, "the master gave this agent another id");
        }
        self.registration = Some(Registration { id: id.clone(), time: unix });
        Some(AgentRecord { id: Some(id), info: Some(self.info.clone()), registered_time: unix })
    }

    pub(super) fn lost(&mut self) {
        self.connected = false;
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    /// The agent's name, once it has one.
    pub(crate) fn id(&self) -> Option<&AgentId> {
        self.registration.as_ref().map(|registration| &registration.id)
    }

    /// The agent's host, resources and attributes.
    pub(crate) fn info(&self) -> &AgentInfo {
        &self.info
    }

    /// The agent as others see it: with its id, once it has one.
    pub(crate) fn agent_info(&self) -> AgentInfo {
        AgentInfo { id: self.id().cloned(), ..self.info.clone() }
    }

    /// Seconds since the epoch of the first registration.
    pub(super) fn registered_time(&self) -> Option<f64> {
        self.registration.as_ref().map(|registration| registration.time)
    }

    pub(crate) fn master_hostname(&self) -> Option<&str> {
        self.master_hostname.as_deref()
    }

    /// The call with this agent's id.
    pub(super) fn call(&self, call: AgentCall) -> AgentCall {
        AgentCall { agent_id: self.id().cloned(), ..call }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_down_when_it_is_new_and_lasts_longer_than_the_connection() {
        let mut link = Link::new(AgentInfo::default());
        let subscribed = |id: &str| agent_event::Subscribed { agent_id: id.into(), ..Default::default() };
        let record = link.subscribed(subscribed("S0"), 7.0).unwrap();
        assert_eq!((record.id, record.registered_time), (Some("S0".into()), 7.0));
        assert!(link.is_connected() && link.subscribed(subscribed("S0"), 8.0).is_none());
        link.lost();
        assert!(!link.is_connected());
        assert_eq!((link.id(), link.registered_time()), (Some(&"S0".into()), Some(7.0)));
        assert!(link.subscribed(subscribed("S1"), 9.0).is_some());
        assert_eq!(link.registered_time(), Some(9.0));
    }
}
