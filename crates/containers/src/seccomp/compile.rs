//! A profile for one machine and one container: a program that finds a call's rules by halves.

use std::collections::BTreeMap;

use processes::{Filter, Instruction};

use super::ProfileError;
use super::bpf::{ARCHITECTURE, ARGUMENTS, NUMBER, give, if_all, if_equal, if_less, load};
use super::numbers::{ARM_OWN, Architecture, Machine, Numbers};
use super::profile::{Action, Condition, Others, Profile, Subject};
use super::shared::shared;

/// The kernel takes no more.
const MOST_INSTRUCTIONS: usize = 4096;

const NO_SUCH_CALL: Action = Action::Errno(38);

/// The outcome of a call, by its arguments: the first alternative whose conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fate<'a> {
    alternatives: Vec<(&'a [Condition], Action)>,
    otherwise: Action,
}

impl Profile {
    /// For programs of the machine's other architectures an argument is loaded that nobody asks for. When a filter is set, the
    /// kernel tries out all numbers of every architecture, to remember those that are always allowed, and gives up each at
    /// such a load: that is a third of this trial saved at every command of a check, for a few nanoseconds at each call of
    /// the few programs that are of another architecture.
    pub(super) fn compile(&self, machine: Machine, subject: &Subject) -> Result<Filter, ProfileError> {
        let mut program = vec![load(ARCHITECTURE)];
        for (index, (architecture, numbers)) in machine.iter().enumerate() {
            if index == 0 {
                program.extend(if_equal(architecture.audit, self.program(architecture, numbers, subject)?));
            } else if self.is_about(architecture) {
                let own = self.program(architecture, numbers, subject)?;
                program.extend(if_equal(architecture.audit, [vec![load(ARGUMENTS)], own].concat()));
            }
        }
        program.push(give(Action::KillProcess));
        let program = shared(&program).unwrap_or(program);
        match program.len() {
            length if length > MOST_INSTRUCTIONS => Err(ProfileError::TooManyInstructions(length)),
            _ => Ok(Filter::new(program)),
        }
    }

    fn is_about(&self, architecture: &Architecture) -> bool {
        match &self.others {
            Others::All => true,
            Others::Named(names) => names.iter().any(|name| name == architecture.name),
        }
    }

    fn program(
        &self,
        architecture: &Architecture,
        numbers: &Numbers,
        subject: &Subject,
    ) -> Result<Vec<Instruction>, ProfileError> {
        let mut program = vec![load(NUMBER)];
        program.extend(search(&stretches(&self.ranges(architecture, numbers, subject)))?);
        Ok(program)
    }

    /// The fates of all numbers: each of those from this number on, up to the next. Begins with 0.
    fn ranges(&self, architecture: &Architecture, numbers: &Numbers, subject: &Subject) -> Vec<(u32, Fate<'_>)> {
        let default = Fate { alternatives: Vec::new(), otherwise: self.default };
        let absent = Fate { alternatives: Vec::new(), otherwise: NO_SUCH_CALL };
        let named = self.rules.iter().flat_map(|rule| &rule.names).filter_map(|name| numbers.get(name.as_str()));
        let newest = named.copied().filter(|number| *number < ARM_OWN).max();
        let mut ranges = vec![(0, default.clone())];
        for (number, fate) in self.fates(numbers, subject) {
            ranges.push((number, fate));
            ranges.push((number + 1, default.clone()));
        }
        let unknown = newest.filter(|_| self.default.is_refusal());
        ranges.extend(unknown.map(|newest| (newest + 1, absent.clone())));
        ranges.extend(architecture.end.map(|end| (end, absent)));
        // Of two at the same number the later one counts.
        let ranges: BTreeMap<_, _> = ranges.into_iter().collect();
        let mut ranges: Vec<_> = ranges.into_iter().collect();
        ranges.dedup_by(|next, before| next.1 == before.1);
        ranges
    }

    fn fates(&self, numbers: &Numbers, subject: &Subject) -> BTreeMap<u32, Fate<'_>> {
        let mut fates: BTreeMap<u32, (Fate<'_>, bool)> = BTreeMap::new();
        for rule in self.rules.iter().filter(|rule| rule.is_for(subject)) {
            for number in rule.names.iter().filter_map(|name| numbers.get(name.as_str())) {
                let undecided = || (Fate { alternatives: Vec::new(), otherwise: self.default }, false);
                let (fate, is_decided) = fates.entry(*number).or_insert_with(undecided);
                if !rule.conditions.is_empty() {
                    fate.alternatives.push((&rule.conditions, rule.action));
                } else if !std::mem::replace(is_decided, true) {
                    fate.otherwise = rule.action;
                }
            }
        }
        fates.into_iter().map(|(number, (fate, _))| (number, fate.simplified())).collect()
    }
}

impl Fate<'_> {
    /// Without the alternatives that change nothing.
    fn simplified(mut self) -> Self {
        if self.alternatives.iter().all(|(_, action)| *action == self.otherwise) {
            self.alternatives.clear();
        }
        self
    }

    fn program(&self) -> Result<Vec<Instruction>, ProfileError> {
        let mut program = Vec::new();
        for (conditions, action) in &self.alternatives {
            program.extend(if_all(conditions, *action)?);
        }
        program.push(give(self.otherwise));
        Ok(program)
    }
}

/// Numbers that have one fate, but for one of them perhaps.
struct Stretch<'a, 'b> {
    start: u32,
    fate: &'b Fate<'a>,
    exception: Option<(u32, &'b Fate<'a>)>,
}

/// A number that is alone between two ranges of one fate is asked for, instead of the beginnings of three ranges.
fn stretches<'a, 'b>(ranges: &'b [(u32, Fate<'a>)]) -> Vec<Stretch<'a, 'b>> {
    let (mut stretches, mut rest) = (Vec::new(), ranges);
    while let [(start, fate), after @ ..] = rest {
        let (exception, after) = match after {
            [(alone, other), (next, same), after @ ..] if *next == alone + 1 && same == fate => {
                (Some((*alone, other)), after)
            }
            after => (None, after),
        };
        stretches.push(Stretch { start: *start, fate, exception });
        rest = after;
    }
    stretches
}

fn search(stretches: &[Stretch<'_, '_>]) -> Result<Vec<Instruction>, ProfileError> {
    let (low, high) = stretches.split_at(stretches.len() / 2);
    match (low, high) {
        ([], [stretch]) => stretch.program(),
        (low, [stretch, ..]) => Ok(if_less(stretch.start, search(low)?, search(high)?)),
        (_, []) => Ok(vec![give(Action::KillProcess)]),
    }
}

impl Stretch<'_, '_> {
    fn program(&self) -> Result<Vec<Instruction>, ProfileError> {
        let mut program = Vec::new();
        if let Some((number, fate)) = self.exception {
            program.extend(if_equal(number, fate.program()?));
        }
        program.extend(self.fate.program()?);
        Ok(program)
    }
}
