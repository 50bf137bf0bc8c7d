//! In which order apps change: as in Marathon, what is not wanted any more stops first, what is new is started without
//! an instance, and then everything comes to its size level by level, each after what it depends on. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Change, Step, StepAction};
use crate::ids::AppId;

pub(crate) type Dependencies = BTreeMap<AppId, BTreeSet<AppId>>;

pub(super) fn steps(changes: &BTreeMap<AppId, Change>, order: &Dependencies) -> Vec<Step> {
    let (stopped, kept): (Vec<&Change>, Vec<&Change>) =
        changes.values().partition(|change| change.action() == Action::StopApplication);
    let created = kept.iter().filter(|change| change.before.is_none());
    let mut steps = vec![
        step(stopped.iter().map(|change| (Action::StopApplication, *change))),
        step(created.map(|change| (Action::StartApplication, *change))),
    ];
    let mut levels: BTreeMap<usize, Vec<&Change>> = BTreeMap::new();
    let mut known = BTreeMap::new();
    for change in kept {
        levels.entry(level(&change.app, order, &mut known)).or_default().push(change);
    }
    steps.extend(levels.values().map(|level| step(level.iter().map(|change| (change.action(), *change)))));
    steps.retain(|step| !step.actions.is_empty());
    steps
}

fn step<'a>(actions: impl Iterator<Item = (Action, &'a Change)>) -> Step {
    Step { actions: actions.map(|(action, change)| StepAction { action, app: change.app.clone() }).collect() }
}

/// The length of the longest chain of apps that this one depends on. Where a chain bites its tail it is cut.
fn level(app: &AppId, order: &Dependencies, known: &mut BTreeMap<AppId, usize>) -> usize {
    if let Some(level) = known.get(app) {
        return *level;
    }
    known.insert(app.clone(), 0);
    let below = order.get(app).into_iter().flatten();
    let level = below.map(|below| level(below, order, known) + 1).max().unwrap_or(0);
    known.insert(app.clone(), level);
    level
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::RunSpec;
    use crate::time::Timestamp;

    fn id(name: &str) -> AppId {
        AppId::new(name)
    }

    fn change(name: &str, before: bool, after: bool) -> (AppId, Change) {
        let app = |wanted: bool, cmd: &str| {
            wanted.then(|| RunSpec {
                labels: [("v".into(), cmd.into())].into(),
                ..RunSpec::new(id(name), Timestamp::from_millis(0))
            })
        };
        (id(name), Change::new(id(name), app(before, "old"), app(after, "new")))
    }

    fn shown(steps: &[Step]) -> Vec<Vec<String>> {
        let action = |action: &StepAction| format!("{:?} {}", action.action, action.app);
        steps.iter().map(|step| step.actions.iter().map(action).collect()).collect()
    }

    #[test]
    fn what_goes_stops_first_and_what_depends_on_others_comes_last() {
        let changes = [
            change("gone", true, false),
            change("db", false, true),
            change("shop", true, true),
            change("mail", false, true),
        ];
        let order = Dependencies::from([
            (id("shop"), BTreeSet::from([id("cache")])),
            (id("cache"), BTreeSet::from([id("db")])),
        ]);
        assert_eq!(
            shown(&steps(&changes.into(), &order)),
            [
                vec!["StopApplication /gone"],
                vec!["StartApplication /db", "StartApplication /mail"],
                vec!["ScaleApplication /db", "ScaleApplication /mail"],
                vec!["RestartApplication /shop"],
            ]
        );
    }

    #[test]
    fn a_circle_of_dependencies_has_an_end() {
        let order = Dependencies::from([(id("a"), BTreeSet::from([id("b")])), (id("b"), BTreeSet::from([id("a")]))]);
        let changes = [change("a", true, true), change("b", true, true)];
        assert_eq!(steps(&changes.into(), &order).iter().flat_map(|step| &step.actions).count(), 2);
    }
}
