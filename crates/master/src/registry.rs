//! The registry: which agents were ever admitted, which are unreachable, which are gone. All of it survives the master.
//!
//! Comes in: [`Change`]s the core wants made. Goes out: a [`Batch`] for the store, and at start [`recover`]ed agents.
//! One key for each agent, `agent/<id>`, with a small JSON document.

use std::time::Duration;

use mesos::v1::AgentInfo;
use serde::{Deserialize, Serialize};
use store::{Batch, Store};

use crate::core::Absent;
use crate::error::MasterError;
use crate::ids::AgentId;

const PREFIX: &str = "agent/";

/// A change to make durable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// The agent is one of ours, and here.
    Admit(Box<AgentInfo>),
    /// It was given up at this moment since the UNIX epoch; it may come back.
    Unreachable(AgentId, Duration),
    /// It never comes back.
    Gone(AgentId, Duration),
    /// Nothing is remembered of it.
    Remove(AgentId),
}

/// What is stored for an agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Admitted { agent_info: serde_json::Value },
    Unreachable { since_nanoseconds: u64 },
    Gone { since_nanoseconds: u64 },
}

fn nanoseconds(since: Duration) -> u64 {
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Adds a change to what will be committed together.
pub(crate) fn record(batch: Batch, change: &Change) -> Batch {
    let put = |batch: Batch, id: &str, entry: &Entry| {
        // An entry is plain data with text keys: there is nothing in it that JSON cannot hold.
        batch.put(format!("{PREFIX}{id}"), serde_json::to_vec(entry).unwrap_or_default())
    };
    match change {
        Change::Admit(info) => {
            let id = info.id.as_ref().map_or("", |id| &id.value);
            put(batch, id, &Entry::Admitted { agent_info: mesos::json::to_value(info.as_ref()) })
        }
        Change::Unreachable(id, since) => {
            put(batch, id.value.as_str(), &Entry::Unreachable { since_nanoseconds: nanoseconds(*since) })
        }
        Change::Gone(id, since) => {
            put(batch, id.value.as_str(), &Entry::Gone { since_nanoseconds: nanoseconds(*since) })
        }
        Change::Remove(id) => batch.delete(format!("{PREFIX}{id}")),
    }
}

/// Reads back who is expected, who is away and who is gone.
pub(crate) async fn recover(store: &Store) -> Result<Absent, MasterError> {
    let mut absent = Absent::default();
    for (key, value) in store.list(PREFIX).await? {
        let unreadable = |reason: String| MasterError::Registry { key: key.clone(), reason };
        let id = AgentId::from(key.strip_prefix(PREFIX).unwrap_or(&key));
        match serde_json::from_slice(&value).map_err(|error| unreadable(error.to_string()))? {
            Entry::Admitted { agent_info } => {
                let info = mesos::json::from_value(agent_info).map_err(|error| unreadable(error.to_string()))?;
                absent.recovered.insert(id, info);
            }
            Entry::Unreachable { since_nanoseconds } => {
                absent.unreachable.insert(id, Duration::from_nanos(since_nanoseconds));
            }
            Entry::Gone { since_nanoseconds } => {
                absent.gone.insert(id, Duration::from_nanos(since_nanoseconds));
            }
        }
    }
    Ok(absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str) -> AgentInfo {
        AgentInfo {
            id: Some(AgentId::from(id).clone()),
            hostname: "host".to_owned(),
            port: Some(5051),
            ..AgentInfo::default()
        }
    }

    async fn commit(store: &Store, changes: &[Change]) {
        let batch = changes.iter().fold(Batch::default(), record);
        store.commit(batch).await.unwrap();
    }

    /// The file is free once the thread that served the last handle has noticed that it is gone.
    async fn reopen(path: &std::path::Path) -> Store {
        let opened = async {
            loop {
                match Store::open(path) {
                    Err(store::StoreError::InUse { .. }) => tokio::task::yield_now().await,
                    opened => break opened.unwrap(),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), opened).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_decided_about_agents_is_there_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.redb");
        let since = Duration::from_nanos(1_795_421_771_293_159_000);
        {
            let store = Store::open(&path).unwrap();
            let admitted = ["M-S0", "M-S1", "M-S2", "M-S3"].map(|id| Change::Admit(Box::new(agent(id))));
            commit(&store, &admitted).await;
            let left = [
                Change::Unreachable(AgentId::from("M-S1"), since),
                Change::Gone(AgentId::from("M-S2"), since),
                Change::Remove(AgentId::from("M-S3")),
            ];
            commit(&store, &left).await;
        }
        let absent = recover(&reopen(&path).await).await.unwrap();
        assert_eq!(absent.recovered, [(AgentId::from("M-S0"), agent("M-S0"))].into());
        assert_eq!(absent.unreachable, [(AgentId::from("M-S1"), since)].into());
        assert_eq!(absent.gone, [(AgentId::from("M-S2"), since)].into());
    }

    #[tokio::test]
    async fn a_registry_that_cannot_be_read_names_the_key() {
        let store = Store::in_memory().unwrap();
        store.commit(Batch::default().put("agent/M-S0", "garbage")).await.unwrap();
        let error = recover(&store).await.unwrap_err().to_string();
        assert!(error.contains("agent/M-S0"), "{error}");
    }
}
