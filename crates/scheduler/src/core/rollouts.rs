//! The deployments that are under way, the apps that they lock, and the apps that the planner has to look at. Pure.
//!
//! Invariants: an app is locked by the one deployment that changes it, and by none if none does; what is changed of a
//! deployment is written.

use std::collections::{BTreeMap, BTreeSet};

use store::Batch;

use super::records::write;
use crate::deployment::Deployment;
use crate::ids::AppId;
use crate::time::{Moment, Now, Timestamp};

#[derive(Debug)]
pub(crate) struct Rollouts {
    deployments: BTreeMap<String, Deployment>,
    /// By app, the deployment that it is locked by.
    locks: BTreeMap<AppId, String>,
    changed: BTreeSet<String>,
    /// Apps that the planner has to look at.
    unsettled: BTreeSet<AppId>,
}

impl Rollouts {
    /// Takes up what was stored.
    pub(super) fn new(mut deployments: BTreeMap<String, Deployment>, now: Now) -> Rollouts {
        deployments.values_mut().for_each(|found| found.begun_at = now.moment_of(found.begun));
        let locks = deployments.values().flat_map(locks).collect();
        Rollouts { deployments, locks, changed: BTreeSet::new(), unsettled: BTreeSet::new() }
    }

    /// Something of this app changed: the planner has to look at it.
    pub(super) fn touch(&mut self, app: &AppId) {
        self.unsettled.insert(app.clone());
    }

    /// An app that the planner has to look at, and has from now on.
    pub(super) fn next_unsettled(&mut self) -> Option<AppId> {
        self.unsettled.pop_first()
    }

    /// The changes of this app are the planner's own doing.
    pub(super) fn settled(&mut self, app: &AppId) {
        self.unsettled.remove(app);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Deployment> {
        self.deployments.get(id)
    }

    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = &Deployment> + Clone {
        self.deployments.values()
    }

    /// The id of the deployment that an app is locked by.
    pub(crate) fn lock(&self, app: &AppId) -> Option<&String> {
        self.locks.get(app)
    }

    /// The deployment that an app is locked by.
    pub(crate) fn of(&self, app: &AppId) -> Option<&Deployment> {
        self.deployments.get(self.locks.get(app)?)
    }

    /// The ids of the deployments that any of these apps is locked by.
    pub(super) fn locking<'a>(&self, apps: impl Iterator<Item = &'a AppId>) -> BTreeSet<String> {
        apps.filter_map(|app| self.locks.get(app)).cloned().collect()
    }

    /// Begins one, whose apps no other one locks.
    pub(super) fn begin(&mut self, mut deployment: Deployment, now: Moment) {
        deployment.begun_at = now;
        debug_assert!(deployment.changes.keys().all(|app| !self.locks.contains_key(app)), "locked twice");
        self.locks.extend(locks(&deployment));
        self.changed.insert(deployment.id.clone());
        self.deployments.insert(deployment.id.clone(), deployment);
    }

    /// Changes one, and remembers that it has to be written.
    pub(super) fn change<T>(&mut self, id: &str, change: impl FnOnce(&mut Deployment) -> T) -> Option<T> {
        let deployment = self.deployments.get_mut(id)?;
        self.changed.insert(id.to_owned());
        Some(change(deployment))
    }

    /// Takes one off the list, and its locks.
    pub(super) fn close(&mut self, id: &str) -> Option<Deployment> {
        let deployment = self.deployments.remove(id)?;
        self.changed.insert(id.to_owned());
        self.locks.retain(|_, lock| lock != id);
        Some(deployment)
    }

    /// An app is as wanted. The deployment of which that ends a step, if it does.
    pub(super) fn arrive(&mut self, app: &AppId) -> Option<String> {
        let lock = self.locks.get(app)?;
        self.deployments.get_mut(lock)?.arrive(app).then(|| lock.clone())
    }

    /// An instance of this app and configuration failed.
    pub(super) fn count_failure(&mut self, app: &AppId, config: Timestamp) {
        let Some(lock) = self.locks.get(app) else { return };
        if self.deployments.get_mut(lock).is_some_and(|found| found.count_failure(app, config)) {
            self.changed.insert(lock.clone());
        }
    }

    /// Deployments that have failed by their own measure, and why.
    pub(super) fn failed(&self, now: Moment) -> Vec<(Deployment, String)> {
        let faults = self.deployments.values().filter_map(|found| Some((found, found.fault(now)?)));
        faults.map(|(found, fault)| (found.clone(), fault)).collect()
    }

    /// The time at which the next one has to be done.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.deployments.values().filter_map(Deployment::deadline).min()
    }

    /// Adds what is to be stored.
    pub(super) fn write(&mut self, batch: Batch) -> Batch {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed.fold(batch, |batch, id| write(batch, format!("deployment/{id}"), self.deployments.get(&id)))
    }
}

fn locks(deployment: &Deployment) -> impl Iterator<Item = (AppId, String)> {
    deployment.changes.keys().map(|app| (app.clone(), deployment.id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::RunSpec;
    use crate::deployment::{Change, Dependencies};

    fn deployment(id: &str, apps: &[&str]) -> Deployment {
        let at = Timestamp::from_millis(0);
        let change = |app: &&str| Change::new(AppId::new(app), None, Some(RunSpec::new(AppId::new(app), at)));
        Deployment::new(id.into(), at, apps.iter().map(change).collect(), Dependencies::new())
    }

    #[test]
    fn an_app_is_locked_as_long_as_its_deployment_is_there() {
        let [a, b] = ["/a", "/b"].map(AppId::new);
        let now = Now { moment: Moment::default(), wall: Timestamp::from_millis(0) };
        let mut rollouts = Rollouts::new([("one".to_owned(), deployment("one", &["/a"]))].into(), now);
        rollouts.begin(deployment("two", &["/b"]), now.moment);
        assert_eq!((rollouts.lock(&a).unwrap().as_str(), &*rollouts.of(&b).unwrap().id), ("one", "two"));
        assert_eq!(rollouts.locking([&a, &b].into_iter()).len(), 2);
        assert!(rollouts.close("two").is_some() && rollouts.close("two").is_none());
        assert_eq!((rollouts.lock(&b), rollouts.all().len()), (None, 1));
        assert_eq!((rollouts.write(Batch::default()).len(), rollouts.write(Batch::default()).len()), (1, 0));
    }
}
