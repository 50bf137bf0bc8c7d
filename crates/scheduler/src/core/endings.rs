//! The last ends of each app's instances that nobody asked for. Pure, and stored, a record for each.
//!
//! Invariants: of no app more than so many are kept, the oldest goes first; an app that is forgotten takes its own along;
//! what is changed is written with the next batch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mesos::v1::TaskStatus;
use store::Batch;

use super::records::write;
use crate::ids::AppId;
use crate::instance::Instance;
use crate::instance::ended::Ended;
use crate::time::Timestamp;

/// The number of ends that are kept of an app.
const KEPT: u64 = 10;

#[derive(Debug, Default)]
pub(crate) struct Endings {
    /// Oldest first.
    by_app: BTreeMap<AppId, VecDeque<Ended>>,
    changed: BTreeSet<String>,
}

impl Endings {
    /// Takes up what was stored.
    pub(super) fn new(stored: Vec<Ended>) -> Endings {
        let mut by_app: BTreeMap<AppId, VecDeque<Ended>> = BTreeMap::new();
        for ended in stored {
            by_app.entry(ended.app.clone()).or_default().push_back(ended);
        }
        by_app.values_mut().for_each(|all| all.make_contiguous().sort_by_key(|ended| ended.number));
        Endings { by_app, changed: BTreeSet::new() }
    }

    /// An instance's task ended like this.
    pub(super) fn remember(&mut self, instance: &Instance, status: &TaskStatus, now: Timestamp) {
        let all = self.by_app.entry(instance.app.clone()).or_default();
        let number = all.back().map_or(0, |last| last.number) + 1;
        let ended = Ended::of(instance, status, number, now);
        self.changed.insert(key(&ended));
        all.push_back(ended);
        if all.len() as u64 > KEPT {
            all.pop_front();
        }
    }

    /// The ends of an app, the last first.
    pub(crate) fn of(&self, app: &AppId) -> impl Iterator<Item = &Ended> {
        self.by_app.get(app).into_iter().flatten().rev()
    }

    /// An app is no more.
    pub(super) fn forget(&mut self, app: &AppId) {
        let gone = self.by_app.remove(app).into_iter().flatten();
        self.changed.extend(gone.map(|ended| key(&ended)));
    }

    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        let kept: BTreeMap<_, _> = match self.changed.is_empty() {
            true => BTreeMap::new(),
            false => self.by_app.values().flatten().map(|ended| (key(ended), ended)).collect(),
        };
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().fold(batch, |batch, key| {
            let record = kept.get(&key).copied();
            write(batch, key, record)
        })
    }
}

/// One of so many places of an app: the next but ten takes the place of an end.
fn key(ended: &Ended) -> String {
    format!("ended/{}/{}", ended.app.as_str().trim_start_matches('/'), ended.number % KEPT)
}
