//! Scripts of the planner that read as stories: what there is after each of its steps, a letter for an instance.
//!
//! `O` is an old one that is ready and `o` one that is not, `N` and `n` are new ones, `w` waits for an offer and `x` is on
//! its way out. `U` and `u` are an old and a new one on agents that are away, `M` and `m` were away for too long. Between two steps the world moves: what waits comes up and is ready, what is on its way out is gone.
//!
//! Stories named after rows of Marathon's own tests are all of these but resident tasks', which need volumes, and
//! *only own events*: the planner hears of none.

use super::*;
use crate::ids::AppId;

const OLD: Timestamp = Timestamp::from_millis(1);
const NEW: Timestamp = Timestamp::from_millis(2);

struct Story {
    target: Target,
    there: Vec<Seen>,
    named: i64,
}

/// An app that wants so many instances, with Marathon's `minimumHealthCapacity` and `maximumOverCapacity`.
fn story(instances: u32, least: f64, over: f64, there: &str) -> Story {
    let strategy =
        UpgradeStrategy { minimum_health_capacity: least, maximum_over_capacity: over, ..UpgradeStrategy::default() };
    let selection = KillSelection::YoungestFirst;
    let target = Target { instances, config: NEW, strategy, selection, most_new: None };
    let mut story = Story { target, there: Vec::new(), named: 0 };
    there.chars().for_each(|letter| story.add(letter));
    story
}

impl Story {
    fn add(&mut self, letter: char) {
        let (config, stage) = match letter {
            'O' => (OLD, Stage::Ready),
            'o' => (OLD, Stage::Unready),
            'N' => (NEW, Stage::Ready),
            'n' => (NEW, Stage::Unready),
            'w' => (NEW, Stage::Waiting),
            'U' => (OLD, Stage::Unreachable),
            'u' => (NEW, Stage::Unreachable),
            'M' => (OLD, Stage::Missing),
            'm' => (NEW, Stage::Missing),
            _ => (OLD, Stage::Leaving),
        };
        self.named += 1;
        let id = InstanceId::new(&AppId::new("a"), &self.named.to_string());
        self.there.push(Seen { id, config: Some(config), stage, worth: 0, since: Timestamp::from_millis(self.named) });
    }

    fn shown(&self) -> String {
        let letter = |seen: &Seen| match (seen.stage, seen.config == Some(OLD)) {
            (Stage::Ready, true) => 'O',
            (Stage::Unready, true) => 'o',
            (Stage::Ready, false) => 'N',
            (Stage::Unready, false) => 'n',
            (Stage::Waiting, _) => 'w',
            (Stage::Unreachable, true) => 'U',
            (Stage::Unreachable, false) => 'u',
            (Stage::Leaving, _) => 'x',
            (Stage::Missing, true) => 'M',
            (Stage::Missing, false) => 'm',
        };
        let mut letters: Vec<char> = self.there.iter().map(letter).collect();
        letters.sort_by_key(|letter| "OoNnUuMmwx".find(*letter));
        letters.into_iter().collect()
    }

    fn step(&mut self) -> bool {
        let plan = plan(&self.target, &self.there);
        self.there.retain(|seen| !plan.forget.contains(&seen.id));
        self.there.iter_mut().filter(|seen| plan.kill.contains(&seen.id)).for_each(|seen| seen.stage = Stage::Leaving);
        (0..plan.create).for_each(|_| self.add('w'));
        plan.done
    }

    /// The world moves; what comes up is healthy, or is not.
    fn moves(&mut self, healthy: bool) {
        self.there.retain(|seen| seen.stage != Stage::Leaving);
        for seen in self.there.iter_mut().filter(|seen| seen.stage == Stage::Waiting) {
            seen.stage = if healthy { Stage::Ready } else { Stage::Unready };
        }
    }

    /// The instances after each step, until all is as wanted.
    #[track_caller]
    fn goes(mut self, steps: &[&str]) {
        let mut seen = Vec::new();
        while !self.step() {
            assert!(seen.len() < 50, "does not end: {seen:?}");
            seen.push(self.shown());
            self.moves(true);
        }
        seen.push(self.shown());
        assert_eq!(seen, steps);
    }

    /// The same, where nothing that comes up is healthy: where it comes to rest.
    #[track_caller]
    fn rests_unhealthy_at(mut self, end: &str) {
        for _ in 0..20 {
            assert!(!self.step(), "cannot be done");
            self.moves(false);
        }
        assert_eq!(self.shown(), end);
    }
}

#[test]
fn task_replace_with_over_capacity_all_new_come_first() {
    story(2, 1.0, 1.0, "OO").goes(&["OOww", "NNxx", "NN"]);
}

#[test]
fn task_replace_without_over_capacity_one_by_one() {
    story(3, 0.5, 0.0, "OOO").goes(&["OOx", "OOw", "ONx", "ONw", "NNx", "NNw", "NNN"]);
}

#[test]
fn task_replace_with_minimal_over_capacity_one_more_at_a_time() {
    story(2, 1.0, 0.0, "OO").goes(&["OOw", "ONx", "ONw", "NNx", "NN"]);
}

#[test]
fn task_replace_with_two_thirds_over_capacity_in_batches() {
    story(3, 1.0, 2.0 / 3.0, "OOO").goes(&["OOOww", "ONNxx", "ONNw", "NNNx", "NNN"]);
}

#[test]
fn task_replace_downscale_with_over_capacity() {
    story(2, 1.0, 1.0, "OOOOO").goes(&["OOxxx", "OOww", "NNxx", "NN"]);
}

#[test]
fn task_replace_unhealthy_old_ones_go_first() {
    story(3, 1.0, 0.0, "OOo").goes(&["OOwx", "OONw", "ONNx", "ONNw", "NNNx", "NNN"]);
}

#[test]
fn task_replace_new_but_unhealthy_instances_do_not_count_towards_the_minimum() {
    story(2, 1.0, 1.0, "OO").rests_unhealthy_at("OOnn");
    story(4, 0.5, 0.0, "OOOO").rests_unhealthy_at("OOnn");
}

#[test]
fn task_replace_of_one_instance_with_no_minimum_and_no_over_capacity() {
    story(1, 0.0, 0.0, "O").goes(&["x", "w", "N"]);
}

#[test]
fn task_replace_keeps_what_is_new_already_and_completes_at_once() {
    story(2, 1.0, 1.0, "NN").goes(&["NN"]);
    story(2, 1.0, 1.0, "ON").goes(&["ONw", "NNx", "NN"]);
}

#[test]
fn task_replace_waits_until_the_old_ones_are_gone() {
    story(2, 1.0, 1.0, "NNx").goes(&["NNx", "NN"]);
}

#[test]
fn nobody_waits_for_instances_on_agents_that_are_away() {
    story(2, 1.0, 1.0, "OU").goes(&["Oww", "NNx", "NN"]);
    story(2, 1.0, 1.0, "OOu").goes(&["OOw", "ONwx", "NNx", "NN"]);
    story(2, 1.0, 0.0, "OMM").goes(&["Oww", "NNx", "NN"]);
    story(2, 1.0, 1.0, "Nu").goes(&["Nu"]);
    story(2, 1.0, 1.0, "NNm").goes(&["NNm"]);
    story(0, 1.0, 1.0, "NUum").goes(&["x", ""]);
}

#[test]
fn scaling_down_takes_the_unhealthy_first() {
    story(2, 1.0, 1.0, "NNNn").goes(&["NNxx", "NN"]);
}

#[test]
fn a_canary_takes_the_place_of_one_and_comes_to_rest() {
    let mut canary = story(3, 1.0, 1.0, "OOO");
    canary.target.most_new = Some(1);
    canary.goes(&["OOOw", "OONx", "OON"]);
}
