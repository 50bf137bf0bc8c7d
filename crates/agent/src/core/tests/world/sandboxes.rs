//! The sandboxes of the world, and when what they are to hold has come.

use std::collections::BTreeSet;

use super::World;
use crate::core::{Preparation, SandboxError};

/// The sandboxes that are being filled, and those that are full.
#[derive(Default)]
pub(super) struct Sandboxes {
    coming: Vec<Preparation>,
    filled: BTreeSet<String>,
}

impl Sandboxes {
    /// The agent dies, and whatever was under way with it.
    pub(super) fn interrupt(&mut self) {
        self.coming.clear();
    }

    pub(super) fn is_filled(&self, container: &str) -> bool {
        self.filled.contains(container)
    }
}

impl World {
    pub(super) fn prepare(&mut self, preparation: Preparation) {
        let hosted = self.executors.values().any(|executor| executor.container == preparation.container);
        assert!(!hosted, "nothing is fetched beside an executor");
        self.sandboxes.coming.push(preparation);
    }

    pub(super) fn fetched(&mut self, index: usize, result: Result<(), SandboxError>) {
        if index >= self.sandboxes.coming.len() {
            return;
        }
        let preparation = self.sandboxes.coming.remove(index);
        if result.is_ok() {
            self.sandboxes.filled.insert(preparation.container.value.clone());
        }
        self.core.prepared(self.now, &preparation, result);
        self.carry_out();
    }
}
