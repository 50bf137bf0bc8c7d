//! The connections over which the executors of one process call their agent: a few for all of them. Each has a stream of
//! events besides, which is its own.
//!
//! In: where the agent is, and which executor calls. Out: a client. Owns no task. Calls over one connection go one after
//! the other, and each is answered when the agent has it on disk; over several they share what a disk takes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use mesos::Codec;
use mesos::client::Client;
use tokio::sync::watch;

/// The number of connections, once there are so many executors.
const CONNECTIONS: u64 = 64;

/// Clones share the connections, of which the newest ones are published to all.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    clients: Arc<watch::Sender<Vec<Client>>>,
}

impl Connections {
    /// The client for calls of this executor, the same for all of them, so that they stay in order. The agent may have
    /// moved since the last time.
    pub(crate) fn to(&self, authority: &str, executor: &str) -> Client {
        let fresh = || Client::new(authority, Codec::Protobuf);
        self.clients.send_if_modified(|clients| {
            let moved = clients.first().is_none_or(|client| client.authority() != authority);
            if moved {
                *clients = (0..CONNECTIONS).map(|_| fresh()).collect();
            }
            moved
        });
        let mut hasher = DefaultHasher::new();
        executor.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % CONNECTIONS).unwrap_or(0);
        self.clients.borrow().get(place).cloned().unwrap_or_else(fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_agent_that_moved_is_called_where_it_is() {
        let connections = Connections::default();
        assert_eq!(connections.to("127.0.0.1:1", "a").authority(), "127.0.0.1:1");
        assert_eq!(connections.clone().to("127.0.0.1:2", "a").authority(), "127.0.0.1:2");
        assert_eq!(connections.clients.borrow().len(), 64);
    }
}
