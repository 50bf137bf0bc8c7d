//! The state that outlives `kill -9`: the agent's identity, frameworks, executors, tasks, pools, status updates.
//!
//! Comes in: [`Change`]s of the core. Goes out: one [`Batch`] for the store, and at the start everything that was
//! written, as [`Recovered`]. Owns nothing; keys and encodings are known here only.

mod keys;
mod records;

use std::collections::BTreeMap;

use mesos::v1::{ContainerId, FrameworkId, FrameworkInfo};
use prost::Message;
use store::{Batch, Store};

use self::keys::Key;
pub(crate) use self::records::{AgentRecord, ExecutorRecord, PoolRecord, TaskRecord};
use crate::error::AgentError;
use crate::ids::TaskKey;
use crate::status_updates;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    Agent(Box<AgentRecord>),
    Framework(FrameworkId, Box<FrameworkInfo>),
    Executor(Box<ExecutorRecord>),
    Task(Box<TaskRecord>),
    Pool(Box<PoolRecord>),
    Update(status_updates::UpdateChange),
    ForgetFramework(FrameworkId),
    ForgetExecutor(FrameworkId, ContainerId),
    ForgetTask(ContainerId, TaskKey),
    ForgetPool(FrameworkId),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Recovered {
    pub(crate) agent: Option<AgentRecord>,
    pub(crate) frameworks: BTreeMap<FrameworkId, FrameworkInfo>,
    pub(crate) executors: Vec<ExecutorRecord>,
    pub(crate) tasks: Vec<TaskRecord>,
    pub(crate) pools: Vec<PoolRecord>,
    /// In the order of their numbers for each task.
    pub(crate) updates: Vec<(TaskKey, u64, status_updates::UpdateRecord)>,
}

/// The changes as one commit.
pub(crate) fn batch<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Batch {
    changes.into_iter().fold(Batch::default(), append)
}

fn append(batch: Batch, change: &Change) -> Batch {
    match change {
        Change::Agent(record) => put(batch, Key::Agent, record.as_ref()),
        Change::Framework(id, info) => put(batch, Key::Framework(id), info.as_ref()),
        Change::Executor(record) => {
            put(batch, Key::Executor(&record.framework(), &record.container()), record.as_ref())
        }
        Change::Task(record) => put(batch, Key::Task(&record.container(), &record.key()), record.as_ref()),
        Change::Pool(record) => put(batch, Key::Pool(&record.framework()), record.as_ref()),
        Change::Update(status_updates::UpdateChange::Put { key, number, record }) => {
            put(batch, Key::Update(key, *number), record.as_ref())
        }
        Change::Update(status_updates::UpdateChange::Delete { key, numbers }) => {
            numbers.iter().fold(batch, |batch, number| batch.delete(Key::Update(key, *number).to_string()))
        }
        Change::ForgetFramework(id) => batch.delete(Key::Framework(id).to_string()),
        Change::ForgetExecutor(framework, container) => batch.delete(Key::Executor(framework, container).to_string()),
        Change::ForgetTask(container, key) => batch.delete(Key::Task(container, key).to_string()),
        Change::ForgetPool(framework) => batch.delete(Key::Pool(framework).to_string()),
    }
}

fn put(batch: Batch, key: Key<'_>, record: &impl Message) -> Batch {
    batch.put(key.to_string(), record.encode_to_vec())
}

pub(crate) async fn recover(store: &Store) -> Result<Recovered, AgentError> {
    let agent = match store.get(keys::AGENT).await? {
        Some(bytes) => Some(decode(keys::AGENT, &bytes)?),
        None => None,
    };
    let frameworks: Vec<FrameworkInfo> = read(store, keys::FRAMEWORKS).await?;
    Ok(Recovered {
        agent,
        frameworks: frameworks.into_iter().filter_map(|info| Some((info.id.clone()?, info))).collect(),
        executors: read(store, keys::EXECUTORS).await?,
        tasks: read(store, keys::TASKS).await?,
        pools: read(store, keys::POOLS).await?,
        updates: read_updates(store).await?,
    })
}

async fn read<M: Message + Default>(store: &Store, prefix: &str) -> Result<Vec<M>, AgentError> {
    store.list(prefix).await?.iter().map(|(key, bytes)| decode(key, bytes)).collect()
}

async fn read_updates(store: &Store) -> Result<Vec<(TaskKey, u64, status_updates::UpdateRecord)>, AgentError> {
    let pairs = store.list(keys::UPDATES).await?;
    let entry = |(key, bytes): &(String, Vec<u8>)| {
        let unknown = || AgentError::Damaged { key: key.clone(), reason: "this is no key of an update".to_owned() };
        let (task, number) = keys::parse_update(key).ok_or_else(unknown)?;
        Ok((task, number, decode(key, bytes)?))
    };
    pairs.iter().map(entry).collect()
}

fn decode<M: Message + Default>(key: &str, bytes: &[u8]) -> Result<M, AgentError> {
    M::decode(bytes).map_err(|error| AgentError::Damaged { key: key.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use mesos::v1::{TaskInfo, TaskStatus};

    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_back() {
        let store = Store::in_memory().unwrap();
        let key = TaskKey { framework: "F/1".into(), task: "a%b/c".into() };
        let record = |number: u8| status_updates::UpdateRecord {
            waiting: Some(TaskStatus { uuid: Some(vec![number; 16]), ..TaskStatus::default() }),
            acknowledged: Vec::new(),
        };
        let framework = FrameworkInfo { id: Some("F/1".into()), name: "f".to_owned(), ..FrameworkInfo::default() };
        let task = TaskRecord {
            container: "C".to_owned(),
            info: Some(TaskInfo { task_id: "a%b/c".into(), ..TaskInfo::default() }),
            ..TaskRecord::default()
        };
        let update = |number: u64| {
            let record = Box::new(record(number as u8));
            Change::Update(status_updates::UpdateChange::Put { key: key.clone(), number, record })
        };
        let mut changes =
            vec![Change::Framework("F/1".into(), Box::new(framework.clone())), Change::Task(Box::new(task.clone()))];
        changes.extend((0..12).map(update));
        changes.push(Change::Update(status_updates::UpdateChange::Delete { key: key.clone(), numbers: vec![0, 3] }));
        store.commit(batch(&changes)).await.unwrap();
        let recovered = recover(&store).await.unwrap();
        assert_eq!(recovered.frameworks, BTreeMap::from([("F/1".into(), framework)]));
        assert_eq!(recovered.tasks, [task]);
        let numbers: Vec<u64> = recovered.updates.iter().map(|(_, number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 4, 5, 6, 7, 8, 9, 10, 11], "in order");
        assert!(recovered.updates.iter().all(|(task, number, of)| *task == key && *of == record(*number as u8)));
    }

    #[tokio::test]
    async fn damage_names_the_entry() {
        let store = Store::in_memory().unwrap();
        store.commit(Batch::default().put("executor/F/C", b"\xff\xff".to_vec())).await.unwrap();
        assert!(recover(&store).await.unwrap_err().to_string().contains("executor/F/C"));
    }
}
