//! The master's operator API, on behalf of people: the agents that it knows, and which of them are taken out of use.
//!
//! In: what the API asks, and the [`Drain`]s that the core hands over. Out: answers, and a [`Report`] of each that was handed
//! over. Its connections are its own, so that nothing here delays a call of the framework; [`Operator::run`] owns one task.

use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use mesos::Codec;
use mesos::client::{Client, ClientError, Timeouts};
use mesos::v1::master::{Call, call};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::bounds::{WORDS, beginning};
use crate::drain::{Drain, HandOver};
use crate::handle::{Handle, Report};
use crate::known_agent::KnownAgent;
use crate::options::Options;

const PATH: &str = "/api/v1";

/// People wait for it.
const PATIENCE: Timeouts = Timeouts { connect: Duration::from_secs(2), reply: Duration::from_secs(10) };

#[derive(Deserialize)]
struct Summary {
    slaves: Vec<KnownAgent>,
}

/// The reason why the master did not do it, or say it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorError {
    /// It does not want to, and would not if it were asked once more.
    #[error("{master} refuses with {status}: {said}")]
    Refused { master: String, status: StatusCode, said: String },
    #[error("no master is named")]
    NoMaster,
    #[error(transparent)]
    Unanswered(ClientError),
    #[error("the master's summary of its state cannot be read: {0}")]
    Unreadable(#[source] serde_json::Error),
}

/// Something to ask a master.
#[derive(Clone, Copy)]
enum Question<'a> {
    Summary,
    Call(&'a Call),
}

impl Question<'_> {
    async fn put_to(self, master: &Client) -> Result<Bytes, OperatorError> {
        match self {
            Question::Summary => match master.get("/state-summary").await? {
                (status, body) if status.is_success() => Ok(body),
                (status, body) => {
                    Err(ClientError::Refused { peer: master.authority().to_owned(), status, body }.into())
                }
            },
            Question::Call(call) => Ok(master.call(PATH, call, None).await?.body),
        }
    }
}

impl From<ClientError> for OperatorError {
    fn from(error: ClientError) -> OperatorError {
        match error {
            ClientError::Refused { peer, status, body } if is_its_word(status) => {
                OperatorError::Refused { master: peer, status, said: String::from_utf8_lossy(&body).into_owned() }
            }
            error => OperatorError::Unanswered(error),
        }
    }
}

/// True if a master that was asked once more would say the same: not if it did not know who asks, or was not up to it.
fn is_its_word(status: StatusCode) -> bool {
    const OTHERS: [StatusCode; 3] = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS];
    status.is_client_error() && !OTHERS.contains(&status)
}

/// Asks whichever master leads.
#[derive(Clone)]
pub(crate) struct Operator {
    masters: Vec<Client>,
}

impl Operator {
    pub(crate) fn new(options: &Options) -> Operator {
        let client = |master| Client::with_timeouts(master, Codec::Protobuf, PATIENCE);
        let clients = options.masters().map(client);
        Operator { masters: clients.map(|client| client.with_credential(options.credential.as_ref())).collect() }
    }

    /// The agents that are registered.
    pub(crate) async fn agents(&self) -> Result<Vec<KnownAgent>, OperatorError> {
        let body = self.ask(Question::Summary).await?;
        let summary: Summary = serde_json::from_slice(&body).map_err(OperatorError::Unreadable)?;
        Ok(summary.slaves)
    }

    /// No more offers of it.
    pub(crate) async fn deactivate(&self, agent_id: &str) -> Result<(), OperatorError> {
        self.call(&Call::deactivate_agent(call::DeactivateAgent { agent_id: agent_id.into() })).await
    }

    /// Offers of it again.
    pub(crate) async fn reactivate(&self, agent_id: &str) -> Result<(), OperatorError> {
        self.call(&Call::reactivate_agent(call::ReactivateAgent { agent_id: agent_id.into() })).await
    }

    async fn call(&self, call: &Call) -> Result<(), OperatorError> {
        self.ask(Question::Call(call)).await.map(drop)
    }

    /// The answer of the first that can be asked: whichever answers leads, or leads to who does.
    async fn ask(&self, question: Question<'_>) -> Result<Bytes, OperatorError> {
        let mut answer = Err(OperatorError::NoMaster);
        for master in &self.masters {
            answer = question.put_to(master).await;
            let is_away =
                |error: &ClientError| matches!(error, ClientError::Connect { .. } | ClientError::ConnectTimeout { .. });
            if !matches!(&answer, Err(OperatorError::Unanswered(error)) if is_away(error)) {
                break;
            }
        }
        answer
    }

    /// Has the master empty what the core hands over, one after the other, until `shutdown`.
    pub(crate) async fn run(
        self,
        mut drains: mpsc::UnboundedReceiver<Drain>,
        actor: Handle,
        shutdown: CancellationToken,
    ) {
        let hand_over = async {
            while let Some(drain) = drains.recv().await {
                let report = self.hand_over(drain).await;
                actor.report(report).await;
            }
        };
        shutdown.run_until_cancelled(hand_over).await;
    }

    async fn hand_over(&self, drain: Drain) -> Report {
        let answer = self.call(&drain.call()).await;
        if let Err(error) = &answer {
            tracing::warn!(agent_id = drain.agent_id, %error, "the master does not drain the agent");
        }
        let outcome = match answer {
            Ok(()) => HandOver::Taken,
            Err(OperatorError::Refused { said, .. }) => self.refused(&drain.agent_id, &said).await,
            Err(_) => HandOver::Unanswered,
        };
        Report::HandedOver { agent_id: drain.agent_id, outcome }
    }

    /// A refusal to drain an agent means nothing if the master drains it already, or knows it no more.
    async fn refused(&self, agent_id: &str, said: &str) -> HandOver {
        let Ok(agents) = self.agents().await else { return HandOver::Unanswered };
        match agents.iter().find(|agent| agent.id == agent_id) {
            Some(agent) if agent.drain_info.is_none() => HandOver::Refused(beginning(said, WORDS).to_owned()),
            _ => HandOver::Taken,
        }
    }
}
