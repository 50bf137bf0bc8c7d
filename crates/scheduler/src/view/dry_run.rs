//! Changes that are not made, `?dryRun=true`: what would happen to how many instances, in which steps, and what would be
//! different. In: a [`View`] at the core's parts, and what was asked for. Out: JSON, or the refusal that the change itself
//! would meet.

use serde_json::{Value, json};

use super::diff;
use crate::core::{Proposal, Proposed, Terms, Undoing, View};
use crate::definition::GroupUpdate;
use crate::deployment::{Change, Deployment};
use crate::ids::AppId;
use crate::instance::Goal;
use crate::refusal::Refusal;
use crate::time::Now;

/// The fates of instances, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Fates {
    /// Begin, and take nobody's place.
    launched: usize,
    /// End, and nobody takes their place.
    killed: usize,
    /// End, and others take their place.
    restarted: usize,
    /// Are left alone.
    remain: usize,
}

impl Fates {
    /// The fates of so many instances of the wanted configuration, and of others, where so many are wanted.
    fn of(same: usize, other: usize, wanted: usize) -> Fates {
        let remain = same.min(wanted);
        let restarted = other.min(wanted - remain);
        let killed = same - remain + other - restarted;
        Fates { launched: wanted - remain - restarted, killed, restarted, remain }
    }

    fn plus(self, other: Fates) -> Fates {
        Fates {
            launched: self.launched + other.launched,
            killed: self.killed + other.killed,
            restarted: self.restarted + other.restarted,
            remain: self.remain + other.remain,
        }
    }

    fn json(self) -> Value {
        json!({"launched": self.launched, "killed": self.killed, "restarted": self.restarted, "remain": self.remain})
    }
}

impl View<'_> {
    /// The consequences of what is asked for.
    pub(crate) fn dry_run(&self, asked: Proposed, force: bool, now: Now) -> Result<Value, Refusal> {
        Ok(self.consequences(&self.tried(asked, force, now)?))
    }

    /// The same of a change of a group: Marathon has that, with the steps only; `whole` is for those who ask for the rest.
    pub(crate) fn group_dry_run(
        &self,
        id: &AppId,
        update: GroupUpdate,
        (terms, whole): (Terms, bool),
        now: Now,
    ) -> Result<Value, Refusal> {
        let deployment = self.tried(Proposed::ChangeGroup(id.clone(), update, terms), terms.force, now)?;
        Ok(if whole { self.consequences(&deployment) } else { json!({"steps": deployment.steps_json()}) })
    }

    /// The deployment that it would take.
    fn tried(&self, asked: Proposed, force: bool, now: Now) -> Result<Deployment, Refusal> {
        let Proposal { changes, order } = self.proposal(asked, force, now)?;
        Ok(Deployment::new(String::new(), now.wall, changes, order))
    }

    /// The same of undoing a deployment, with what stays as it is and why.
    pub(crate) fn undo_tried(&self, id: &str, force: bool, now: Now) -> Result<Value, Refusal> {
        let Undoing { proposal: Proposal { changes, order }, stay, unnamed, .. } = self.undoing(id, force, now)?;
        let mut json = self.consequences(&Deployment::new(String::new(), now.wall, changes, order));
        json["stay"] = stay.iter().map(|(app, why)| json!({"app": app, "text": why.to_string()})).collect();
        json["stayUnnamed"] = json!(unnamed);
        Ok(json)
    }

    /// The consequences of a deployment that is not begun.
    fn consequences(&self, deployment: &Deployment) -> Value {
        let changes = || deployment.changes.values();
        let all = changes().fold(Fates::default(), |all, change| all.plus(self.fates(change)));
        let apps = changes().map(|change| {
            let canary = change.canary;
            json!({"app": change.app, "plan": self.fates(change).json(), "isNew": change.before.is_none(),
                "isRemoved": change.after.is_none(), "isPod": change.is_of_pod(), "canary": canary})
        });
        let diff = changes().flat_map(|change| {
            let found = diff::of_specs(change.before.as_ref(), change.after.as_ref());
            found.into_iter().map(|mut one| {
                one["app"] = json!(change.app);
                one
            })
        });
        json!({"steps": deployment.steps_json(), "plan": all.json(), "apps": apps.collect::<Vec<_>>(),
            "diff": diff.collect::<Vec<_>>()})
    }

    fn fates(&self, change: &Change) -> Fates {
        let config = change.after.as_ref().map(|after| after.config_version());
        let tasks = self.instances.tasks_of(&change.app).filter(|found| found.goal == Goal::Running && !found.given_up);
        let (same, other): (Vec<_>, Vec<_>) = tasks.partition(|found| Some(found.config) == config && !change.restart);
        let wanted = change.after.as_ref().map_or(0, |after| usize::try_from(after.instances).unwrap_or(usize::MAX));
        Fates::of(same.len(), other.len(), wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_stay_are_replaced_or_go_as_far_as_they_are_wanted() {
        for (same, other, wanted, [launched, killed, restarted, remain]) in [
            (0, 0, 3, [3, 0, 0, 0]),
            (2, 0, 3, [1, 0, 0, 2]),
            (3, 0, 1, [0, 2, 0, 1]),
            (0, 3, 3, [0, 0, 3, 0]),
            (0, 3, 1, [0, 2, 1, 0]),
            (1, 2, 5, [2, 0, 2, 1]),
            (2, 2, 0, [0, 4, 0, 0]),
        ] {
            assert_eq!(Fates::of(same, other, wanted), Fates { launched, killed, restarted, remain });
        }
    }
}
