//! Records of the store, and their keys.
//!
//! `framework` holds the id the master gave, `subscribers` a list of URLs; `app/<id>`, `group/<id>`,
//! `instance/<id>`, `deployment/<id>`, `departed/<task id>` and `drain/<agent id>` hold JSON, as do `ended/<app>/<n>` and `past/<n>`, a deployment that is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Batch, Store, StoreError};

use super::Subscribers;
use super::past::Past;
use crate::definition::RunSpec;
use crate::definition::group::GroupSpec;
use crate::departed::{Absent, Departed};
use crate::deployment::Deployment;
use crate::drain::Drain;
use crate::ids::{AppId, InstanceId};
use crate::instance::Instance;
use crate::instance::ended::Ended;
use crate::instance::failure::TaskFailure;
use crate::instance::termination::Termination;
use crate::time::Timestamp;

/// The key of the list of those who get events.
pub(super) const SUBSCRIBERS: &str = "subscribers";

/// The number of versions of an app that are kept, beside those that still run.
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
    /// The ends of its last instances, if it is a pod.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terminations: Vec<Termination>,
    /// True if it is removed; it is remembered until the last instance is gone.
    pub removed: bool,
    /// True if it was left on its way when its deployment was stopped: instances of other configurations stay until the
    /// next change.
    #[serde(default)]
    pub halted: bool,
    /// The deployment that was stopped; not known of one that was before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// A deployment that left an app on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stopped {
    pub deployment: String,
    pub at: Timestamp,
}

impl AppRecord {
    pub(crate) fn new(app: RunSpec) -> AppRecord {
        let versions = BTreeMap::from([(app.version, app.clone())]);
        let (terminations, last_failure, stopped) = (Vec::new(), None, None);
        AppRecord { app, versions, last_failure, terminations, removed: false, halted: false, stopped }
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
        (self.halted, self.stopped) = (false, None);
        let surplus = self.versions.len().saturating_sub(VERSIONS);
        let droppable = self.versions.iter().filter(|(_, app)| !used.contains(&app.config_version()));
        let old: Vec<_> = droppable.map(|(version, _)| *version).take(surplus).collect();
        for version in old.into_iter().filter(|version| *version != self.app.version) {
            self.versions.remove(&version);
        }
    }
}

/// A group and its past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    pub id: AppId,
    /// Its specification, beside the apps in it.
    pub spec: GroupSpec,
    /// The last time it was changed as a group.
    pub version: Timestamp,
    /// Its content after each such change, and before the first.
    pub versions: BTreeMap<Timestamp, GroupVersion>,
}

/// All that was in a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupVersion {
    /// The group and those in it.
    pub groups: BTreeMap<AppId, GroupSpec>,
    /// All apps in it, however deep.
    pub apps: BTreeMap<AppId, RunSpec>,
}

/// The content of a store.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub framework_id: Option<String>,
    pub subscribers: Subscribers,
    pub apps: BTreeMap<AppId, AppRecord>,
    pub groups: BTreeMap<AppId, GroupRecord>,
    pub instances: BTreeMap<InstanceId, Instance>,
    pub deployments: BTreeMap<String, Deployment>,
    pub departed: Departed,
    pub endings: Vec<Ended>,
    pub past: Vec<Past>,
    pub drains: Vec<Drain>,
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
            Some(list) => Arc::new(read(&(SUBSCRIBERS.to_owned(), list))?),
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
            endings: load(store, "ended/").await?,
            past: load(store, "past/").await?,
            drains: load(store, "drain/").await?,
        })
    }
}

async fn load<T: DeserializeOwned>(store: &Store, prefix: &str) -> Result<Vec<T>, LoadError> {
    store.list(prefix).await?.iter().map(read).collect()
}

fn read<T: DeserializeOwned>((key, value): &(String, Vec<u8>)) -> Result<T, LoadError> {
    serde_json::from_slice(value).map_err(|source| LoadError::Record { key: key.clone(), source })
}

/// Adds a record as it is now, or that it is gone.
pub(super) fn write<T: Serialize>(batch: Batch, key: String, record: Option<&T>) -> Batch {
    match record {
        Some(record) => batch.put(key, serde_json::to_vec(record).expect("plain data: its keys are strings")),
        None => batch.delete(key),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_that_does_not_say_whether_its_task_was_killed_for_its_health_tells_it_by_the_times() {
        let at = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        let app = RunSpec::new(AppId::new("a"), Timestamp::from_millis(0));
        let rows = [
            (Some(5), Some(7), true),
            (Some(5), Some(5), true),
            (Some(5), Some(4), false),
            (Some(5), None, false),
            (None, Some(4), true),
        ];
        for (staged_at, killed_for_health_at, expected) in rows {
            for (asked, says) in [(Some(8), None), (None, None), (Some(8), Some(true)), (Some(8), Some(false))] {
                let id = InstanceId::new(&app.id, "u");
                let mut record = json!(Instance::scheduled(id, &app, Timestamp::from_millis(0)));
                record["staged_at"] = json!(at(staged_at));
                record["killed_for_health_at"] = json!(at(killed_for_health_at));
                record["kill_asked_at"] = json!(at(asked));
                let field = record.as_object_mut().unwrap();
                match says {
                    Some(says) => field.insert("killed_for_health".into(), json!(says)),
                    None => field.remove("killed_for_health"),
                };
                let read: Instance = read(&("instance/u".into(), record.to_string().into_bytes())).unwrap();
                record["killed_for_health"] = json!(says.unwrap_or_else(|| expected && asked.is_some()));
                assert_eq!(json!(read), record);
            }
        }
    }
}
