//! The subscription at the master, kept up for as long as the agent runs.
//!
//! Comes in: events of the master, calls of the actor. Goes out: both, to the other side. One tokio task runs
//! [`Registration::run`]. Its states are methods: `disconnected` tries until it has a stream, `subscribed` ends when
//! the stream breaks, a call fails, or the master is silent for too long.

use std::time::Duration;

use mesos::Codec;
use mesos::client::{Client, ClientError, EventStream, Stranger};
use mesos::credentials::Credential;
use mesos::duration::from_seconds;
use mesos::v1::cygnet::agent_event::Content;
use mesos::v1::cygnet::{AgentCall, AgentEvent, agent_call};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::handle::{Handle, Request};
use shell::{Stopped, Subscriber};

/// The master's path for agents.
const PATH: &str = "/cygnet/v1/agent";

/// The longest wait between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// The longest silence of the master until it says how long that is.
const PING_TIMEOUT: Duration = Duration::from_secs(75);

/// A call that takes longer than this has lost its master.
const CALL_PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub(crate) struct Registration {
    /// `ip:port`
    pub(crate) master: String,
    /// The credential the agent shows.
    pub(crate) credential: Option<Credential>,
    /// The longest first wait.
    pub(crate) backoff_factor: Duration,
    pub(crate) actor: Handle,
}

struct Connection {
    client: Client,
    events: EventStream<AgentEvent>,
}

impl Registration {
    /// Ends with the actor.
    pub(crate) async fn run(self) {
        while let Ok(connection) = self.disconnected().await {
            let subscribed = self.subscribed(connection).await;
            if subscribed.is_err() || self.actor.send(Request::MasterLost).await.is_err() {
                return;
            }
        }
    }

    async fn disconnected(&self) -> Result<Connection, Stopped> {
        let mut subscriber = Subscriber::new(self.backoff_factor, BACKOFF_MAX);
        loop {
            sleep(subscriber.pause(fastrand::f64())).await;
            let call = self.actor.ask(Request::Registration).await?;
            match self.connect(&call).await {
                Ok(connection) => return Ok(connection),
                Err(error) if subscriber.failed() => self.complain(&error).await,
                Err(error) => tracing::debug!(%error, "still no master"),
            }
        }
    }

    async fn complain(&self, error: &ClientError) {
        let client = Client::new(self.master.clone(), Codec::Protobuf).with_credential(self.credential.as_ref());
        let Some(found) = Stranger::behind(&client, error).await else {
            return tracing::info!(master = self.master, %error, "cannot register yet");
        };
        let advice = match found {
            Stranger::Mesos(_) => {
                "its master takes no agents of Cygnet: run one of its own agents here, `cygnet scheduler` can use them"
            }
            Stranger::Cygnet(_) => "but not a master: is this the port of an agent?",
            Stranger::Unknown => "there is no master to register at",
        };
        tracing::warn!(master = self.master, %found, "cannot register: {advice}");
    }

    async fn connect(&self, call: &AgentCall) -> Result<Connection, ClientError> {
        let own = self.credential.as_ref();
        let client = Client::new(self.master.clone(), Codec::Protobuf).with_credential(own);
        let events: EventStream<AgentEvent> = client.subscribe(PATH, call).await?;
        // After redirects, calls go where the events come from.
        let client = Client::new(events.peer(), Codec::Protobuf).with_credential(own);
        Ok(Connection { client, events })
    }

    async fn subscribed(&self, Connection { client, events }: Connection) -> Result<(), Stopped> {
        let (calls, outbox) = mpsc::unbounded_channel();
        let stream_id = events.stream_id().map(str::to_owned);
        self.actor.send(Request::MasterConnected(calls)).await?;
        tokio::select! {
            ended = self.listen(events) => ended,
            ended = self.speak(&client, stream_id.as_deref(), outbox) => ended,
        }
    }

    async fn listen(&self, mut events: EventStream<AgentEvent>) -> Result<(), Stopped> {
        let mut patience = PING_TIMEOUT;
        loop {
            match events.next_within(patience).await {
                Ok(Some(event)) => {
                    if let Content::Subscribed(subscribed) = &event {
                        let timeout = subscribed.total_ping_timeout_seconds.and_then(from_seconds);
                        patience = timeout.unwrap_or(patience);
                    }
                    self.actor.send(Request::MasterEvent(Box::new(event))).await?;
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "lost the master");
                    return Ok(());
                }
            }
        }
    }

    /// Calls go out one after the other, in the order in which they were made.
    async fn speak(
        &self,
        client: &Client,
        stream_id: Option<&str>,
        mut outbox: mpsc::UnboundedReceiver<AgentCall>,
    ) -> Result<(), Stopped> {
        while let Some(call) = outbox.recv().await {
            let said = timeout(CALL_PATIENCE, client.call(PATH, &call, stream_id)).await;
            if call.r#type() == agent_call::Type::Unregister {
                self.actor.send(Request::Left).await?;
            }
            match said {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "lost the master during a call");
                    return Ok(());
                }
                Err(_late) => return Ok(()),
            }
        }
        Ok(())
    }
}
