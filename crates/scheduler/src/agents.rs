//! Agents, asked for what only they know: logs in sandboxes, past attempts of checks, and checks that are late.
//!
//! In: questions of those who look. Out: answers, or who is at fault. The master says where an agent is; that is remembered
//! until the agent does not answer there, or not in time. Nothing is asked unasked, and only so much at a time. Whoever asks
//! waits; only for the core, which never does, [`Agents::run`] owns a task.

mod asking;
mod error;
mod histories;
mod lateness;
mod places;
mod recent;
mod sandbox;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mesos::Codec;
use mesos::client::{Client, ClientError, Timeouts};
use mesos::credentials::Credential;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};

pub(crate) use error::{AgentError, Problem};
pub(crate) use histories::Histories;
use places::Places;
pub(crate) use places::{Full, Place};
use recent::Recent;
pub(crate) use sandbox::{Log, Sandbox};

use crate::core::Whereabouts;
use crate::options::Options;

/// The most agents whose addresses are remembered.
const REMEMBERED: usize = 10_000;

/// The longest that master and agents may take to answer who reads a log.
const PATIENCE: Timeouts = Timeouts { connect: Duration::from_secs(2), reply: Duration::from_secs(5) };

/// An agent, by its id and its host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Agent {
    pub id: String,
    pub host: String,
}

impl Agent {
    /// The agent of a task.
    pub(crate) fn of(task: &Whereabouts) -> Agent {
        Agent { id: task.agent_id.clone(), host: task.host.clone() }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agent {} on {}", self.id, self.host)
    }
}

/// The way to the agents. Clones share what is known.
#[derive(Clone)]
pub(crate) struct Agents(Arc<Shared>);

struct Shared {
    masters: Vec<String>,
    credential: Option<Credential>,
    /// Host and port of agents, by their ids.
    addresses: Mutex<BTreeMap<String, String>>,
    readers: Places,
    /// Of questions for histories.
    askers: Semaphore,
    recent: Recent,
}

impl Agents {
    pub(crate) fn new(options: &Options) -> Agents {
        Agents(Arc::new(Shared {
            masters: options.masters().map(str::to_owned).collect(),
            credential: options.credential.clone(),
            addresses: Mutex::default(),
            readers: Places::new(),
            askers: Semaphore::new(histories::ASKERS),
            recent: Recent::default(),
        }))
    }

    /// A place to read a log for a client.
    pub(crate) async fn place(&self, client: &str) -> Result<Place, Full> {
        self.0.readers.take(client).await
    }

    /// A client of an agent, with a connection of its own.
    pub(crate) async fn client(&self, agent: &Agent, timeouts: Timeouts) -> Result<Client, AgentError> {
        let known = self.0.addresses.lock().await.get(&agent.id).cloned();
        let address = match known {
            Some(address) => address,
            None => self.look_up(agent, timeouts).await?,
        };
        Ok(self.to(&address, timeouts))
    }

    /// The agent may be elsewhere by now.
    pub(crate) async fn forget(&self, agent: &Agent) {
        self.0.addresses.lock().await.remove(&agent.id);
    }

    /// The answer of an agent, if it comes in time. One that is silent where it was may be elsewhere by now.
    async fn in_time<T>(
        &self,
        agent: &Agent,
        within: Duration,
        answer: impl Future<Output = Result<T, AgentError>>,
    ) -> Result<T, AgentError> {
        match tokio::time::timeout(within, answer).await {
            Ok(answer) => answer,
            Err(_) => {
                self.forget(agent).await;
                Err(agent.fault(Problem::Late(within)))
            }
        }
    }

    fn to(&self, address: &str, timeouts: Timeouts) -> Client {
        Client::with_timeouts(address, Codec::Protobuf, timeouts).with_credential(self.0.credential.as_ref())
    }

    /// The address of an agent, as the first master that answers tells it.
    async fn look_up(&self, agent: &Agent, timeouts: Timeouts) -> Result<String, AgentError> {
        let mut problem = Problem::Unknown;
        for master in &self.0.masters {
            match self.ask_master(master, agent, timeouts).await {
                Ok(slaves) => {
                    let address = address(&slaves, &agent.id).ok_or_else(|| agent.fault(Problem::Unknown))?;
                    self.remember(agent, &address).await;
                    return Ok(address);
                }
                Err(error) => problem = Problem::Master(error),
            }
        }
        Err(agent.fault(problem))
    }

    async fn ask_master(&self, master: &str, agent: &Agent, timeouts: Timeouts) -> Result<Value, ClientError> {
        let client = self.to(master, timeouts);
        let (status, body) = client.get(&format!("/slaves?slave_id={}", agent.id)).await?;
        match serde_json::from_slice(&body) {
            Ok(slaves) if status.is_success() => Ok(slaves),
            _ => Err(ClientError::Refused { peer: master.to_owned(), status, body }),
        }
    }

    async fn remember(&self, agent: &Agent, address: &str) {
        let mut addresses = self.0.addresses.lock().await;
        if addresses.len() >= REMEMBERED {
            addresses.clear();
        }
        addresses.insert(agent.id.clone(), address.to_owned());
    }
}

/// The address of an agent that is registered, by `/slaves`.
fn address(slaves: &Value, id: &str) -> Option<String> {
    let found = slaves["slaves"].as_array()?.iter().find(|slave| slave["id"] == id)?;
    found["pid"].as_str()?.split_once('@').map(|(_, address)| address.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;
    use crate::core::Life;

    #[tokio::test]
    async fn an_agent_that_does_not_answer_in_time_is_looked_up_again() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let agents = Agents(Arc::new(Shared {
            masters: Vec::new(),
            credential: None,
            addresses: Mutex::default(),
            readers: Places::new(),
            askers: Semaphore::new(1),
            recent: Recent::default(),
        }));
        let task = Whereabouts {
            task_id: "web.instance-u.1".into(),
            framework_id: "F".into(),
            agent_id: "S".into(),
            host: "box".into(),
            staged_at: None,
            life: Life::Running,
        };
        let (agent, within) = (Agent::of(&task), Duration::from_millis(50));
        for asks_for_history in [true, false] {
            agents.remember(&agent, &silent.local_addr().unwrap().to_string()).await;
            let fault = match asks_for_history {
                true => agents.histories(std::slice::from_ref(&task), within).await.faults.remove(0),
                false => agents.check_now(&task, within).await.unwrap_err(),
            };
            assert!(fault.is_late(), "{fault}");
            assert!(agents.0.addresses.lock().await.is_empty(), "{fault}");
        }
    }

    #[test]
    fn an_agent_is_where_its_master_says() {
        let slaves = json!({"slaves": [{"id": "S1", "pid": "slave(1)@10.0.0.1:5051"}, {"id": "S2", "pid": "x"}]});
        assert_eq!(address(&slaves, "S1").as_deref(), Some("10.0.0.1:5051"));
        assert_eq!((address(&slaves, "S2"), address(&slaves, "S3"), address(&json!(3), "S1")), (None, None, None));
    }
}
