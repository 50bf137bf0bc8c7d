//! The question to agents whose checks are late, as the core wants it put: all agents beside each other, and none has longer
//! than is said.
//!
//! In: [`LateQuestion`]s. Out: a [`Report`] of each, with the answer or why there is none. [`Agents::run`] owns one task, and one for
//! each question under way.

use std::collections::BTreeMap;
use std::time::Duration;

use mesos::client::{ClientError, Timeouts};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Agent, AgentError, Agents, Problem};
use crate::core::{LateQuestion, ToldOfChecks};
use crate::handle::{Handle, Report};

/// The most questions that are under way at a time.
const MOST: usize = 256;

/// The time that an agent has to answer, and the part of it that it gives its checkers.
const PATIENCE: Duration = Duration::from_secs(3);
const CHECKERS_MILLIS: u64 = 2000;

/// The answer of an agent.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Late {
        late: Vec<Late>,
        #[serde(default)]
        more: u64,
    },
    Silent {
        silent_ms: u64,
    },
}

#[derive(Debug, Deserialize)]
struct Late {
    executor_id: String,
    ago_ms: u64,
}

impl Agents {
    /// Puts all questions, until `shutdown`.
    pub(crate) async fn run(
        self,
        mut questions: mpsc::UnboundedReceiver<LateQuestion>,
        actor: Handle,
        shutdown: CancellationToken,
    ) {
        let put_all = async {
            let mut under_way = JoinSet::new();
            loop {
                tokio::select! {
                    question = questions.recv(), if under_way.len() < MOST => {
                        let Some(question) = question else { return };
                        under_way.spawn(self.clone().put(question, actor.clone()));
                    }
                    Some(_) = under_way.join_next() => {}
                }
            }
        };
        shutdown.run_until_cancelled(put_all).await;
    }

    async fn put(self, LateQuestion { agent_id, host, framework_id }: LateQuestion, actor: Handle) {
        let agent = Agent { id: agent_id, host };
        let told = match timeout(PATIENCE, self.ask_late(&agent, &framework_id)).await {
            Ok(Ok(answer)) => answer.into(),
            Ok(Err(error)) => unanswered(error.problem()),
            Err(_) => {
                self.forget(&agent).await;
                unanswered(&Problem::Late(PATIENCE))
            }
        };
        actor.report(Report::ToldOfChecks { agent_id: agent.id, told }).await;
    }

    async fn ask_late(&self, agent: &Agent, framework_id: &str) -> Result<Answer, AgentError> {
        let client = self.client(agent, Timeouts { connect: PATIENCE, reply: PATIENCE }).await?;
        let path = format!("/cygnet/v1/late?framework_id={framework_id}&within_ms={CHECKERS_MILLIS}");
        match client.get(&path).await {
            Ok((status, body)) if status.is_success() => {
                serde_json::from_slice(&body).map_err(|_| agent.fault(Problem::Answer))
            }
            Ok((status, body)) => {
                let peer = client.authority().to_owned();
                Err(agent.fault(Problem::Client(ClientError::Refused { peer, status, body })))
            }
            Err(error) => {
                self.forget(agent).await;
                Err(agent.fault(Problem::Client(error)))
            }
        }
    }
}

/// One that refuses is another's, is of an earlier version, has no pool of ours, or does not know us: it never tells.
fn unanswered(problem: &Problem) -> ToldOfChecks {
    match problem {
        Problem::Client(ClientError::Refused { status, .. }) if status.is_client_error() => ToldOfChecks::Nothing,
        Problem::Answer => ToldOfChecks::Nothing,
        problem => ToldOfChecks::Unanswered(format!("it {problem}")),
    }
}

impl From<Answer> for ToldOfChecks {
    fn from(answer: Answer) -> ToldOfChecks {
        match answer {
            Answer::Late { late, more } => {
                let ago = |one: Late| (one.executor_id, Duration::from_millis(one.ago_ms));
                ToldOfChecks::Late(late.into_iter().map(ago).collect::<BTreeMap<_, _>>(), more)
            }
            Answer::Silent { silent_ms } => ToldOfChecks::Silent(Duration::from_millis(silent_ms)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_answer_names_the_late_or_says_that_nobody_answers() {
        let told = |answer: Value| serde_json::from_value::<Answer>(answer).ok().map(ToldOfChecks::from);
        let late = BTreeMap::from([("web.1".to_owned(), Duration::from_secs(9))]);
        let answer = json!({"late": [{"executor_id": "web.1", "ago_ms": 9000}], "more": 2});
        assert_eq!(told(answer), Some(ToldOfChecks::Late(late, 2)));
        let silent = json!({"silent_ms": 3000, "heard_ms": null});
        assert_eq!(told(silent), Some(ToldOfChecks::Silent(Duration::from_secs(3))));
        assert_eq!(told(json!({"tasks": {}})), None);
    }

    #[test]
    fn who_refuses_never_tells_and_who_is_away_may_be_back() {
        let refused = |status: u16| {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            Problem::Client(ClientError::Refused { peer: "box:5051".into(), status, body: "no".into() })
        };
        assert_eq!(
            [404, 401].map(|status| unanswered(&refused(status))),
            [ToldOfChecks::Nothing, ToldOfChecks::Nothing]
        );
        assert!(matches!(unanswered(&refused(503)), ToldOfChecks::Unanswered(_)));
        let late = unanswered(&Problem::Late(PATIENCE));
        assert_eq!(late, ToldOfChecks::Unanswered("it did not answer within 3s".into()));
    }
}
