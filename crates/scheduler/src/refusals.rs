//! Why offers were of no use to an app that waits for some: counted, as `/v2/queue` shows it. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::time::Timestamp;

/// Why an offer is of no use, in the order in which it is looked at; names are Marathon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    UnfulfilledRole,
    UnfulfilledConstraint,
    AgentMaintenance,
    InsufficientCpus,
    InsufficientMemory,
    InsufficientDisk,
    InsufficientPorts,
}

/// All reasons, in order.
const REASONS: [Reason; 7] = [
    Reason::UnfulfilledRole,
    Reason::UnfulfilledConstraint,
    Reason::AgentMaintenance,
    Reason::InsufficientCpus,
    Reason::InsufficientMemory,
    Reason::InsufficientDisk,
    Reason::InsufficientPorts,
];

/// How many offers were of no use, by reason.
pub(crate) type Counts = BTreeMap<Reason, usize>;

/// What became of the offers an app has seen since its instances wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    used: usize,
    unused: usize,
    last_used: Option<Timestamp>,
    last_unused: Option<Timestamp>,
    last: Counts,
    all: Counts,
}

impl Refusals {
    /// Some offers were looked at: so many were used, the others were of no use.
    pub(crate) fn note(&mut self, used: usize, unused: &Counts, now: Timestamp) {
        if used > 0 {
            self.used += used;
            self.last_used = Some(now);
        }
        if !unused.is_empty() {
            self.unused += unused.values().sum::<usize>();
            self.last_unused = Some(now);
            self.last.clone_from(unused);
            unused.iter().for_each(|(reason, count)| *self.all.entry(*reason).or_default() += count);
        }
    }

    /// What most of the last offers lacked.
    #[must_use]
    pub(crate) fn main_reason(&self) -> Option<Reason> {
        self.last.iter().max_by_key(|(_, count)| **count).map(|(reason, _)| *reason)
    }

    /// As `processedOffersSummary`.
    #[must_use]
    pub(crate) fn json(&self) -> Value {
        let mut json = json!({
            "processedOffersCount": self.used + self.unused, "unusedOffersCount": self.unused,
            "rejectSummaryLastOffers": funnel(&self.last, 0), "rejectSummaryLaunchAttempt": funnel(&self.all, self.used),
        });
        for (name, moment) in [("lastUnusedOfferAt", self.last_unused), ("lastUsedOfferAt", self.last_used)] {
            if let Some(moment) = moment {
                json[name] = json!(moment);
            }
        }
        json
    }
}

/// How many offers came to each question, and how many failed there.
fn funnel(counts: &Counts, used: usize) -> Value {
    let mut left = used + counts.values().sum::<usize>();
    let question = |reason: &Reason| {
        let declined = counts.get(reason).copied().unwrap_or(0);
        let step = json!({"reason": format!("{reason:?}"), "declined": declined, "processed": left});
        left -= declined;
        step
    };
    REASONS.iter().map(question).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_fall_out_one_question_after_the_other() {
        let mut refusals = Refusals::default();
        let now = Timestamp::from_millis(0);
        refusals.note(1, &Counts::from([(Reason::InsufficientCpus, 2), (Reason::InsufficientPorts, 1)]), now);
        refusals.note(0, &Counts::from([(Reason::UnfulfilledConstraint, 3)]), now);
        let json = refusals.json();
        assert_eq!((&json["processedOffersCount"], &json["unusedOffersCount"]), (&json!(7), &json!(6)));
        assert_eq!(
            json["rejectSummaryLastOffers"][1],
            json!({"reason": "UnfulfilledConstraint", "declined": 3, "processed": 3})
        );
        assert_eq!(json["rejectSummaryLastOffers"][3]["processed"], 0);
        let attempt = &json["rejectSummaryLaunchAttempt"];
        assert_eq!(attempt[3], json!({"reason": "InsufficientCpus", "declined": 2, "processed": 4}));
        assert_eq!(attempt[6], json!({"reason": "InsufficientPorts", "declined": 1, "processed": 2}));
        assert_eq!(refusals.main_reason(), Some(Reason::UnfulfilledConstraint));
    }
}
