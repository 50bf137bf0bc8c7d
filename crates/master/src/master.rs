//! A whole master: bound to its port, then run.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::actor::Actor;
use crate::books::Books;
use crate::core::{Core, Identity};
use crate::error::MasterError;
use crate::http::{Shared, router};
use crate::options::Options;
use crate::registry;
use crate::timings::Timings;
use mesos::server::{Front, serve};
use shell::{Clock, reachable};

/// A master that has its port, and waits to be run.
#[derive(Debug)]
pub struct Master {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
}

impl Master {
    /// Takes the port. Nothing is read or answered before [`Master::run`].
    pub async fn bind(options: Options) -> Result<Master, MasterError> {
        let (listener, address) = shell::bind("master", options.listen, options.port).await?;
        Ok(Master { listener, address, options })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until told to stop, or until it cannot go on.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), MasterError> {
        let clock = Clock::start()?;
        let now = clock.now();
        let address = reachable(self.address);
        let identity = Identity {
            id: uuid::Uuid::new_v4().to_string(),
            address,
            hostname: self.options.hostname.clone().unwrap_or_else(|| address.ip().to_string()),
            started: now.unix,
            flags: self.options.flags(address.port()).into(),
        };
        let authority = format!("{}:{}", identity.hostname, address.port());
        let memory = registry::recover(&self.options.store).await?;
        let timings = Timings::new(clock.now().elapsed.saturating_sub(now.elapsed));
        let expected_agents = memory.absent.recovered.len();
        tracing::info!(id = identity.id, %address, expected_agents, "master started");
        let core = Core::new(identity, self.options.settings.clone(), memory, now);
        let (actor, requests) = shell::inbox("master");
        let mut part = Actor::new(Books { core, timings }, clock, actor.clone());
        let (front, store) = (Front::new(self.options.hostname.as_deref()), self.options.store.clone());
        let router = router(Shared { actor, authority, options: self.options.into() });
        let serving = serve(self.listener, router, front, shutdown.clone());
        tokio::select! {
            ended = shell::run(&mut part, clock, store, requests, shutdown) => ended,
            () = serving => Ok(()),
        }
    }
}
