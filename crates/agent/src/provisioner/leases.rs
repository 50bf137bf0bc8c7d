//! Leases of an agent that comes back: some may be lost or damaged, of runs and containers that live.

use std::fs;
use std::io;
use std::path::Path;

use containers::provision::{Provision, ProvisionedImage};
use containers::store::StoreError;

use super::holder::Holder;
use super::images::Images;
use crate::layout::Layout;

impl Images {
    /// Makes sure that all images are leased that somebody was told of. Comes before anybody can collect; the leases of
    /// those that are over end by the sweep that comes after it. May block.
    pub(crate) fn renew(&self, layout: &Layout) {
        self.renew_all(&layout.executor_states(), |run| Holder::run(run));
        self.renew_all(&layout.containers(), Holder::named);
    }

    fn renew_all(&self, directory: &Path, holder: impl Fn(&str) -> Holder) {
        let told = |error: &io::Error| {
            let directory = directory.display();
            tracing::warn!(%directory, %error, "images of live containers may be collected");
        };
        let states = fs::read_dir(directory).inspect_err(told).into_iter().flatten();
        for state in states.filter_map(|state| state.inspect_err(told).ok()) {
            let Ok(name) = state.file_name().into_string() else { continue };
            for provision in Provision::all(&state.path()) {
                for image in provision.images() {
                    if let Err(error) = self.renew_one(&holder(&name), image) {
                        tracing::warn!(name, %error, "an image of a live container may be collected");
                    }
                }
            }
        }
    }

    fn renew_one(&self, holder: &Holder, image: &ProvisionedImage) -> Result<(), StoreError> {
        // One that was provided has a name.
        let Some(reference) = self.named(&image.reference) else { return Ok(()) };
        self.store().renew(&holder.lease(&reference), &reference, &image.layers)
    }
}
