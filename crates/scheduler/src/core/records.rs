//! What is stored, under which keys, and which of it changed.
//!
//! `framework` holds the id the master gave, `subscribers` a list of URLs; `app/<id>`, `group/<id>`,
//! `instance/<id>`, `deployment/<id>` and `departed/<task id>` hold JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Batch, Store, StoreError};

use super::deploy::counted;
use super::groups::GroupRecord;
use super::outbox::SUBSCRIBERS;
use super::{Core, Subscribers};
use crate::definition::RunSpec;
use crate::departed::{Absent, Departed};
use crate::deployment::Deployment;
use crate::ids::{AppId, InstanceId};
use crate::instance::termination::Termination;
use crate::instance::{Condition, Instance};
use crate::states::States;
use crate::time::Timestamp;

/// How many versions of an app are kept, beside those that still run.
const VERSIONS: usize = 50;

/// An app and its past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AppRecord {
    /// As it is wanted.
    pub app: RunSpec,
    /// All versions, the present one included.
    pub versions: BTreeMap<Timestamp, RunSpec>,
    /// The last time an instance failed.
    pub last_failure: Option<TaskFailure>,
    /// How its last instances ended, if it is a pod.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terminations: Vec<Termination>,
    /// Removed; remembered until the last instance is gone.
    pub removed: bool,
    /// Left on its way when its deployment was stopped: instances of other configurations stay until the next change.
    #[serde(default)]
    pub halted: bool,
}

/// An instance that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskFailure {
    pub app_id: AppId,
    pub host: Option<String>,
    pub message: String,
    pub state: String,
    pub task_id: String,
    pub timestamp: Timestamp,
    pub version: Timestamp,
    pub slave_id: Option<String>,
}

impl AppRecord {
    pub(crate) fn new(app: RunSpec) -> AppRecord {
        let versions = BTreeMap::from([(app.version, app.clone())]);
        AppRecord { app, versions, last_failure: None, terminations: Vec::new(), removed: false, halted: false }
    }

    /// The definition instances of this configuration were launched with.
    pub(crate) fn configuration(&self, config: Timestamp) -> &RunSpec {
        if self.app.config_version() == config {
            return &self.app;
        }
        let of = |app: &&RunSpec| app.config_version() == config;
        self.versions.values().find(of).unwrap_or(&self.app)
    }

    /// Takes another definition as the wanted one. `used` are the configurations that run.
    pub(crate) fn update(&mut self, app: RunSpec, used: &BTreeSet<Timestamp>) {
        self.versions.insert(app.version, app.clone());
        self.app = app;
        self.removed = false;
        self.halted = false;
        let surplus = self.versions.len().saturating_sub(VERSIONS);
        let droppable = self.versions.iter().filter(|(_, app)| !used.contains(&app.config_version()));
        let old: Vec<_> = droppable.map(|(version, _)| *version).take(surplus).collect();
        for version in old.into_iter().filter(|version| *version != self.app.version) {
            self.versions.remove(&version);
        }
    }
}

impl TaskFailure {
    pub(crate) fn json(&self) -> Value {
        json!(self)
    }
}

/// What a store had.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub framework_id: Option<String>,
    pub subscribers: Subscribers,
    pub apps: BTreeMap<AppId, AppRecord>,
    pub groups: BTreeMap<AppId, GroupRecord>,
    pub instances: BTreeMap<InstanceId, Instance>,
    pub deployments: BTreeMap<String, Deployment>,
    pub departed: Departed,
}

/// A store that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the record '{key}' of the store is not readable: {source}")]
    Record { key: String, source: serde_json::Error },
}

impl Loaded {
    pub(crate) async fn from_store(store: &Store) -> Result<Loaded, LoadError> {
        let framework_id = store.get("framework").await?.map(|id| String::from_utf8_lossy(&id).into_owned());
        let subscribers = match store.get(SUBSCRIBERS).await? {
            Some(list) => Arc::new(read((SUBSCRIBERS.to_owned(), list))?),
            None => Subscribers::default(),
        };
        let apps: Vec<AppRecord> = load(store, "app/").await?;
        let groups: Vec<GroupRecord> = load(store, "group/").await?;
        let instances: Vec<Instance> = load(store, "instance/").await?;
        let deployments: Vec<Deployment> = load(store, "deployment/").await?;
        let departed: Vec<Absent> = load(store, "departed/").await?;
        Ok(Loaded {
            framework_id,
            subscribers,
            apps: apps.into_iter().map(|record| (record.app.id.clone(), record)).collect(),
            groups: groups.into_iter().map(|record| (record.id.clone(), record)).collect(),
            instances: instances.into_iter().map(|instance| (instance.id.clone(), instance)).collect(),
            deployments: deployments.into_iter().map(|deployment| (deployment.id.clone(), deployment)).collect(),
            departed: departed.into_iter().collect(),
        })
    }
}

async fn load<T: DeserializeOwned>(store: &Store, prefix: &str) -> Result<Vec<T>, LoadError> {
    store.list(prefix).await?.into_iter().map(read).collect()
}

fn read<T: DeserializeOwned>((key, value): (String, Vec<u8>)) -> Result<T, LoadError> {
    serde_json::from_slice(&value).map_err(|source| LoadError::Record { key, source })
}

/// What changed since the last batch.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    pub apps: BTreeSet<AppId>,
    pub groups: BTreeSet<AppId>,
    pub instances: BTreeSet<InstanceId>,
}

impl Core {
    /// What is to be written so that the store is as we are.
    pub(super) fn take_batch(&mut self) -> Batch {
        let dirty = std::mem::take(&mut self.dirty);
        let mut batch = self.out.write(self.link.write(Batch::default()));
        for id in &dirty.apps {
            batch = write(batch, format!("app{id}"), self.apps.get(id));
        }
        for id in &dirty.groups {
            batch = write(batch, format!("group{id}"), self.groups.get(id));
        }
        for id in &dirty.instances {
            batch = write(batch, format!("instance/{id}"), self.instances.get(id));
        }
        batch = self.rollouts.write(batch);
        for (id, absent) in self.kills.departed_mut().take_changes() {
            batch = write(batch, format!("departed/{id}"), absent);
        }
        batch
    }

    /// Changes an instance, and remembers that it has to be written and planned for.
    pub(super) fn change<T>(&mut self, id: &InstanceId, change: impl FnOnce(&mut Instance) -> T) -> Option<T> {
        let instance = self.instances.get_mut(id)?;
        let before = (counted(instance), States::of(instance));
        let result = change(instance);
        let (after, app) = ((counted(instance), States::of(instance)), instance.app.clone());
        let tally = self.tallies.entry(app.clone()).or_default();
        tally.remove(before.0);
        tally.add(after.0);
        let states = self.states.entry(app.clone()).or_default();
        states.remove(before.1);
        states.add(after.1);
        self.file(id);
        self.fragments.forget_task(id);
        self.dirty.instances.insert(id.clone());
        self.rollouts.touch(&app);
        Some(result)
    }

    /// Puts an instance where those in its condition are looked for.
    pub(super) fn file(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.get(id) else { return };
        let (condition, app) = (instance.condition, instance.app.clone());
        if condition == Condition::Scheduled {
            if put(self.waiting.entry(app).or_default(), id, true) {
                self.queue.has_more();
            }
        } else {
            self.waits_no_more(&app, id);
        }
        put(&mut self.starting, id, matches!(condition, Condition::Staging | Condition::Starting));
        put(&mut self.unreachable, id, condition == Condition::Unreachable);
    }

    /// Once nothing of an app waits any more, what it was refused is forgotten.
    fn waits_no_more(&mut self, app: &AppId, id: &InstanceId) {
        let Some(waiting) = self.waiting.get_mut(app) else { return };
        waiting.remove(id);
        if waiting.is_empty() {
            self.waiting.remove(app);
            self.queue.is_served(app);
        }
    }

    pub(super) fn add(&mut self, instance: Instance) {
        let id = instance.id.clone();
        self.tallies.entry(instance.app.clone()).or_default().add(counted(&instance));
        self.states.entry(instance.app.clone()).or_default().add(States::of(&instance));
        self.instances.insert(id.clone(), instance);
        self.change(&id, |_| ());
    }

    pub(super) fn forget(&mut self, id: &InstanceId) -> Option<Instance> {
        let instance = self.instances.remove(id)?;
        self.brake.release(&instance.app, id);
        self.fragments.forget_task(id);
        if let Some(states) = self.states.get_mut(&instance.app) {
            states.remove(States::of(&instance));
        }
        if let Some(tally) = self.tallies.get_mut(&instance.app) {
            tally.remove(counted(&instance));
            if tally.is_empty() {
                self.tallies.remove(&instance.app);
                self.states.remove(&instance.app);
            }
        }
        self.waits_no_more(&instance.app, id);
        self.starting.remove(id);
        self.checking.resume(id);
        self.kills.is_over(id);
        self.unreachable.remove(id);
        self.dirty.instances.insert(id.clone());
        self.rollouts.touch(&instance.app);
        Some(instance)
    }
}

/// Says whether it is there now and was not.
fn put(set: &mut BTreeSet<InstanceId>, id: &InstanceId, wanted: bool) -> bool {
    if !wanted {
        set.remove(id);
        return false;
    }
    !set.contains(id) && set.insert(id.clone())
}

/// Adds a record as it is now, or that it is gone.
pub(super) fn write<T: Serialize>(batch: Batch, key: String, record: Option<&T>) -> Batch {
    match record {
        Some(record) => batch.put(key, serde_json::to_vec(record).expect("plain data: its keys are strings")),
        None => batch.delete(key),
    }
}
