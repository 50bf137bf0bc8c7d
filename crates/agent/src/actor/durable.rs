//! The wait for the store. In: actions whose changes are to be written. Out: that they are. While the disk takes nothing,
//! those who only look are answered, from what will be written as well; everything else waits its turn.

use std::time::Duration;

use store::{Batch, StoreError};
use tokio::sync::watch;

use super::Actor;
use crate::core::Action;
use crate::error::AgentError;
use crate::handle::{Request, Shutdown, WAITING};
use crate::log;

/// The longest that a commit takes on a healthy disk. Until then looks wait, too, and see only what is durable.
const PATIENCE: Duration = Duration::from_secs(1);

impl Actor {
    pub(super) async fn persist(
        &mut self,
        actions: &[Action],
        told: &watch::Receiver<Shutdown>,
    ) -> Result<(), AgentError> {
        let changes = actions.iter().filter_map(|action| match action {
            Action::Persist(change) => Some(change),
            _ => None,
        });
        Ok(self.committed(log::batch(changes), told.clone()).await?)
    }

    async fn committed(&mut self, changes: Batch, mut told: watch::Receiver<Shutdown>) -> Result<(), StoreError> {
        let store = self.store.clone();
        let give_up = async move { drop(told.changed().await) };
        let mut commit = std::pin::pin!(store.commit_patiently(changes, give_up));
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut commit).await {
            return done;
        }
        loop {
            tokio::select! {
                done = &mut commit => return done,
                Some(request) = self.inbox.recv(), if self.held.len() < WAITING => self.meanwhile(request),
            }
        }
    }

    fn meanwhile(&mut self, request: Request) {
        match request {
            Request::View(look) => look(&self.core, self.clock.now()),
            request => self.held.push(request),
        }
    }
}
