//! The wait for the store. In: what is to be written. Out: that it is. While the disk takes nothing, those who only look
//! are answered, from what will be written as well; everything else waits its turn.

use std::time::Duration;

use store::{Batch, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Actor, Request, WAITING};
use crate::error::MasterError;

/// The longest that a commit takes on a healthy disk. Until then looks wait, too, and see only what is durable.
const PATIENCE: Duration = Duration::from_secs(1);

impl Actor {
    pub(super) async fn store(&mut self, changes: Batch, shutdown: &CancellationToken) -> Result<(), MasterError> {
        if changes.is_empty() {
            return Ok(());
        }
        let began = self.clock.now().elapsed;
        self.committed(changes, shutdown).await?;
        self.timings.state_store.add(self.clock.now().elapsed.saturating_sub(began));
        Ok(())
    }

    async fn committed(&mut self, changes: Batch, shutdown: &CancellationToken) -> Result<(), StoreError> {
        let store = self.store.clone();
        let mut commit = std::pin::pin!(store.commit_patiently(changes, shutdown.cancelled()));
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
        // Who asked may have gone; then nobody needs the answer.
        match request {
            Request::Look { depth, answer } => drop(answer.send(self.core.snapshot(depth))),
            Request::Measure { answer } => drop(answer.send(self.measure())),
            request => self.held.push(request),
        }
    }
}
