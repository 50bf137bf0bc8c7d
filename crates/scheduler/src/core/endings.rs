//! The last ends of each app's instances that nobody asked for. Pure, and stored, a record for each.
//!
//! Invariants: of no app more than so many are kept, the oldest goes first; an app that is forgotten takes its own along;
//! what is changed is written with the next batch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mesos::v1::TaskStatus;
use store::Batch;

use super::records::write;
use crate::definition::RunSpec;
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
    /// By app, places of records.
    changed: BTreeSet<(AppId, u64)>,
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

    /// The task of an instance with this definition ended like this.
    pub(super) fn remember(
        &mut self,
        instance: &Instance,
        spec: Option<&RunSpec>,
        status: &TaskStatus,
        now: Timestamp,
    ) {
        let all = self.by_app.entry(instance.app.clone()).or_default();
        let number = all.back().map_or(0, |last| last.number) + 1;
        let ended = Ended::of(instance, spec, status, number, now);
        self.changed.insert((ended.app.clone(), place(&ended)));
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
        self.changed.extend(gone.map(|ended| (app.clone(), place(&ended))));
    }

    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().fold(batch, |batch, (app, at)| {
            let record = self.of(&app).find(|ended| place(ended) == at);
            write(batch, format!("ended/{}/{at}", app.as_str().trim_start_matches('/')), record)
        })
    }
}

/// One of so many places of an app: the next but ten takes the place of an end.
fn place(ended: &Ended) -> u64 {
    ended.number % KEPT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::InstanceId;

    #[test]
    fn only_what_changed_is_written_in_one_of_ten_places_of_its_app() {
        let at = Timestamp::from_millis(0);
        let instance = |app: &str| {
            let id = AppId::new(app);
            Instance::scheduled(InstanceId::new(&id, "u"), &RunSpec::new(id.clone(), at), at)
        };
        let mut endings = Endings::default();
        for _ in 0..15 {
            endings.remember(&instance("/a"), None, &TaskStatus::default(), at);
            assert_eq!(endings.write(Batch::default()).len(), 1);
        }
        endings.remember(&instance("/b"), None, &TaskStatus::default(), at);
        assert_eq!(
            endings.of(&AppId::new("/a")).map(|ended| ended.number).collect::<Vec<_>>(),
            (6..=15).rev().collect::<Vec<_>>()
        );
        endings.forget(&AppId::new("/a"));
        assert_eq!((endings.write(Batch::default()).len(), endings.write(Batch::default()).len()), (11, 0));
    }
}
