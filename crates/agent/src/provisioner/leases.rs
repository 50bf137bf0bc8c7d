//! Leases of an agent that comes back: some may be lost or damaged, of runs whose containers live.

use std::fs;
use std::path::Path;

use containers::provision::{Provision, ProvisionedImage};
use containers::store::StoreError;

use super::images::{Images, lease};

impl Images {
    /// Makes sure that all images are leased that executors were told of. Comes before anybody can collect; the leases of
    /// runs that are over end by the sweep that comes after it. May block.
    pub(crate) fn renew(&self, executor_states: &Path) {
        for state in fs::read_dir(executor_states).into_iter().flatten().flatten() {
            let Ok(container) = state.file_name().into_string() else { continue };
            for provision in Provision::all(&state.path()) {
                for image in provision.images() {
                    if let Err(error) = self.renew_one(&container, image) {
                        tracing::warn!(container, %error, "an image of a live run may be collected");
                    }
                }
            }
        }
    }

    fn renew_one(&self, container: &str, image: &ProvisionedImage) -> Result<(), StoreError> {
        // One that was provided has a name.
        let Some(reference) = self.named(&image.reference) else { return Ok(()) };
        self.store().renew(&lease(container, &reference), &reference, &image.layers)
    }
}
