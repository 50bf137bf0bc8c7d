//! A scheduler as a whole: bound to its port, then run until told to stop.
//!
//! Owns these tasks while it runs: the actor, the framework's subscription, the one that has the master empty agents, the one
//! that asks agents what people want to see, the API's server, and, where that is allowed, the one that posts events.

use std::net::SocketAddr;
use std::sync::Arc;

use mesos::server::serve;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::actor::{Actor, Outlets};
use crate::agents::Agents;
use crate::api::{self, Api};
use crate::callback::{BadCallback, Callback};
use crate::callbacks::Callbacks;
use crate::core::{LoadError, Loaded};
use crate::error::SchedulerError;
use crate::framework::Framework;
use crate::handle::Handle;
use crate::operator::Operator;
use crate::options::Options;

/// A scheduler that listens, and does not answer yet.
pub struct Scheduler {
    options: Options,
    listener: TcpListener,
    address: SocketAddr,
    actor: Actor,
}

/// Speaks to a scheduler that runs, from the process it runs in.
#[derive(Clone)]
pub struct Control(Handle);

impl Control {
    /// No task is launched from now on; what ends is launched again by the next run. For when everything is stopped.
    pub async fn stop_launching(&self) {
        self.0.change(|core, _| core.stop_launching()).await;
    }
}

impl Scheduler {
    /// Takes up what is in the store, and the port.
    pub async fn bind(options: Options) -> Result<Scheduler, SchedulerError> {
        let (listener, address) = shell::bind("scheduler", options.listen, options.port).await?;
        let loaded = Loaded::from_store(&options.store).await.map_err(|error| match error {
            LoadError::Store(error) => SchedulerError::Store(error),
            LoadError::Record { .. } => SchedulerError::Record(error.to_string()),
        })?;
        let endpoints = options.event_callbacks.as_deref().unwrap_or_default();
        for url in endpoints {
            let problem =
                |error: BadCallback| SchedulerError::Callback { url: url.clone(), problem: error.to_string() };
            Callback::parse(url).map_err(problem)?;
        }
        let actor = Actor::new(loaded, options.clone())?;
        Ok(Scheduler { options, listener, address, actor })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A way to speak to it while it runs.
    #[must_use]
    pub fn control(&self) -> Control {
        Control(self.actor.handle())
    }

    /// Runs until `shutdown`. Tasks go on.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), SchedulerError> {
        let handle = self.actor.handle();
        let abdication = Arc::new(Notify::new());
        let framework = Framework::new(&self.options, self.address, handle.clone(), abdication.clone());
        let callbacks = self.options.event_callbacks.is_some();
        let callbacks = callbacks.then(|| Callbacks::start(self.actor.subscribers(), handle.clone()));
        let _callbacks = callbacks.map(|callbacks| AbortOnDropHandle::new(tokio::spawn(callbacks.run())));
        let (operator, agents) = (Operator::new(&self.options), Agents::new(&self.options));
        let engine = self.actor.engine();
        let others = (operator.clone(), agents.clone());
        let api = Api::new(handle.clone(), engine, &self.options, self.address, abdication, others);
        let stop = shutdown.child_token();
        let (calls, outbox) = tokio::sync::mpsc::unbounded_channel();
        let (drains, handed_over) = tokio::sync::mpsc::unbounded_channel();
        let (questions, put) = tokio::sync::mpsc::unbounded_channel();
        let framework = tokio::spawn(framework.run(outbox, stop.clone()));
        let operator = tokio::spawn(operator.run(handed_over, handle.clone(), stop.clone()));
        let agents = tokio::spawn(agents.run(put, handle.clone(), stop.clone()));
        let front = api::front(self.options.hostname.as_deref());
        let server = tokio::spawn(serve(self.listener, api::router(api), front, stop.clone()));
        let result = self.actor.run(Outlets { calls, drains, questions }, shutdown).await;
        stop.cancel();
        let _ = framework.await;
        let _ = operator.await;
        let _ = agents.await;
        let _ = server.await;
        result
    }
}
