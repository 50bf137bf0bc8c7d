//! The registry: which agents were ever admitted, which are unreachable, which are gone, what operators said about them,
//! and the weights of roles. All of it survives the master.
//!
//! Comes in: [`Change`]s the core wants made. Goes out: a [`Batch`] for the store, and at start what was [`recover`]ed.
//! One key for each agent, standing and weight, each with a small JSON document.

use std::sync::Arc;
use std::time::Duration;

use mesos::v1::{DrainConfig, DrainState, DurationInfo};
use serde::{Deserialize, Serialize};
use store::{Batch, Store};

use crate::error::MasterError;
use crate::ids::AgentId;
use crate::memory::{Change, Drain, Memory, Standing};

const AGENT: &str = "agent/";
const STANDING: &str = "standing/";
const WEIGHT: &str = "weight/";

/// The entry of an agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Admitted { agent_info: serde_json::Value },
    Unreachable { since_nanoseconds: u64 },
    Gone { since_nanoseconds: u64 },
}

/// The entry of an agent an operator said something about.
#[derive(Debug, Serialize, Deserialize)]
struct StandingEntry {
    deactivated: bool,
    drain: Option<DrainEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct DrainEntry {
    drained: bool,
    max_grace_nanoseconds: Option<i64>,
    mark_gone: bool,
    since_nanoseconds: u64,
}

impl From<&Standing> for StandingEntry {
    fn from(standing: &Standing) -> Self {
        let drain = |drain: &Drain| DrainEntry {
            drained: drain.state == DrainState::Drained,
            max_grace_nanoseconds: drain.config.max_grace_period.map(|grace| grace.nanoseconds),
            mark_gone: drain.config.mark_gone(),
            since_nanoseconds: nanoseconds(drain.since),
        };
        StandingEntry { deactivated: standing.deactivated, drain: standing.drain.as_ref().map(drain) }
    }
}

impl From<StandingEntry> for Standing {
    fn from(entry: StandingEntry) -> Self {
        let drain = |entry: DrainEntry| Drain {
            state: if entry.drained { DrainState::Drained } else { DrainState::Draining },
            config: DrainConfig {
                max_grace_period: entry.max_grace_nanoseconds.map(|nanoseconds| DurationInfo { nanoseconds }),
                mark_gone: Some(entry.mark_gone),
            },
            since: Duration::from_nanos(entry.since_nanoseconds),
        };
        Standing { deactivated: entry.deactivated, drain: entry.drain.map(drain) }
    }
}

fn nanoseconds(since: Duration) -> u64 {
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Adds a change to what will be committed together.
pub(crate) fn record(batch: Batch, change: &Change) -> Batch {
    let agent = |id: &AgentId| format!("{AGENT}{id}");
    match change {
        Change::Admit(info) => {
            let id = info.id.as_ref().map_or("", |id| &id.value);
            let entry = Entry::Admitted { agent_info: mesos::json::to_value(info.as_ref()) };
            put(batch, format!("{AGENT}{id}"), &entry)
        }
        Change::Unreachable(id, since) => {
            put(batch, agent(id), &Entry::Unreachable { since_nanoseconds: nanoseconds(*since) })
        }
        Change::Gone(id, since) => put(batch, agent(id), &Entry::Gone { since_nanoseconds: nanoseconds(*since) }),
        Change::Remove(id) => batch.delete(agent(id)),
        Change::Standing(id, standing) if *standing == Standing::default() => batch.delete(format!("{STANDING}{id}")),
        Change::Standing(id, standing) => put(batch, format!("{STANDING}{id}"), &StandingEntry::from(standing)),
        Change::Weight(role, weight) => put(batch, format!("{WEIGHT}{role}"), weight),
    }
}

fn put(batch: Batch, key: String, entry: &impl Serialize) -> Batch {
    batch.put(key, serde_json::to_vec(entry).expect("plain data: text keys, and nothing that JSON cannot hold"))
}

/// Reads back who is expected, who is away and who is gone, and what operators decided.
pub(crate) async fn recover(store: &Store) -> Result<Memory, MasterError> {
    let mut memory = Memory::default();
    for (key, value) in store.list(AGENT).await? {
        let id = AgentId::from(key.strip_prefix(AGENT).unwrap_or(&key));
        let absent = &mut memory.absent;
        match read(&key, &value)? {
            Entry::Admitted { agent_info } => {
                let info = mesos::json::from_value(agent_info);
                absent.recovered.insert(id, Arc::new(info.map_err(|error| unreadable(&key, error))?));
            }
            Entry::Unreachable { since_nanoseconds } => {
                absent.unreachable.insert(id, Duration::from_nanos(since_nanoseconds));
            }
            Entry::Gone { since_nanoseconds } => {
                absent.gone.insert(id, Duration::from_nanos(since_nanoseconds));
            }
        }
    }
    for (key, value) in store.list(STANDING).await? {
        let id = AgentId::from(key.strip_prefix(STANDING).unwrap_or(&key));
        memory.standings.insert(id, read::<StandingEntry>(&key, &value)?.into());
    }
    for (key, value) in store.list(WEIGHT).await? {
        memory.weights.insert(key.strip_prefix(WEIGHT).unwrap_or(&key).to_owned(), read(&key, &value)?);
    }
    Ok(memory)
}

fn read<T: for<'a> Deserialize<'a>>(key: &str, value: &[u8]) -> Result<T, MasterError> {
    serde_json::from_slice(value).map_err(|error| unreadable(key, error))
}

fn unreadable(key: &str, error: impl ToString) -> MasterError {
    MasterError::Registry { key: key.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use mesos::v1::AgentInfo;

    use super::*;

    fn agent(id: &str) -> AgentInfo {
        AgentInfo {
            id: Some(AgentId::from(id).clone()),
            hostname: "host".to_owned(),
            port: Some(5051),
            ..AgentInfo::default()
        }
    }

    fn draining() -> Standing {
        let config = DrainConfig { max_grace_period: Some(DurationInfo { nanoseconds: 1_000 }), mark_gone: Some(true) };
        let drain = Drain { state: DrainState::Draining, config, since: Duration::from_secs(9) };
        Standing { deactivated: true, drain: Some(drain) }
    }

    async fn commit(store: &Store, changes: &[Change]) {
        let batch = changes.iter().fold(Batch::default(), record);
        store.commit(batch).await.unwrap();
    }

    /// The file is free once the thread that served the last handle has noticed that it is gone.
    async fn reopen(path: &std::path::Path) -> Store {
        let opened = async {
            loop {
                match Store::open(path, store::IfLost::BeginAnew) {
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
            let store = Store::open(&path, store::IfLost::BeginAnew).unwrap();
            let admitted = ["M-S0", "M-S1", "M-S2", "M-S3"].map(|id| Change::Admit(agent(id).into()));
            commit(&store, &admitted).await;
            let left = [
                Change::Unreachable(AgentId::from("M-S1"), since),
                Change::Gone(AgentId::from("M-S2"), since),
                Change::Remove(AgentId::from("M-S3")),
            ];
            commit(&store, &left).await;
            let said = [
                Change::Standing(AgentId::from("M-S1"), draining()),
                Change::Standing(AgentId::from("M-S2"), draining()),
                Change::Standing(AgentId::from("M-S2"), Standing::default()),
                Change::Weight("ops/web".to_owned(), 2.5),
            ];
            commit(&store, &said).await;
        }
        let Memory { absent, standings, weights } = recover(&reopen(&path).await).await.unwrap();
        assert_eq!(absent.recovered, [(AgentId::from("M-S0"), agent("M-S0").into())].into());
        assert_eq!(standings, [(AgentId::from("M-S1"), draining())].into());
        assert_eq!(weights, [("ops/web".to_owned(), 2.5)].into());
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
