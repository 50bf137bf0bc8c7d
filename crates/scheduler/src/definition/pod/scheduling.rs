//! The number of a pod's instances, and the places, times and pace at which they are launched and replaced.

use serde::{Deserialize, Serialize};

use crate::definition::constraint::Constraint;
use crate::definition::strategy::{KillSelection, UnreachableStrategy, UpgradeStrategy};
use crate::definition::{AppBrake, Seconds};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Scaling {
    pub(crate) kind: String,
    #[serde(default = "one")]
    pub(crate) instances: u32,
    /// More than these are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_instances: Option<u32>,
}

impl Default for Scaling {
    fn default() -> Self {
        Scaling { kind: "fixed".into(), instances: 1, max_instances: None }
    }
}

/// The places, times and pace at which instances are launched and replaced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Scheduling {
    pub(crate) backoff: Backoff,
    pub(crate) upgrade: UpgradeStrategy,
    /// Limits on kills for health, where they are different from others: beyond Marathon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) brake: Option<AppBrake>,
    pub(crate) placement: Placement,
    pub(crate) kill_selection: KillSelection,
    pub(crate) unreachable_strategy: UnreachableStrategy,
}

/// The growing wait between a failure and the next launch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Backoff {
    pub(crate) backoff: Seconds,
    pub(crate) backoff_factor: f64,
    pub(crate) max_launch_delay: Seconds,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { backoff: Seconds::whole(1), backoff_factor: 1.15, max_launch_delay: Seconds::whole(300) }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Placement {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) constraints: Vec<PodConstraint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) accepted_resource_roles: Vec<String>,
}

/// A constraint in the form pods have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PodConstraint {
    pub(crate) field_name: String,
    pub(crate) operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
}

impl PodConstraint {
    /// In the form apps have it; refused in Marathon's words.
    pub(super) fn constraint(&self) -> Result<Constraint, &'static str> {
        let words = [self.field_name.clone(), self.operator.clone()].into_iter().chain(self.value.clone());
        Constraint::parse(&words.collect::<Vec<_>>())
    }
}

fn one() -> u32 {
    1
}
