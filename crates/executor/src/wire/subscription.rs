//! The agent's v1 executor API, seen from the executor. One task per logical executor runs [`Subscription::run`].
//!
//! In: [`Outgoing`] from the executor, events from the agent. Out: [`Incoming`] to the executor. States are methods:
//! `disconnected` tries until it has a stream or gives up, `subscribed` ends when the stream or a call breaks. What is
//! not acknowledged is said again with every SUBSCRIBE, and on a stream that stands after the agent was not ready for an
//! update. Dropping the executor's end of the channel ends it all.

use std::sync::Arc;
use std::time::Duration;

use mesos::Codec;
use mesos::client::{Client, ClientError, EventStream};
use mesos::v1::executor::event::Content;
use mesos::v1::executor::{Call, Event, call};
use mesos::v1::{TaskInfo, TaskStatus};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::clock::now;
use crate::config::{Absence, ExecutorConfig};
use crate::wire::{Connections, Unacknowledged};

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(30 * 60);

/// A word of the executor.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A task was accepted; to be named until the agent acknowledges any of its updates.
    Launched(Box<TaskInfo>),
    /// An update, to be repeated until it is acknowledged.
    Update(Box<TaskStatus>),
    /// An answer to a question of the agent; nobody waits for it any more once the subscription has broken.
    History(call::History),
    /// The progress of a pull, which is old news once the subscription has broken.
    Pulling(call::Pulling),
}

/// A word to the executor.
#[derive(Debug)]
pub(crate) enum Incoming {
    Event(Box<Content>),
    /// The subscription broke; the agent may come back.
    Away,
    /// The agent is gone for good, or wants nothing of this executor.
    Lost,
}

/// The executor went away; so does the subscription.
#[derive(Debug)]
struct Abandoned;

/// One executor's relation to its agent.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) config: Arc<ExecutorConfig>,
    pub(crate) connections: Connections,
    pub(crate) dismissal: watch::Receiver<bool>,
    pub(crate) unacknowledged: Unacknowledged,
    pub(crate) outgoing: mpsc::UnboundedReceiver<Outgoing>,
    pub(crate) incoming: mpsc::Sender<Incoming>,
}

/// The fate of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    /// The agent has taken it, or never will.
    Heard,
    /// The agent recovers, and is to be told again. An event it sends meanwhile comes over the stream that stands.
    NotYet,
    /// The agent is away.
    Lost,
}

struct Connection {
    client: Client,
    events: EventStream<Event>,
}

impl Subscription {
    /// Keeps up the subscription until the executor goes away or is dismissed, or the agent is lost.
    pub(crate) async fn run(mut self) {
        let mut dismissal = self.dismissal.clone();
        tokio::select! {
            kept = self.keep_up() => if kept.is_err() {
                return;
            },
            Ok(_dismissed) = dismissal.wait_for(|dismissed| *dismissed) => {}
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
            let Some(pause) = absence.pause(now(), fastrand::f64()) else { return Ok(None) };
            self.remember_until(sleep(pause)).await?;
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
            Outgoing::History(_) | Outgoing::Pulling(_) => {}
        }
    }

    async fn connect(&mut self) -> Result<Connection, ClientError> {
        let client = self.client().await?;
        let updates = self.unacknowledged.updates().iter().map(|status| call::Update { status: status.clone() });
        let unacknowledged_tasks = self.unacknowledged.tasks().to_vec();
        let subscribe = call::Subscribe { unacknowledged_tasks, unacknowledged_updates: updates.collect() };
        let call = self.own(Call::subscribe(subscribe));
        let events = client.subscribe(&self.config.agent.executor_path(), &call).await?;
        Ok(Connection { client, events })
    }

    /// One that has to show who it is has a connection of its own.
    async fn client(&self) -> Result<Client, ClientError> {
        let authority = self.config.agent.authority();
        match &self.config.token {
            Some(token) => Client::new(authority, Codec::Protobuf).with_token(token),
            None => Ok(self.connections.to(&authority, &self.config.executor_id)),
        }
    }

    /// Waits, mostly; what is done in between has its memory on the heap while it lasts.
    async fn subscribed(&mut self, mut connection: Connection) -> Result<(), Abandoned> {
        let mut heartbeat = interval(HEARTBEAT_INTERVAL);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        let mut again = None;
        loop {
            let reply = tokio::select! {
                event = connection.events.next() => match event {
                    Ok(Some(event)) => Box::pin(self.heard(event)).await.map(|()| Reply::Heard)?,
                    Ok(None) => Reply::Lost,
                    Err(error) => {
                        tracing::info!(%error, "the subscription broke");
                        Reply::Lost
                    }
                },
                said = self.outgoing.recv() => match (said.ok_or(Abandoned)?, again) {
                    (said, None) => Box::pin(self.say(&connection.client, said)).await,
                    // It goes after what has to be said again.
                    (said, Some(_)) => {
                        self.remember(said);
                        Reply::Heard
                    }
                },
                () = at(again) => {
                    again = None;
                    Box::pin(self.say_again(&connection.client)).await
                }
                _ = heartbeat.tick() => Box::pin(self.send(&connection.client, &heartbeat_call())).await,
            };
            match reply {
                Reply::Heard => {}
                Reply::NotYet => again = Some(again.unwrap_or_else(|| Instant::now() + self.pause())),
                Reply::Lost => return Ok(()),
            }
        }
    }

    /// Between two attempts to tell an agent that is not ready.
    fn pause(&self) -> Duration {
        self.config.reconnection.backoff_max.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    async fn heard(&mut self, event: Content) -> Result<(), Abandoned> {
        if let Content::Acknowledged(acknowledged) = &event {
            self.unacknowledged.acknowledged(&acknowledged.uuid);
        }
        self.incoming.send(Incoming::Event(Box::new(event))).await.map_err(|_| Abandoned)
    }

    async fn say(&mut self, client: &Client, said: Outgoing) -> Reply {
        let call = match &said {
            Outgoing::Launched(_) => None,
            Outgoing::Update(status) => Some(Call::update(call::Update { status: (**status).clone() })),
            Outgoing::History(history) => Some(Call::history(history.clone())),
            Outgoing::Pulling(pulling) => Some(Call::pulling(pulling.clone())),
        };
        self.remember(said);
        match call {
            Some(call) => self.send(client, &self.own(call)).await,
            None => Reply::Heard,
        }
    }

    /// All that is not acknowledged, oldest first, as far as the agent takes it.
    async fn say_again(&self, client: &Client) -> Reply {
        for status in self.unacknowledged.updates() {
            match self.update(client, status.clone()).await {
                Reply::Heard => {}
                reply => return reply,
            }
        }
        Reply::Heard
    }

    async fn update(&self, client: &Client, status: TaskStatus) -> Reply {
        self.send(client, &self.own(Call::update(call::Update { status }))).await
    }

    async fn send(&self, client: &Client, call: &Call) -> Reply {
        match client.call(&self.config.agent.executor_path(), call, None).await {
            Ok(_accepted) => Reply::Heard,
            // It will not get better, and the subscription is not at fault. What is not acknowledged is said again.
            Err(error @ ClientError::Refused { .. }) => {
                tracing::warn!(%error, "the agent refused a call");
                Reply::Heard
            }
            Err(error @ ClientError::Unavailable { .. }) => {
                tracing::info!(%error, "the agent is to be told again");
                Reply::NotYet
            }
            Err(error) => {
                tracing::info!(%error, "lost the agent during a call");
                Reply::Lost
            }
        }
    }

    /// The call with this executor's ids.
    fn own(&self, call: Call) -> Call {
        Call {
            executor_id: self.config.executor_id.as_str().into(),
            framework_id: self.config.framework_id.as_str().into(),
            ..call
        }
    }
}

/// Comes back then, or never.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Agents take it without looking who it is from.
fn heartbeat_call() -> Call {
    Call { executor_id: "unused".into(), framework_id: "unused".into(), ..Call::heartbeat() }
}
