//! The most that a task may have, where that is more than what it asks for.

use serde::{Deserialize, Serialize};

use super::validate::Faults;

/// The limits of a task; what is absent is limited to what is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResourceLimits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cpus: Option<Limit>,
    /// In MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mem: Option<Limit>,
}

/// A limit as it is written: a number, or `unlimited`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "error.expected.jsnumber")]
pub(crate) enum Limit {
    Amount(f64),
    /// `unlimited`; any other word is refused.
    Word(String),
}

const UNLIMITED: &str = "unlimited";

impl Limit {
    /// The amount; infinite without a limit.
    pub(crate) fn amount(&self) -> f64 {
        match self {
            Limit::Amount(amount) => *amount,
            Limit::Word(_) => f64::INFINITY,
        }
    }

    fn validate(&self, asked: f64, at: String, faults: &mut Faults) {
        match self {
            Limit::Word(word) => {
                let error = format!("'{word}' is an invalid resource limit. It must be 'unlimited' or a number");
                faults.require(word == UNLIMITED, at, error);
            }
            Limit::Amount(amount) => {
                let error = format!("resource limit must be greater than or equal to requested resource ({asked:?})");
                faults.require(*amount >= asked, at, error);
            }
        }
    }
}

impl ResourceLimits {
    /// The limits by the names of their resources.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let both = [("cpus", &self.cpus), ("mem", &self.mem)];
        both.into_iter().filter_map(|(name, limit)| Some((name, limit.as_ref()?.amount())))
    }

    /// Adds limits below what is asked for.
    pub(super) fn validate(&self, cpus: f64, mem: f64, at: &str, faults: &mut Faults) {
        for (name, limit, asked) in [("cpus", &self.cpus, cpus), ("mem", &self.mem, mem)] {
            if let Some(limit) = limit {
                limit.validate(asked, format!("{at}/resourceLimits/{name}"), faults);
            }
        }
    }
}
