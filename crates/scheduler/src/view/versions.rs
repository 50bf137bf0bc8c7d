//! Versions of an app: when each was made, what it was, and what it changed. In: a [`View`] at the core's parts. Out: JSON.

use serde_json::{Value, json};

use super::diff;
use crate::core::View;
use crate::ids::AppId;
use crate::time::Timestamp;

impl View<'_> {
    pub(crate) fn versions_json(&self, id: &AppId) -> Option<Value> {
        let record = self.app_record(id)?;
        let versions: Vec<_> = record.versions.keys().rev().collect();
        Some(json!({"versions": versions}))
    }

    /// With what each version changed, the newest first; the first one that is kept is compared with nothing.
    pub(crate) fn version_changes_json(&self, id: &AppId) -> Option<Value> {
        let record = self.app_record(id)?;
        let before = [None].into_iter().chain(record.versions.values().map(Some));
        let changes = record.versions.iter().zip(before).map(|((version, app), before)| {
            let diff = before.map_or_else(Vec::new, |before| diff::of_specs(Some(before), Some(app)));
            json!({"version": version, "before": before.map(|before| before.version), "diff": diff})
        });
        let changes: Vec<_> = changes.collect();
        Some(changes.into_iter().rev().collect())
    }

    pub(crate) fn version_json(&self, id: &AppId, version: Timestamp) -> Option<Value> {
        let record = self.app_record(id)?;
        record.versions.get(&version).map(|app| json!(app))
    }
}
