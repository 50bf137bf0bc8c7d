//! A hundred thousand random histories of the planner: what it promises holds at every step, whatever happens, and every
//! history ends.
//!
//! A history is a number, which decides all of it; where a promise is broken the number is told.

use std::collections::BTreeSet;

use super::*;
use crate::ids::AppId;

const HISTORIES: u64 = 100_000;

/// One app in a world where anything may happen.
struct History {
    dice: fastrand::Rng,
    target: Target,
    there: Vec<Seen>,
    named: usize,
    clock: i64,
}

impl History {
    fn new(number: u64) -> History {
        let mut dice = fastrand::Rng::with_seed(number);
        let target = target(&mut dice, 1);
        let mut history = History { dice, target, there: Vec::new(), named: 0, clock: 1 };
        for _ in 0..history.dice.u32(0..8) {
            let stage = if history.dice.bool() { Stage::Ready } else { Stage::Unready };
            history.add(stage);
        }
        history
    }

    fn add(&mut self, stage: Stage) {
        self.named += 1;
        self.clock += 1;
        let id = InstanceId::new(&AppId::new("a"), &self.named.to_string());
        let since = Timestamp::from_millis(self.clock);
        self.there.push(Seen { id, config: Some(self.target.config), stage, worth: self.dice.u8(0..4), since });
    }

    fn count(&self, stages: &[Stage]) -> usize {
        self.there.iter().filter(|seen| stages.contains(&seen.stage)).count()
    }

    /// Plans, holds the plan against its promises, and carries it out. Says whether all is as wanted.
    fn step(&mut self) -> Result<bool, String> {
        let plan = plan(&self.target, &self.there);
        self.judge(&plan).map_err(|error| format!("{error}: {plan:?}\n{:?}\n{:#?}", self.target, self.there))?;
        self.there.retain(|seen| !plan.forget.contains(&seen.id));
        for seen in &mut self.there {
            if plan.rebase.contains(&seen.id) {
                seen.config = Some(self.target.config);
            }
            if plan.kill.contains(&seen.id) {
                seen.stage = Stage::Leaving;
            }
        }
        (0..plan.create).for_each(|_| self.add(Stage::Waiting));
        Ok(plan.done)
    }

    fn judge(&self, plan: &Plan) -> Result<(), &'static str> {
        let stage_of = |id: &InstanceId| self.there.iter().find(|seen| seen.id == *id).map(|seen| seen.stage);
        let all_are = |ids: &[InstanceId], stages: &[Stage]| {
            ids.iter().all(|id| stage_of(id).is_some_and(|stage| stages.contains(&stage)))
        };
        let named: BTreeSet<_> = plan.kill.iter().chain(&plan.forget).collect();
        let killed = plan.kill.iter().filter(|id| stage_of(id) == Some(Stage::Ready)).count();
        let ready = self.count(&[Stage::Ready]);
        let here = self.count(&[Stage::Waiting, Stage::Unreachable, Stage::Unready, Stage::Ready, Stage::Leaving]);
        let created = count(plan.create);
        let waits = self.count(&[Stage::Waiting, Stage::Unready, Stage::Leaving]) > 0;
        let held = self.target.most_new.is_some();
        for (holds, promise) in [
            (ready - killed >= least(&self.target).min(ready), "below minimumHealthCapacity"),
            (created == 0 || here + created <= most(&self.target), "above maximumOverCapacity"),
            (all_are(&plan.kill, &[Stage::Unready, Stage::Ready]), "kills what has no task"),
            (
                all_are(&plan.forget, &[Stage::Waiting, Stage::Unreachable, Stage::Missing]),
                "forgets what can be told to end",
            ),
            (all_are(&plan.rebase, &[Stage::Waiting]), "changes what has a task"),
            (named.len() == plan.kill.len() + plan.forget.len(), "names one twice"),
            (!plan.done || plan.is_idle(), "is done, and acts"),
            (plan.done || !plan.is_idle() || waits || held, "is stuck, and waits for nothing"),
        ] {
            if !holds {
                return Err(promise);
            }
        }
        Ok(())
    }

    /// One random thing happens.
    fn happen(&mut self) {
        match self.dice.u32(0..20) {
            0 => self.target = target(&mut self.dice, self.clock),
            1 => self.target.instances = self.dice.u32(0..8),
            2 => self.target.most_new = self.dice.bool().then(|| self.dice.u32(0..4)),
            _ => self.something_of_an_instance(),
        }
    }

    fn something_of_an_instance(&mut self) {
        if self.there.is_empty() {
            return;
        }
        let index = self.dice.usize(0..self.there.len());
        let (target, fate) = (self.target, self.dice.u32(0..10));
        let seen = &mut self.there[index];
        match (seen.stage, fate) {
            (Stage::Leaving, 0..5) | (Stage::Unreachable | Stage::Missing, 0) => drop(self.there.remove(index)),
            (Stage::Unready | Stage::Ready, 0) => seen.stage = Stage::Unreachable,
            (Stage::Unreachable, 1..3) => seen.stage = Stage::Missing,
            (Stage::Unready | Stage::Ready, 1) => end(seen, &target),
            (Stage::Ready, 2) | (Stage::Waiting | Stage::Unreachable | Stage::Missing, 3..) => {
                seen.stage = Stage::Unready
            }
            (Stage::Unready, 2..) => seen.stage = Stage::Ready,
            _ => {}
        }
    }

    /// From now on everything goes well: it comes to its end.
    fn end_well(&mut self) -> Result<(), String> {
        self.target.most_new = None;
        for _ in 0..200 {
            if self.step()? {
                return Ok(());
            }
            self.there.retain(|seen| seen.stage != Stage::Leaving);
            for seen in &mut self.there {
                match seen.stage {
                    Stage::Waiting => seen.stage = Stage::Unready,
                    Stage::Unready => seen.stage = Stage::Ready,
                    Stage::Ready | Stage::Unreachable | Stage::Leaving | Stage::Missing => {}
                }
            }
        }
        Err(format!("does not end: {:?}\n{:#?}", self.target, self.there))
    }
}

/// Its task is over; the next one is of the wanted configuration, unless few may have that.
fn end(seen: &mut Seen, target: &Target) {
    seen.stage = Stage::Waiting;
    if target.most_new.is_none() {
        seen.config = Some(target.config);
    }
}

fn target(dice: &mut fastrand::Rng, config: i64) -> Target {
    let share = |dice: &mut fastrand::Rng| *dice.choice(&[0.0, 0.1, 0.5, 2.0 / 3.0, 1.0]).unwrap_or(&1.0);
    let strategy = UpgradeStrategy {
        minimum_health_capacity: share(dice),
        maximum_over_capacity: share(dice),
        ..UpgradeStrategy::default()
    };
    let selection = if dice.bool() { KillSelection::OldestFirst } else { KillSelection::YoungestFirst };
    let most_new = (dice.u32(0..4) == 0).then(|| dice.u32(0..4));
    Target { instances: dice.u32(0..8), config: Timestamp::from_millis(config), strategy, selection, most_new }
}

fn live(number: u64) -> Result<(), String> {
    let mut history = History::new(number);
    for _ in 0..history.dice.u32(5..40) {
        history.happen();
        history.step()?;
    }
    history.end_well()
}

#[test]
fn promises_hold_in_a_hundred_thousand_random_histories() {
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().min(8)) as u64;
    std::thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || {
                for number in (first..HISTORIES).step_by(usize::try_from(threads).unwrap_or(1)) {
                    if let Err(error) = live(number) {
                        panic!("history {number} {error}");
                    }
                }
            });
        }
    });
}
