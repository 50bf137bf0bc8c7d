//! A deployment: the record of one change to one or several apps, from when it was asked for until all is as wanted.
//! Pure.
//!
//! Steps are [`crate::plan`]'s to say for each app, from the present alone. A deployment says which apps may be
//! led to their new definition by now, step by step in the order of their dependencies; it locks them meanwhile, is what
//! people look at, and can be taken back.

mod circle;
mod order;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::definition::RunSpec;
use crate::definition::group::GroupSpec;
use crate::ids::AppId;
use crate::time::{Moment, Now, Timestamp};

pub(crate) use circle::has_circle;
pub(crate) use order::Dependencies;

/// The change of one app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub app: AppId,
    /// The definition before; none for a new app.
    pub before: Option<RunSpec>,
    /// The definition after; none if the app is removed.
    pub after: Option<RunSpec>,
    pub restart: bool,
    /// The number of instances to change until somebody says to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<u32>,
    /// The number of instances of the new version that have failed.
    #[serde(default)]
    pub failures: u32,
    /// The step in which it is this app's turn; the deployment's to set.
    #[serde(default)]
    pub turn: usize,
}

impl Change {
    /// From what there is to what is wanted.
    pub(crate) fn new(app: AppId, before: Option<RunSpec>, after: Option<RunSpec>) -> Change {
        Change { app, before, after, restart: false, canary: None, failures: 0, turn: 0 }
    }

    /// The same, at first for so many instances only. An app that is new has none to compare with, and one that is only
    /// scaled nothing to try.
    pub(crate) fn with_canary(mut self, canary: Option<u32>) -> Change {
        let before = self.before.as_ref().map_or(0, |before| before.instances);
        let instances = self.after.as_ref().map_or(0, |after| after.instances);
        let replaces = self.before.iter().zip(&self.after).any(|(before, after)| before.needs_restart(after));
        self.canary = canary.filter(|canary| *canary < instances && before > 0 && replaces);
        self
    }

    /// True if it is one of a pod.
    pub(crate) fn is_of_pod(&self) -> bool {
        self.after.as_ref().or(self.before.as_ref()).is_some_and(|app| app.pod().is_some())
    }

    /// Why it is to be taken back by itself, if it is.
    fn fault(&self, begun: Moment, now: Moment) -> Option<String> {
        let strategy = self.after.as_ref()?.upgrade_strategy;
        if let Some(most) = strategy.maximum_failures.filter(|most| self.failures > *most) {
            return Some(format!("{} instances of {} failed, {most} may", self.failures, self.app));
        }
        let over = self.deadline(begun).is_some_and(|deadline| deadline <= now);
        over.then(|| format!("the deadline of {} has passed", self.app))
    }

    /// The time at which it has to be done; not while a canary waits for somebody's word.
    fn deadline(&self, begun: Moment) -> Option<Moment> {
        let seconds = self.after.as_ref()?.upgrade_strategy.deadline_seconds?;
        self.canary.is_none().then(|| begun.plus(seconds.duration()))
    }

    /// The actions that lead there, in Marathon's words. A new app is started with no instance, and scaled when its turn comes.
    fn action(&self) -> Action {
        match (&self.before, &self.after) {
            (_, None) => Action::StopApplication,
            (Some(before), Some(after)) if self.restart || before.needs_restart(after) => Action::RestartApplication,
            _ => Action::ScaleApplication,
        }
    }
}

/// An action on an app, by the name Marathon's API has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::enum_variant_names, reason = "the names of the API")]
pub(crate) enum Action {
    StopApplication,
    StartApplication,
    ScaleApplication,
    RestartApplication,
}

impl Action {
    /// The API's name for it if it is done to a pod.
    fn of_pod(self) -> &'static str {
        match self {
            Action::StopApplication => "StopPod",
            Action::StartApplication => "StartPod",
            Action::ScaleApplication => "ScalePod",
            Action::RestartApplication => "RestartPod",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepAction {
    pub action: Action,
    pub app: AppId,
}

/// Actions that are done at the same time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub actions: Vec<StepAction>,
}

/// The memory of a group and of those in it before it was changed: none for groups that were not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GroupBefore {
    pub id: AppId,
    pub specs: BTreeMap<AppId, Option<GroupSpec>>,
}

/// A change that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deployment {
    /// A uuid.
    pub id: String,
    /// The time at which it was asked for.
    pub version: Timestamp,
    /// By app, what changes.
    pub changes: BTreeMap<AppId, Change>,
    /// Since when it goes on without waiting for anybody's word.
    pub begun: Timestamp,
    /// The same on the clock that decides.
    #[serde(skip)]
    pub begun_at: Moment,
    /// True if it takes another one back, and so is not to be taken back by itself.
    #[serde(default)]
    pub reverts: bool,
    /// The group it changes as a whole, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupBefore>,
    pub order: Dependencies,
    /// In which order they change.
    pub steps: Vec<Step>,
    /// The step that is under way, from 0.
    pub current: usize,
    /// The apps of this step that have been as wanted. One that falls ill again is not waited for: that is everyday
    /// business, which needs no deployment.
    #[serde(skip)]
    arrived: BTreeSet<AppId>,
}

impl Deployment {
    /// Begins a deployment; later steps wait for what their apps depend on.
    pub(crate) fn new(id: String, version: Timestamp, changes: Vec<Change>, order: Dependencies) -> Deployment {
        let mut changes: BTreeMap<_, _> = changes.into_iter().map(|change| (change.app.clone(), change)).collect();
        let steps = order::steps(&changes, &order);
        for (turn, step) in steps.iter().enumerate() {
            for action in &step.actions {
                if let Some(change) = changes.get_mut(&action.app) {
                    change.turn = turn;
                }
            }
        }
        let arrived = BTreeSet::new();
        let (begun, group) = (version, None);
        Deployment {
            id,
            version,
            changes,
            begun,
            begun_at: Moment::default(),
            reverts: false,
            group,
            order,
            steps,
            current: 0,
            arrived,
        }
    }

    /// The change of an app whose turn has not come, and which is to stay what it was.
    pub(crate) fn waiting(&self, app: &AppId) -> Option<&Change> {
        self.changes.get(app).filter(|change| change.turn > self.current)
    }

    /// The number of instances of an app that may be changed for now, if not all.
    pub(crate) fn canary(&self, app: &AppId) -> Option<u32> {
        self.changes.get(app)?.canary
    }

    /// Somebody is content with the canaries of this step: all that it is about is to be changed. Later steps have canaries
    /// of their own. Says whether there were any.
    pub(crate) fn go_on(&mut self, now: Now) -> bool {
        let here = self.changes.values_mut().filter(|change| change.turn == self.current);
        let canaries = here.filter_map(|change| change.canary.take()).count();
        if canaries > 0 {
            (self.begun, self.begun_at) = (now.wall, now.moment);
        }
        canaries > 0
    }

    /// Why it is to be taken back by itself, if it is.
    pub(crate) fn fault(&self, now: Moment) -> Option<String> {
        self.changes.values().filter(|_| !self.reverts).find_map(|change| change.fault(self.begun_at, now))
    }

    /// The time to look at [`Deployment::fault`] again.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.changes.values().filter(|_| !self.reverts).filter_map(|change| change.deadline(self.begun_at)).min()
    }

    /// An instance of this app and configuration failed. Says whether that is counted.
    pub(crate) fn count_failure(&mut self, app: &AppId, config: Timestamp) -> bool {
        let Some(change) = self.changes.get_mut(app) else { return false };
        let counts = change
            .after
            .as_ref()
            .is_some_and(|after| after.config_version() == config && after.upgrade_strategy.maximum_failures.is_some());
        change.failures += u32::from(counts);
        counts
    }

    /// An app is as wanted. Says whether that ends a step.
    pub(crate) fn arrive(&mut self, app: &AppId) -> bool {
        self.changes.get(app).is_some_and(|change| change.turn == self.current)
            && self.arrived.insert(app.clone())
            && self.is_step_over()
    }

    /// True if everything this step does is done; starting an app with no instance takes no time.
    pub(crate) fn is_step_over(&self) -> bool {
        let is_over =
            |action: &StepAction| action.action == Action::StartApplication || self.arrived.contains(&action.app);
        self.steps.get(self.current).is_none_or(|step| step.actions.iter().all(is_over))
    }

    /// Goes on to the next step, whose apps are returned; none if that was the last.
    pub(crate) fn advance(&mut self) -> Option<Vec<AppId>> {
        self.arrived.clear();
        self.current += 1;
        let step = self.steps.get(self.current)?;
        Some(step.actions.iter().map(|action| action.app.clone()).collect())
    }

    /// The step under way.
    pub(crate) fn step(&self) -> Step {
        self.steps.get(self.current).cloned().unwrap_or_default()
    }

    fn is_pod(&self, id: &AppId) -> bool {
        self.changes.get(id).is_some_and(Change::is_of_pod)
    }

    /// One thing a step does, as people see it.
    pub(crate) fn action_json(&self, step: &StepAction) -> Value {
        if self.is_pod(&step.app) {
            return json!({"action": step.action.of_pod(), "pod": step.app});
        }
        json!({"action": step.action, "app": step.app})
    }

    /// The step under way, as people see it.
    pub(crate) fn step_json(&self) -> Value {
        let step = self.step();
        json!({"actions": step.actions.iter().map(|action| self.action_json(action)).collect::<Vec<_>>()})
    }

    /// All steps, as people see them.
    pub(crate) fn steps_json(&self) -> Value {
        let actions = |step: &Step| step.actions.iter().map(|action| self.action_json(action)).collect::<Vec<_>>();
        self.steps.iter().map(|step| json!({"actions": actions(step)})).collect()
    }

    /// As events show it: without what all groups were and will be, as Marathon since 1.8. Clients of before want to find
    /// at least the places for it.
    pub(crate) fn plan(&self) -> Value {
        json!({"id": self.id, "version": self.version, "original": {}, "target": {}, "steps": self.steps_json()})
    }

    /// As `/v2/deployments` lists it, with what goes on now.
    pub(crate) fn json(&self, current: &[Value]) -> Value {
        let (pods, apps): (Vec<_>, Vec<_>) = self.changes.keys().partition(|id| self.is_pod(id));
        json!({"id": self.id, "version": self.version, "affectedApps": apps, "affectedPods": pods,
            "steps": self.steps_json(), "currentActions": current, "currentStep": self.current + 1,
            "totalSteps": self.steps.len()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_have_other_words_for_pods() {
        for (action, app, pod) in [
            (Action::StopApplication, "StopApplication", "StopPod"),
            (Action::StartApplication, "StartApplication", "StartPod"),
            (Action::ScaleApplication, "ScaleApplication", "ScalePod"),
            (Action::RestartApplication, "RestartApplication", "RestartPod"),
        ] {
            assert_eq!((json!(action), action.of_pod()), (json!(app), pod));
        }
    }
}
