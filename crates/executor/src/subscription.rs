//! The agent's v1 executor API, seen from the executor. One task per logical executor runs [`Subscription::run`].
//!
//! In: [`Outgoing`] from the executor, events from the agent. Out: [`Incoming`] to the executor. States are methods:
//! `disconnected` tries until it has a stream or gives up, `subscribed` ends when the stream or a call breaks. What is
//! not acknowledged is said again with every SUBSCRIBE, and dropping the executor's end of the channel ends it all.

use std::sync::Arc;
use std::time::Duration;

use mesos::Codec;
use mesos::client::{Client, ClientError, EventStream};
use mesos::v1::executor::{Call, Event, call, event};
use mesos::v1::{ExecutorId, FrameworkId, TaskInfo, TaskStatus};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::clock::now;
use crate::environment::ExecutorConfig;
use crate::lines::Lines;
use crate::reconnect::{Absence, Next};
use crate::updates::Unacknowledged;

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(30 * 60);

/// What the executor says.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A task was accepted; to be named until the agent acknowledges any of its updates.
    Launched(Box<TaskInfo>),
    /// An update, to be repeated until it is acknowledged.
    Update(Box<TaskStatus>),
}

/// What the executor hears.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// The agent speaks.
    Event(Box<Event>),
    /// The subscription broke; the agent may come back.
    Away,
    /// The agent is gone for good.
    Lost,
}

/// The executor went away; so does the subscription.
#[derive(Debug)]
struct Abandoned;

/// One executor's relation to its agent.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) config: Arc<ExecutorConfig>,
    pub(crate) lines: Lines,
    pub(crate) unacknowledged: Unacknowledged,
    pub(crate) outgoing: mpsc::UnboundedReceiver<Outgoing>,
    pub(crate) incoming: mpsc::Sender<Incoming>,
}

/// A subscription that stands.
struct Connection {
    client: Client,
    events: EventStream<Event>,
}

impl Subscription {
    /// Keeps up the subscription until the executor goes away or the agent is lost.
    pub(crate) async fn run(mut self) {
        if self.keep_up().await.is_err() {
            return;
        }
        let _executor_gone = self.incoming.send(Incoming::Lost).await;
        // Whatever is said from here on, nobody hears; the executor ends by itself.
        while self.outgoing.recv().await.is_some() {}
    }

    /// Ends when the agent is lost.
    async fn keep_up(&mut self) -> Result<(), Abandoned> {
        let rules = self.config.reconnection;
        let mut absence = Absence::initial(rules, now());
        while let Some(connection) = Box::pin(self.disconnected(absence)).await? {
            self.subscribed(connection).await?;
            self.incoming.send(Incoming::Away).await.map_err(|_| Abandoned)?;
            absence = Absence::begin(rules, now());
        }
        Ok(())
    }

    async fn disconnected(&mut self, mut absence: Absence) -> Result<Option<Connection>, Abandoned> {
        loop {
            let Next::RetryAfter(wait) = absence.next(now(), fastrand::f64()) else { return Ok(None) };
            self.remember_until(sleep(wait)).await?;
            match self.connect().await {
                Ok(connection) => return Ok(Some(connection)),
                Err(error) => tracing::debug!(%error, "cannot subscribe yet"),
            }
        }
    }

    /// Takes what the executor says while nobody can be told.
    async fn remember_until(&mut self, pause: impl Future<Output = ()>) -> Result<(), Abandoned> {
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return Ok(()),
                said = self.outgoing.recv() => {
                    self.remember(said.ok_or(Abandoned)?);
                }
            }
        }
    }

    fn remember(&mut self, said: Outgoing) {
        match said {
            Outgoing::Launched(task) => self.unacknowledged.launched(*task),
            Outgoing::Update(status) => self.unacknowledged.made(*status),
        }
    }

    async fn connect(&mut self) -> Result<Connection, ClientError> {
        let client = self.client().await?;
        let subscribe = call::Subscribe {
            unacknowledged_tasks: self.unacknowledged.tasks().to_vec(),
            unacknowledged_updates: self
                .unacknowledged
                .updates()
                .iter()
                .map(|status| call::Update { status: status.clone() })
                .collect(),
        };
        let call = Call { subscribe: Some(subscribe), ..self.call(call::Type::Subscribe) };
        let events = client.subscribe(&self.config.agent.executor_path(), &call).await?;
        Ok(Connection { client, events })
    }

    /// One that has to show who it is has a connection of its own.
    async fn client(&self) -> Result<Client, ClientError> {
        let authority = self.config.agent.authority();
        match &self.config.token {
            Some(token) => Client::new(authority, Codec::Protobuf).with_token(token),
            None => Ok(self.lines.to(&authority, &self.config.executor_id).await),
        }
    }

    /// Waits, mostly; what is done in between has its memory on the heap while it lasts.
    async fn subscribed(&mut self, mut connection: Connection) -> Result<(), Abandoned> {
        let mut heartbeat = interval(HEARTBEAT_INTERVAL);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        loop {
            let stands = tokio::select! {
                event = connection.events.next() => match event {
                    Ok(Some(event)) => Box::pin(self.heard(event)).await?,
                    Ok(None) => false,
                    Err(error) => {
                        tracing::info!(%error, "the subscription broke");
                        false
                    }
                },
                said = self.outgoing.recv() => Box::pin(self.say(&connection.client, said.ok_or(Abandoned)?)).await,
                _ = heartbeat.tick() => Box::pin(self.send(&connection.client, &heartbeat_call())).await,
            };
            if !stands {
                return Ok(());
            }
        }
    }

    /// Whether the subscription still stands.
    async fn heard(&mut self, event: Event) -> Result<bool, Abandoned> {
        if let (event::Type::Acknowledged, Some(acknowledged)) = (event.r#type(), &event.acknowledged) {
            self.unacknowledged.acknowledged(&acknowledged.uuid);
        }
        self.incoming.send(Incoming::Event(Box::new(event))).await.map_err(|_| Abandoned)?;
        Ok(true)
    }

    async fn say(&mut self, client: &Client, said: Outgoing) -> bool {
        let update = match &said {
            Outgoing::Launched(_) => None,
            Outgoing::Update(status) => Some(call::Update { status: (**status).clone() }),
        };
        self.remember(said);
        let Some(update) = update else { return true };
        let call = Call { update: Some(update), ..self.call(call::Type::Update) };
        self.send(client, &call).await
    }

    async fn send(&self, client: &Client, call: &Call) -> bool {
        match client.call(&self.config.agent.executor_path(), call, None).await {
            Ok(_accepted) => true,
            // It will not get better, and the subscription is not at fault. What is not acknowledged is said again.
            Err(error @ ClientError::Refused { .. }) => {
                tracing::warn!(%error, "the agent refused a call");
                true
            }
            Err(error) => {
                tracing::info!(%error, "lost the agent during a call");
                false
            }
        }
    }

    fn call(&self, kind: call::Type) -> Call {
        Call {
            executor_id: ExecutorId { value: self.config.executor_id.clone() },
            framework_id: FrameworkId { value: self.config.framework_id.clone() },
            r#type: Some(kind.into()),
            ..Call::default()
        }
    }
}

/// Agents take it without looking who it is from.
fn heartbeat_call() -> Call {
    Call {
        executor_id: ExecutorId { value: "unused".to_owned() },
        framework_id: FrameworkId { value: "unused".to_owned() },
        r#type: Some(call::Type::Heartbeat.into()),
        ..Call::default()
    }
}
