//! The connections over which the executors of one process call their agent: a few for all of them. Each has a stream of
//! events besides, which is its own.
//!
//! In: where the agent is, and who calls. Out: a client. Owns no task. Calls over one connection go one after the other,
//! and each is answered when the agent has it on disk; over several they share what a disk takes.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use mesos::Codec;
use mesos::client::Client;
use tokio::sync::Mutex;

/// How many connections, once there are so many executors.
const LINES: usize = 64;

/// Clones share the connections.
#[derive(Clone, Default)]
pub struct Lines {
    clients: Arc<Mutex<Vec<Client>>>,
}

impl Lines {
    /// The client for calls of this executor. The agent may have moved since the last time.
    pub(crate) async fn to(&self, authority: &str, executor: &str) -> Client {
        let mut clients = self.clients.lock().await;
        if clients.first().is_none_or(|client| client.authority() != authority) {
            *clients = (0..LINES).map(|_| Client::new(authority, Codec::Protobuf)).collect();
        }
        let client = clients.get(place(executor)).or_else(|| clients.first()).cloned();
        client.unwrap_or_else(|| Client::new(authority, Codec::Protobuf))
    }
}

/// The same for all calls of an executor, so that they stay in order.
fn place(executor: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    executor.hash(&mut hasher);
    usize::try_from(hasher.finish() % LINES as u64).unwrap_or_default()
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_calls_an_agent_that_moved_calls_it_where_it_is() {
        let lines = Lines::default();
        assert_eq!(lines.to("127.0.0.1:1", "a").await.authority(), "127.0.0.1:1");
        assert_eq!(lines.clone().to("127.0.0.1:2", "a").await.authority(), "127.0.0.1:2");
        assert_eq!(lines.clients.lock().await.len(), LINES);
    }
}
