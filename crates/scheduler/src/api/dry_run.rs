//! `?dryRun=true` on changes of apps and pods: what would happen, and nothing does. Marathon has it for groups only.

use super::Api;
use super::answer::{Answer, Query, shown};
use crate::core::Proposed;

impl Query {
    /// True if nothing is to be changed.
    pub(super) fn is_dry(&self) -> bool {
        self.flag("dryRun", false)
    }
}

/// The consequences, or the refusal that the change itself would meet.
pub(super) async fn dry_run(api: &Api, asked: Proposed, force: bool) -> Answer {
    shown(&api.ask(move |view, now| view.dry_run(asked, force, now)).await??)
}
