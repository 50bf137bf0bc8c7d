//! A scheduler as a whole: bound to its port, then run until told to stop.
//!
//! Owns three tasks while it runs: the actor, the framework's subscription, and the API's server.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::actor::Actor;
use crate::api::{self, Api};
use crate::core::{Core, LoadError, Loaded};
use crate::error::SchedulerError;
use crate::framework::Framework;
use crate::options::Options;
use crate::time::Timestamp;

/// A scheduler that listens, and does not answer yet.
#[derive(Debug)]
pub struct Scheduler {
    options: Options,
    listener: TcpListener,
    address: SocketAddr,
    core: Core,
}

impl Scheduler {
    /// Takes up what is in the store, and the port.
    pub async fn bind(options: Options) -> Result<Scheduler, SchedulerError> {
        let wanted = SocketAddr::new(options.listen, options.port);
        let listener = TcpListener::bind(wanted).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => SchedulerError::PortInUse { address: wanted },
            _ => SchedulerError::Listen { address: wanted, source },
        })?;
        let address = listener.local_addr().map_err(|source| SchedulerError::Listen { address: wanted, source })?;
        let loaded = Loaded::from_store(&options.store).await.map_err(|error| match error {
            LoadError::Store(error) => SchedulerError::Store(error),
            LoadError::Record { .. } => SchedulerError::Record(error.to_string()),
        })?;
        let core = Core::new(loaded, fastrand::u64(..), Timestamp::now());
        Ok(Scheduler { options, listener, address, core })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `shutdown`. Tasks go on.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), SchedulerError> {
        let actor = Actor::new(self.core, self.options.store.clone())?;
        let handle = actor.handle();
        let framework = Framework::new(&self.options, self.address, handle.clone());
        let api = Api::new(handle, &self.options, self.address);
        let stop = shutdown.child_token();
        let (calls, outbox) = tokio::sync::mpsc::unbounded_channel();
        let framework = tokio::spawn(framework.run(outbox, stop.clone()));
        let server = tokio::spawn(api::serve(api, self.listener, stop.clone()));
        let result = actor.run(calls, shutdown).await;
        stop.cancel();
        let _ = framework.await;
        let _ = server.await;
        result
    }
}
