//! Refusals: offers that frameworks do not want again for a while.
//!
//! A filter belongs to one framework, role and agent, and hides every offer that fits in what was refused.

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::resources::Resources;

use crate::ids::{AgentId, FrameworkId};

/// `refuse_seconds` when a framework says nothing, or nonsense.
const DEFAULT_REFUSAL: Duration = Duration::from_secs(5);
const MAX_REFUSAL: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Filters kept for one framework, role and agent; the one that ends first makes room.
const MAX_FILTERS: usize = 16;

/// The time that a refusal lasts; `None` for "offer it again at once".
pub(crate) fn refusal(refuse_seconds: Option<f64>) -> Option<Duration> {
    let Some(seconds) = refuse_seconds else { return Some(DEFAULT_REFUSAL) };
    if seconds == 0.0 {
        return None;
    }
    if seconds.is_nan() || seconds < 0.0 {
        return Some(DEFAULT_REFUSAL);
    }
    Some(Duration::try_from_secs_f64(seconds).map_or(MAX_REFUSAL, |asked| asked.min(MAX_REFUSAL)))
}

#[derive(Debug)]
struct Filter {
    refused: Resources,
    until: Duration,
}

type Key = (FrameworkId, String, AgentId);

#[derive(Debug, Default)]
pub(super) struct Filters {
    refused: BTreeMap<Key, Vec<Filter>>,
}

impl Filters {
    pub(super) fn add(&mut self, key: Key, refused: Resources, until: Duration) {
        let filters = self.refused.entry(key).or_default();
        filters.retain(|filter| filter.until > until || !refused.contains(&filter.refused));
        filters.push(Filter { refused, until });
        filters.sort_by_key(|filter| std::cmp::Reverse(filter.until));
        filters.truncate(MAX_FILTERS);
    }

    /// True if the framework has refused at least as much of this agent.
    pub(super) fn hides(&self, key: &Key, offer: &Resources) -> bool {
        self.refused.get(key).is_some_and(|filters| filters.iter().any(|filter| filter.refused.contains(offer)))
    }

    pub(super) fn expire(&mut self, now: Duration) {
        self.refused.retain(|_, filters| {
            filters.retain(|filter| filter.until > now);
            !filters.is_empty()
        });
    }

    pub(super) fn forget_agent(&mut self, agent: &AgentId) {
        self.refused.retain(|(_, _, filtered), _| filtered != agent);
    }

    pub(super) fn forget_framework(&mut self, framework: &FrameworkId) {
        self.refused.retain(|(filtered, _, _), _| filtered != framework);
    }

    pub(super) fn forget_role(&mut self, framework: &FrameworkId, role: &str) {
        self.refused.retain(|(filtered, filtered_role, _), _| filtered != framework || filtered_role != role);
    }

    pub(super) fn by_role(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for ((_, role, _), filters) in &self.refused {
            *counts.entry(role.as_str()).or_default() += filters.len();
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_follow_the_rules_of_the_wire() {
        let year = Duration::from_secs(31_536_000);
        assert_eq!(refusal(None), Some(Duration::from_secs(5)));
        assert_eq!(refusal(Some(0.0)), None);
        assert_eq!(refusal(Some(-1.0)), Some(Duration::from_secs(5)));
        assert_eq!(refusal(Some(f64::NAN)), Some(Duration::from_secs(5)));
        assert_eq!(refusal(Some(0.25)), Some(Duration::from_millis(250)));
        assert_eq!(refusal(Some(1e9)), Some(year));
        assert_eq!(refusal(Some(f64::INFINITY)), Some(year));
    }
}
