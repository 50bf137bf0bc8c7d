//! Weights of roles: shares relative to each other, set at the start or by an operator, remembered for ever.

use std::collections::BTreeMap;

use mesos::v1::WeightInfo;

use super::framework_rules::{RoleError, check_role};
use super::frameworks::Framework;
use super::{Action, Core};
use crate::memory::Change;

/// Why no weight is changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum WeightRefusal {
    #[error("Failed to validate update weights request JSON: Invalid role '{role}': {error}")]
    Role { role: String, error: RoleError },
    #[error(
        "Failed to validate update weights request JSON for role '{role}': Invalid weight '{weight}': Weights must be \
         positive"
    )]
    Weight { role: String, weight: f64 },
}

impl Core {
    /// UPDATE_WEIGHTS: all of them or, if one is wrong, none. Roles that are not named keep theirs.
    pub(super) fn update_weights(&mut self, infos: &[WeightInfo]) -> Result<(), WeightRefusal> {
        let mut changed = BTreeMap::new();
        for info in infos {
            changed.insert(check(info)?, info.weight);
        }
        for (role, weight) in &changed {
            self.out.push(Action::Persist(Change::Weight(role.clone(), *weight)));
            self.allocator.set_weight(role, *weight);
        }
        if self.frameworks.live().flat_map(Framework::roles).any(|role| changed.contains_key(&role)) {
            // Shares are divided anew, which needs what was given out by the old ones.
            self.rescind_offers(|_| true);
            self.allocate_soon();
        }
        Ok(())
    }

    /// Every weight somebody has set.
    pub(crate) fn weights(&self) -> Vec<WeightInfo> {
        let weight = |(role, weight): (&String, &f64)| WeightInfo { weight: *weight, role: Some(role.clone()) };
        self.allocator.weights().iter().map(weight).collect()
    }
}

/// The role, if it may have this weight.
fn check(info: &WeightInfo) -> Result<String, WeightRefusal> {
    let role = info.role.as_deref().unwrap_or_default().trim();
    check_role(role).map_err(|error| WeightRefusal::Role { role: role.to_owned(), error })?;
    if !(info.weight.is_finite() && info.weight > 0.0) {
        return Err(WeightRefusal::Weight { role: role.to_owned(), weight: info.weight });
    }
    Ok(role.to_owned())
}
