//! A scheduler's stream breaks, and the time it has to come back.

use super::Core;
use super::framework::{Framework, Link};
use crate::ids::{FrameworkId, StreamId};
use shell::Now;

impl Core {
    /// The stream is gone: its reader went away, was too slow, or the connection broke.
    pub(crate) fn scheduler_stream_closed(&mut self, now: Now, stream: &StreamId) {
        self.now = now;
        let owner = self.frameworks.values().find(|framework| framework.stream() == Some(stream));
        let Some(framework) = owner.map(|framework| framework.id.clone()) else { return };
        self.disconnect_framework(&framework);
    }

    fn disconnect_framework(&mut self, id: &FrameworkId) {
        let Some(framework) = self.frameworks.get_mut(id) else { return };
        let timeout = framework.failover_timeout();
        framework.link = Link::Disconnected { until: self.now.elapsed.saturating_add(timeout) };
        tracing::info!(framework = %id, ?timeout, "framework disconnected");
        self.allocator.deactivate_framework(id);
        self.drop_offers_of(id);
        if timeout.is_zero() {
            self.remove_framework(id);
        }
    }

    /// Removes the frameworks that did not come back in time.
    pub(super) fn expire_frameworks(&mut self) {
        let now = self.now.elapsed;
        let late = |framework: &&Framework| matches!(framework.link, Link::Disconnected { until } if until <= now);
        let late: Vec<FrameworkId> = self.frameworks.values().filter(late).map(|late| late.id.clone()).collect();
        for id in late {
            tracing::info!(framework = %id, "failover timeout passed");
            self.remove_framework(&id);
        }
    }
}
