//! A scheduler's stream breaks, and the time it has to come back.

use super::Core;
use crate::ids::{FrameworkId, StreamId};
use shell::Now;

impl Core {
    /// The stream is gone: its reader went away, was too slow, or the connection broke.
    pub(crate) fn scheduler_stream_closed(&mut self, now: Now, stream: &StreamId) {
        self.now = now;
        if let Some(framework) = self.frameworks.on_stream(stream) {
            self.disconnect_framework(&framework);
        }
    }

    fn disconnect_framework(&mut self, id: &FrameworkId) {
        let Some(framework) = self.frameworks.get_mut(id) else { return };
        let timeout = framework.failover_timeout();
        framework.disconnect(self.now.elapsed.saturating_add(timeout));
        tracing::info!(framework = %id, ?timeout, "framework disconnected");
        self.allocator.deactivate_framework(id);
        self.drop_offers_of(id);
        if timeout.is_zero() {
            self.remove_framework(id);
        }
    }

    /// Removes the frameworks that did not come back in time.
    pub(super) fn expire_frameworks(&mut self) {
        for id in self.frameworks.late(self.now.elapsed) {
            tracing::info!(framework = %id, "failover timeout passed");
            self.remove_framework(&id);
        }
    }
}
