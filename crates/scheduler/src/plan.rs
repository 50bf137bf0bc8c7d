//! The plan for one app: pure, from what is wanted and what is there.
//!
//! The planner looks at the present only. Called again after everything that happens, it leads from any state to the
//! wanted one, so that a restart of the scheduler in the middle of a deployment changes nothing. Its promises while
//! instances are replaced by those of a new configuration (Marathon's `upgradeStrategy`): it never kills a ready
//! instance if fewer than `ceil(instances * minimumHealthCapacity)` would remain, and never has more than
//! `floor(instances * (1 + maximumOverCapacity))` at a time; one more if both together leave no room to move.

use crate::definition::strategy::{KillSelection, UpgradeStrategy};
use crate::ids::InstanceId;
use crate::time::Timestamp;

/// The most instances that may wait for offers at a time; more are added as these are launched. It bounds what a slip of the
/// pen in `instances` costs.
pub(crate) const MOST_WAITING: usize = 1000;

/// The state that is wanted of an app.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    pub instances: u32,
    /// Of which configuration.
    pub config: Timestamp,
    /// The pace at which others are replaced.
    pub strategy: UpgradeStrategy,
    /// The choice of those that go first when there are too many.
    pub selection: KillSelection,
    /// The number of others that may be replaced, if not all: a canary's share, or none where a deployment was stopped.
    pub most_new: Option<u32>,
}

/// The stage of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Waits for an offer.
    Waiting,
    /// Nobody hears of its agent. It may come back, and is waited for by its app, but by no deployment.
    Unreachable,
    /// Has a task that is not ready, or not any more.
    Unready,
    /// Does what it is for.
    Ready,
    /// Is on its way out, for good.
    Leaving,
    /// Nobody has heard of it for so long that another takes its place. It may come back.
    Missing,
}

/// An instance, as far as the planner cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub id: InstanceId,
    /// None if it has to make way whatever it has.
    pub config: Option<Timestamp>,
    pub stage: Stage,
    /// The loss it would be among those of its stage: the lowest goes first.
    pub worth: u8,
    /// The time at which it was launched, or scheduled.
    pub since: Timestamp,
}

/// The next actions for an app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The number to add.
    pub create: u32,
    /// Instances that wait and are to take up the wanted configuration.
    pub rebase: Vec<InstanceId>,
    /// Instances that are not wanted and that nobody has to wait for: they wait themselves, or nobody hears of them.
    pub forget: Vec<InstanceId>,
    /// Instances whose task is to end, for good.
    pub kill: Vec<InstanceId>,
    /// True if all is as wanted.
    pub done: bool,
}

impl Plan {
    pub(crate) fn is_idle(&self) -> bool {
        self.create == 0 && self.rebase.is_empty() && self.forget.is_empty() && self.kill.is_empty()
    }

    fn take_away(&mut self, seen: &Seen) {
        let at_once = matches!(seen.stage, Stage::Waiting | Stage::Unreachable | Stage::Missing);
        let list = if at_once { &mut self.forget } else { &mut self.kill };
        list.push(seen.id.clone());
    }
}

/// The next actions for an app that has these instances.
pub(crate) fn plan(target: &Target, seen: &[Seen]) -> Plan {
    let limited = target.most_new.is_some();
    let is_current = |seen: &&Seen| seen.config == Some(target.config) || (seen.stage == Stage::Waiting && !limited);
    let here: Vec<&Seen> = seen.iter().filter(|seen| seen.stage != Stage::Missing).collect();
    let staying: Vec<&Seen> = here.iter().copied().filter(|seen| seen.stage != Stage::Leaving).collect();
    let (current, outdated): (Vec<&Seen>, Vec<&Seen>) = staying.into_iter().partition(is_current);
    let ready = current.iter().filter(|seen| seen.stage == Stage::Ready).count();
    let (new, old) = shares(target, ready, outdated.len());

    let mut plan = Plan { rebase: rebase(target, &current), ..Plan::default() };
    // An agent that is emptied is no reason to give up those that nobody hears of.
    let replaces = !limited && outdated.iter().any(|seen| seen.config.is_some());
    let (lost, current): (Vec<&Seen>, Vec<&Seen>) =
        current.into_iter().partition(|seen| replaces && seen.stage == Stage::Unreachable);
    lost.into_iter().chain(unwanted_missing(target, seen)).for_each(|seen| plan.take_away(seen));
    surplus(target, current.clone(), current.len().saturating_sub(new), &mut plan);
    let waiting = current.iter().filter(|seen| seen.stage == Stage::Waiting).count();
    let missing = new.saturating_sub(current.len()).min(MOST_WAITING.saturating_sub(waiting));
    plan.create = number(missing.min(room(target, here.len())));
    replace(target, &current, outdated.clone(), old, &mut plan);
    plan.done = plan.is_idle()
        && current.len() == new
        && outdated.len() == old
        && here.len() == new + old
        && current.iter().chain(&outdated).all(|seen| matches!(seen.stage, Stage::Ready | Stage::Unreachable));
    plan
}

/// Missing ones that nobody wants back.
fn unwanted_missing<'a>(target: &Target, seen: &'a [Seen]) -> impl Iterator<Item = &'a Seen> {
    let (config, none, limited) = (Some(target.config), target.instances == 0, target.most_new.is_some());
    seen.iter().filter(move |seen| seen.stage == Stage::Missing && (none || (!limited && seen.config != config)))
}

/// The numbers of instances of the wanted configuration that there are to be now, and of others that may stay.
fn shares(target: &Target, ready: usize, outdated: usize) -> (usize, usize) {
    let wanted = count(target.instances);
    let new = match target.most_new {
        Some(most) => count(most).max(ready).max(wanted.saturating_sub(outdated)).min(wanted),
        None => wanted,
    };
    (new, wanted - new)
}

fn rebase(target: &Target, current: &[&Seen]) -> Vec<InstanceId> {
    current.iter().filter(|seen| seen.config != Some(target.config)).map(|seen| seen.id.clone()).collect()
}

/// Takes away what is too much of the wanted configuration: what waits first, then what is not ready.
fn surplus(target: &Target, mut current: Vec<&Seen>, too_many: usize, plan: &mut Plan) {
    current.sort_by_key(|seen| order(target, seen));
    current.into_iter().take(too_many).for_each(|seen| plan.take_away(seen));
    plan.rebase.retain(|id| !plan.forget.contains(id));
}

/// The number that may be added to `all` there are now.
pub(crate) fn room(target: &Target, all: usize) -> usize {
    most(target).saturating_sub(all)
}

/// The most that there may be at a time.
fn most(target: &Target) -> usize {
    let wanted = f64::from(target.instances);
    let most = floor(wanted * (1.0 + target.strategy.maximum_over_capacity)).max(count(target.instances));
    let stuck = most == count(target.instances) && least(target) == most;
    if stuck { most + 1 } else { most }
}

/// The number of ready ones that must remain.
pub(crate) fn least(target: &Target) -> usize {
    ceil(f64::from(target.instances) * target.strategy.minimum_health_capacity)
}

/// Takes away instances of other configurations but for those that may stay: those that are not ready at once, the others
/// as far as enough remain.
fn replace(target: &Target, current: &[&Seen], mut outdated: Vec<&Seen>, stay: usize, plan: &mut Plan) {
    let is_ready = |seen: &&&Seen| seen.stage == Stage::Ready && !plan.kill.contains(&seen.id);
    let ready = current.iter().filter(is_ready).count() + outdated.iter().filter(is_ready).count();
    let mut spare = ready.saturating_sub(least(target));
    outdated.sort_by_key(|seen| order(target, seen));
    let too_many = outdated.len().saturating_sub(stay);
    for seen in outdated.into_iter().take(too_many) {
        if seen.stage == Stage::Ready {
            if spare == 0 {
                break;
            }
            spare -= 1;
        }
        plan.take_away(seen);
    }
}

/// Orders those that go first to the front: what does least, then by age.
fn order(target: &Target, seen: &Seen) -> (Stage, u8, i64) {
    let age = match target.selection {
        KillSelection::YoungestFirst => -seen.since.millis(),
        KillSelection::OldestFirst => seen.since.millis(),
    };
    (seen.stage, seen.worth, age)
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Rounds down, forgiving what binary fractions lose: 10 * 1.1 is 11.
fn floor(value: f64) -> usize {
    (value + 1e-9).floor() as usize
}

fn ceil(value: f64) -> usize {
    (value - 1e-9).ceil().max(0.0) as usize
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod stories;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AppId;

    const OLD: Timestamp = Timestamp::from_millis(1);
    const NEW: Timestamp = Timestamp::from_millis(2);

    fn target(instances: u32, least: f64, over: f64) -> Target {
        let strategy = UpgradeStrategy {
            minimum_health_capacity: least,
            maximum_over_capacity: over,
            ..UpgradeStrategy::default()
        };
        Target { instances, config: NEW, strategy, selection: KillSelection::YoungestFirst, most_new: None }
    }

    fn seen(number: usize, config: Timestamp, stage: Stage) -> Seen {
        let id = InstanceId::new(&AppId::new("a"), &number.to_string());
        Seen {
            id,
            config: Some(config),
            stage,
            worth: 0,
            since: Timestamp::from_millis(i64::try_from(number).unwrap()),
        }
    }

    fn old(count: usize) -> Vec<Seen> {
        (0..count).map(|number| seen(number, OLD, Stage::Ready)).collect()
    }

    /// First steps as Marathon's own tests assert them: most at a time, and how many die at once.
    #[test]
    fn restart_strategy_first_steps_are_marathons() {
        for (instances, running, least_share, over, most_wanted, killed) in [
            (1, 1, 0.5, 0.0, 2, 0),
            (2, 2, 0.5, 0.0, 2, 1),
            (10, 5, 0.1, 0.0, 10, 4),
            (10, 10, 0.1, 1.0, 20, 9),
            (10, 10, 1.0, 1.0, 20, 0),
            (5, 5, 1.0, 0.0, 6, 0),
        ] {
            let target = target(instances, least_share, over);
            let plan = plan(&target, &old(running));
            assert_eq!((most(&target), plan.kill.len()), (most_wanted, killed), "{target:?}");
        }
    }

    #[test]
    fn scaling_down_takes_what_waits_then_what_is_not_ready_then_the_youngest() {
        let there = [
            seen(0, NEW, Stage::Ready),
            seen(1, NEW, Stage::Ready),
            seen(2, NEW, Stage::Unready),
            seen(3, NEW, Stage::Waiting),
        ];
        let plan = plan(&target(1, 1.0, 1.0), &there);
        assert_eq!(plan.forget, vec![there[3].id.clone()]);
        assert_eq!(plan.kill, vec![there[2].id.clone(), there[1].id.clone()]);
    }

    #[test]
    fn unhealthy_old_ones_go_first_and_at_once() {
        let there = [seen(0, OLD, Stage::Unready), seen(1, OLD, Stage::Ready)];
        assert_eq!(plan(&target(2, 1.0, 0.0), &there).kill, vec![there[0].id.clone()]);
    }

    #[test]
    fn a_slip_of_the_pen_does_not_fill_the_memory() {
        assert_eq!(plan(&target(u32::MAX, 1.0, 1.0), &[]).create, 1000);
    }

    #[test]
    fn what_is_as_wanted_is_left_alone() {
        let there = [seen(0, NEW, Stage::Ready)];
        assert_eq!(plan(&target(1, 1.0, 1.0), &there), Plan { done: true, ..Plan::default() });
    }
}
