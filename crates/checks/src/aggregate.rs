//! Several checks of one task, and what they say together. Pure.
//!
//! In: which check has which verdict now. Out: the verdict of all of them, when it changes.

use std::collections::BTreeMap;

use crate::spec::CheckId;
use crate::verdict::Verdict;

/// The sum of verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Healthy when all are; unhealthy when one is.
    #[default]
    All,
    /// Healthy when one is; unhealthy when all are.
    Any,
}

impl Rule {
    /// The verdict of these together; unknown if there are none.
    pub fn of(self, verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        let (decisive, otherwise) = match self {
            Rule::All => (Verdict::Unhealthy, Verdict::Healthy),
            Rule::Any => (Verdict::Healthy, Verdict::Unhealthy),
        };
        let together = verdicts.into_iter().reduce(|one, other| match (one, other) {
            (verdict, _) | (_, verdict) if verdict == decisive => decisive,
            (Verdict::Unknown, _) | (_, Verdict::Unknown) => Verdict::Unknown,
            _ => otherwise,
        });
        together.unwrap_or_default()
    }
}

/// The checks of one task.
#[derive(Clone, Debug)]
pub struct Group {
    rule: Rule,
    verdicts: BTreeMap<CheckId, Verdict>,
}

impl Group {
    /// All unknown.
    pub fn new(rule: Rule, checks: impl IntoIterator<Item = CheckId>) -> Group {
        Group { rule, verdicts: checks.into_iter().map(|check| (check, Verdict::Unknown)).collect() }
    }

    /// The verdict of all of them together.
    pub fn verdict(&self) -> Verdict {
        self.rule.of(self.verdicts.values().copied())
    }

    /// A check has this verdict now. Gives the verdict of all, if that changed it.
    pub fn update(&mut self, check: CheckId, verdict: Verdict) -> Option<Verdict> {
        let before = self.verdict();
        self.verdicts.insert(check, verdict);
        let after = self.verdict();
        (before != after).then_some(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Healthy, Unhealthy, Unknown};

    #[test]
    fn all_and_any() {
        assert_eq!(Rule::All.of([Healthy, Unknown, Unhealthy]), Unhealthy);
        assert_eq!(Rule::All.of([Healthy, Unknown]), Unknown);
        assert_eq!(Rule::All.of([Healthy, Healthy]), Healthy);
        assert_eq!(Rule::Any.of([Unhealthy, Unknown, Healthy]), Healthy);
        assert_eq!(Rule::Any.of([Unhealthy, Unknown]), Unknown);
        assert_eq!(Rule::Any.of([Unhealthy, Unhealthy]), Unhealthy);
        assert_eq!((Rule::All.of([]), Rule::Any.of([Unhealthy])), (Unknown, Unhealthy));
    }

    #[test]
    fn a_group_says_changes_only() {
        let mut group = Group::new(Rule::All, [1, 2]);
        assert_eq!(group.update(1, Healthy), None);
        assert_eq!(group.update(2, Healthy), Some(Healthy));
        assert_eq!(group.update(2, Healthy), None);
        assert_eq!(group.update(1, Unhealthy), Some(Unhealthy));
        assert_eq!(group.update(2, Unhealthy), None);
    }
}
