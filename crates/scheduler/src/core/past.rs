//! The last deployments that are over, and how they ended. Pure, and stored, a record for each.
//!
//! Invariants: no more than so many are kept, the oldest goes first; what is changed is written with the next batch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Batch;

use super::records::write;
use crate::definition::RunSpec;
use crate::deployment::{Change, Deployment, GroupBefore};
use crate::ids::AppId;
use crate::time::Timestamp;

/// The number of deployments that are kept.
const KEPT: u64 = 50;

/// The most apps that are named of one.
const NAMED: usize = 100;

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum How {
    /// All is as wanted.
    Succeeded,
    /// It was taken back by itself: too many failures, or its deadline.
    Failed,
    /// Somebody took it back, or stopped it.
    Cancelled,
    /// Another one took its place.
    Replaced,
}

/// A deployment that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Past {
    /// Counted from 1, of all there ever were.
    number: u64,
    id: String,
    /// The apps and pods that it changed; of very many the first.
    apps: Vec<AppId>,
    app_count: usize,
    began: Timestamp,
    ended: Timestamp,
    how: How,
    /// Why, if it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// True if it took another one back.
    reverts: bool,
    /// The changes of the apps and pods that are named; none of deployments of before these were kept.
    #[serde(default)]
    changes: Vec<Step>,
    /// The group that it changed as a whole, as that was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<GroupBefore>,
}

/// The versions of an app or a pod before a deployment and after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    pub app: AppId,
    pub is_pod: bool,
    /// None if there was none before.
    pub before: Option<Timestamp>,
    /// None if it was removed.
    pub after: Option<Timestamp>,
    /// The definition that was removed: its versions go with the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Box<RunSpec>>,
}

impl From<&Change> for Step {
    fn from(change: &Change) -> Step {
        let version = |spec: &Option<RunSpec>| spec.as_ref().map(|spec| spec.version);
        let is_pod = change.is_of_pod();
        Step {
            app: change.app.clone(),
            is_pod,
            before: version(&change.before),
            after: version(&change.after),
            removed: change.before.as_ref().filter(|_| change.after.is_none()).cloned().map(Box::new),
        }
    }
}

impl Step {
    fn json(&self) -> Value {
        json!({"app": self.app, "isPod": self.is_pod, "before": self.before, "after": self.after})
    }

    /// True if there is something to go back to.
    fn can_be_undone(&self) -> bool {
        self.after.is_some() || self.removed.is_some()
    }
}

impl Past {
    /// The changes that it is known to have made.
    pub(super) fn steps(&self) -> &[Step] {
        &self.changes
    }

    /// The number of changes beyond these.
    pub(super) fn unnamed(&self) -> usize {
        self.app_count.saturating_sub(self.changes.len())
    }

    pub(super) fn group(&self) -> Option<&GroupBefore> {
        self.group.as_ref()
    }

    /// As people see it: without the definitions.
    pub(crate) fn json(&self) -> Value {
        let changes: Vec<_> = self.changes.iter().map(Step::json).collect();
        let mut json = json!({"number": self.number, "id": self.id, "apps": self.apps, "appCount": self.app_count,
            "began": self.began, "ended": self.ended, "how": self.how, "reverts": self.reverts, "changes": changes,
            "canBeUndone": self.changes.iter().any(Step::can_be_undone)});
        if let Some(reason) = &self.reason {
            json["reason"] = json!(reason);
        }
        json
    }
}

#[derive(Debug, Default)]
pub(crate) struct PastDeployments {
    /// Oldest first.
    all: VecDeque<Past>,
    /// Numbers.
    changed: BTreeSet<u64>,
    /// The number of those that ended since the start.
    counts: BTreeMap<How, u64>,
}

impl PastDeployments {
    /// Takes up what was stored.
    pub(super) fn new(mut stored: Vec<Past>) -> PastDeployments {
        stored.sort_by_key(|past| past.number);
        PastDeployments { all: stored.into(), ..PastDeployments::default() }
    }

    /// A deployment ended like this.
    pub(super) fn remember(&mut self, deployment: &Deployment, how: How, reason: Option<&str>, now: Timestamp) {
        let number = self.all.back().map_or(0, |last| last.number) + 1;
        self.all.push_back(Past {
            number,
            id: deployment.id.clone(),
            apps: deployment.changes.keys().take(NAMED).cloned().collect(),
            app_count: deployment.changes.len(),
            began: deployment.version,
            ended: now,
            how,
            reason: reason.map(str::to_owned),
            reverts: deployment.reverts,
            changes: deployment.changes.values().take(NAMED).map(Step::from).collect(),
            group: deployment.group.clone(),
        });
        self.changed.insert(number);
        *self.counts.entry(how).or_default() += 1;
        if self.all.len() as u64 > KEPT {
            self.all.pop_front();
        }
    }

    /// The number of those that ended like this since the start.
    pub(crate) fn count(&self, how: How) -> u64 {
        self.counts.get(&how).copied().unwrap_or_default()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Past> {
        self.all.iter().find(|past| past.id == id)
    }

    /// The last one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Past> {
        self.all.iter().rev()
    }

    /// The next but so many takes the place of one.
    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        let changed = std::mem::take(&mut self.changed);
        let kept = self.all.iter().filter(|past| changed.contains(&past.number));
        kept.fold(batch, |batch, past| write(batch, format!("past/{}", past.number % KEPT), Some(past)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Dependencies;

    #[test]
    fn the_last_fifty_are_kept_in_as_many_places() {
        let at = Timestamp::from_millis;
        let mut past = PastDeployments::default();
        for number in 1..=60 {
            let deployment = Deployment::new(number.to_string(), at(number), Vec::new(), Dependencies::new());
            past.remember(&deployment, How::Succeeded, None, at(number + 1));
            assert_eq!(past.write(Batch::default()).len(), 1);
        }
        assert_eq!(past.write(Batch::default()).len(), 0);
        let ids: Vec<_> = past.all().map(|one| one.id.clone()).collect();
        assert_eq!(ids, (11..=60).rev().map(|number| number.to_string()).collect::<Vec<_>>());
        let mut stored: Vec<_> = past.all().cloned().collect();
        stored.rotate_left(7);
        assert!(PastDeployments::new(stored).all().eq(past.all()));
    }
}
