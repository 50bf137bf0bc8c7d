//! Somebody looks at how tasks are: so agents are asked whether the checks of these are made, and whoever wants to know that
//! at once waits for their answers. Not one of Marathon's.

use std::time::Duration;

use super::Api;
use crate::handle::Report;
use crate::view::Embed;

/// The longest that somebody waits: a little more than an agent has.
const PATIENCE: Duration = Duration::from_millis(3500);

/// The time between two looks whether all have answered.
const AGAIN: Duration = Duration::from_millis(50);

impl Api {
    /// Says that somebody looks. One who waits is there until the agents have answered, or do not.
    pub(super) async fn looked(&self, waits: bool) {
        self.actor.report(Report::Looked).await;
        if waits && self.standing.borrow().is_acting() {
            let _or_in_vain = tokio::time::timeout(PATIENCE, self.told_of_checks()).await;
        }
    }

    /// The same, where it shows how tasks are.
    pub(super) async fn looked_for(&self, embed: &Embed) {
        if embed.health {
            self.looked(embed.checkers).await;
        }
    }

    async fn told_of_checks(&self) {
        while self.actor.ask(|view, now| view.lateness.is_settled(now)).await == Some(false) {
            tokio::time::sleep(AGAIN).await;
        }
    }
}
