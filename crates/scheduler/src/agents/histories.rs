//! Past attempts of tasks' checks, as the executors of the tasks remember them, by way of their agents: all tasks of an agent
//! with one question, all agents at once, and nobody waits longer than is said.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mesos::client::{ClientError, Timeouts};
use serde::Deserialize;
use tokio::time::Instant;

use super::{Agent, AgentError, Agents, Problem};
use crate::core::Whereabouts;
use crate::health::History;
use crate::ids::AppId;

/// The most questions that wait for agents at a time.
pub(super) const ASKERS: usize = 64;

/// The most tasks of one agent that are asked about: a question has to fit into a path.
const TASKS: usize = 200;

/// The part of the time that the executors have; the rest is for the ways.
const SHARE: f64 = 0.8;

/// The answers, by task, and what was not answered.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    pub told: BTreeMap<String, Vec<History>>,
    pub faults: Vec<AgentError>,
}

/// The answer of one agent.
#[derive(Debug, Deserialize)]
struct Answer {
    tasks: BTreeMap<String, Told>,
    untold: BTreeMap<String, Untold>,
}

#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    checks: Vec<History>,
}

#[derive(Debug, Deserialize)]
struct Untold {
    status: u16,
    message: String,
}

impl Agents {
    /// The histories of these tasks, as far as they are told in time.
    pub(crate) async fn histories(&self, tasks: &[Whereabouts], within: Duration) -> Histories {
        let mut by_agent: BTreeMap<(Agent, &str), Vec<&str>> = BTreeMap::new();
        for task in tasks {
            by_agent.entry((Agent::of(task), &task.framework_id)).or_default().push(&task.task_id);
        }
        let questions = by_agent.iter().flat_map(|(of, tasks)| tasks.chunks(TASKS).map(move |some| (of, some)));
        let answers =
            join_all(questions.map(|((agent, framework), tasks)| self.asked(agent, framework, tasks, within)));
        let mut all = Histories::default();
        answers.await.into_iter().for_each(|answer| all.add(answer));
        all
    }

    /// The histories of an app's tasks, as they are told now or were told a moment ago.
    pub(crate) async fn histories_of(&self, app: AppId, tasks: &[Whereabouts], within: Duration) -> Arc<Histories> {
        if let Some(recent) = self.0.recent.find(&app).await {
            return recent;
        }
        let histories = Arc::new(self.histories(tasks, within).await);
        self.0.recent.keep(app, &histories).await;
        histories
    }

    async fn asked(
        &self,
        agent: &Agent,
        framework: &str,
        tasks: &[&str],
        within: Duration,
    ) -> Result<(Agent, Answer), AgentError> {
        let began = Instant::now();
        let turn = tokio::time::timeout(within, self.0.askers.acquire()).await;
        let _turn = turn.map_err(|_| agent.fault(Problem::Late(within)))?;
        let left = within.saturating_sub(began.elapsed());
        let answer = self.in_time(agent, left, self.ask_for_histories(agent, framework, tasks, left)).await?;
        Ok((agent.clone(), answer))
    }

    async fn ask_for_histories(
        &self,
        agent: &Agent,
        framework: &str,
        tasks: &[&str],
        within: Duration,
    ) -> Result<Answer, AgentError> {
        let client = self.client(agent, Timeouts { connect: within, reply: within }).await?;
        let millis = within.mul_f64(SHARE).as_millis();
        let tasks: String = tasks.iter().map(|task| format!("&task_id={task}")).collect();
        let path = format!("/cygnet/v1/histories?framework_id={framework}&within_ms={millis}{tasks}");
        let (status, body) = match client.get(&path).await {
            Ok(answer) => answer,
            Err(error) => {
                self.forget(agent).await;
                return Err(agent.fault(Problem::Client(error)));
            }
        };
        if !status.is_success() {
            let peer = client.authority().to_owned();
            return Err(agent.fault(Problem::Client(ClientError::Refused { peer, status, body })));
        }
        serde_json::from_slice(&body).map_err(|_| agent.fault(Problem::Answer))
    }
}

impl Histories {
    fn add(&mut self, answer: Result<(Agent, Answer), AgentError>) {
        match answer {
            Ok((agent, Answer { tasks, untold })) => {
                self.told.extend(tasks.into_iter().map(|(task, told)| (task, told.checks)));
                let fault = |(task, Untold { status, message })| agent.fault(Problem::Untold { task, status, message });
                self.faults.extend(untold.into_iter().map(fault));
            }
            Err(fault) => self.faults.push(fault),
        }
    }
}
