//! Strategies: for replacing instances, for choosing those that go first, and for those that cannot be reached.

use serde::{Deserialize, Serialize};

use super::seconds::{self, Seconds};
use super::validate::Faults;

/// The pace of replacing instances by those of a new version, as shares of `instances`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UpgradeStrategy {
    /// The share that must stay healthy.
    pub(crate) minimum_health_capacity: f64,
    /// The share by which there may be more than `instances`.
    pub(crate) maximum_over_capacity: f64,
    /// The seconds after which a deployment is taken back: beyond Marathon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deadline_seconds: Option<Seconds>,
    /// The number of instances of the new version that may fail in a deployment; with one more it is taken back: beyond
    /// Marathon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maximum_failures: Option<u32>,
}

impl UpgradeStrategy {
    /// Both shares, by their names.
    pub(super) fn capacities(self) -> [(&'static str, f64); 2] {
        [("minimumHealthCapacity", self.minimum_health_capacity), ("maximumOverCapacity", self.maximum_over_capacity)]
    }

    /// Adds the shares that are none.
    pub(super) fn validate(self, at: &str, faults: &mut Faults) {
        for (name, value) in self.capacities() {
            let error = format!("got {value}, expected between 0.0 and 1.0");
            faults.require((0.0..=1.0).contains(&value), format!("{at}/{name}"), error);
        }
    }
}

impl Default for UpgradeStrategy {
    fn default() -> Self {
        UpgradeStrategy {
            minimum_health_capacity: 1.0,
            maximum_over_capacity: 1.0,
            deadline_seconds: None,
            maximum_failures: None,
        }
    }
}

/// The choice of instances that go first when there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum KillSelection {
    #[default]
    YoungestFirst,
    OldestFirst,
}

/// The fate of instances on agents nobody hears of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be \"disabled\", or have inactiveAfterSeconds and expungeAfterSeconds as numbers")]
pub(crate) enum UnreachableStrategy {
    /// Replace and forget them after a while.
    #[serde(rename_all = "camelCase")]
    After {
        /// The time to start a replacement.
        #[serde(default)]
        inactive_after_seconds: Seconds,
        /// The time to forget the instance.
        #[serde(default, deserialize_with = "seconds::however_long")]
        expunge_after_seconds: Seconds,
    },
    /// `"disabled"`: wait for ever.
    Named(Disabled),
}

/// The one word an unreachable strategy may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Disabled {
    /// Wait for ever.
    Disabled,
}

impl Default for UnreachableStrategy {
    fn default() -> Self {
        UnreachableStrategy::After {
            inactive_after_seconds: Seconds::default(),
            expunge_after_seconds: Seconds::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_may_be_kept_for_longer_than_a_checks_time_can_be() {
        for (written, read) in [("600", "600"), ("1e10", "10000000000.0"), ("1e300", "1.8446744073709552e+19")] {
            let text = |expunge| format!(r#"{{"inactiveAfterSeconds":60,"expungeAfterSeconds":{expunge}}}"#);
            let strategy: UnreachableStrategy = serde_json::from_str(&text(written)).unwrap();
            assert_eq!(serde_json::to_string(&strategy).unwrap(), text(read));
            assert_eq!(serde_json::from_str::<UnreachableStrategy>(&text(read)).unwrap(), strategy);
        }
        for bad in ["-1", "\"1\"", "null"] {
            let text = format!(r#"{{"expungeAfterSeconds": {bad}}}"#);
            assert!(serde_json::from_str::<UnreachableStrategy>(&text).is_err(), "{bad}");
        }
    }
}
